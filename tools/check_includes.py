#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every project #include and fails where an arrow points against the way of the data (docs/architecture.md)."""
import pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {"base": set()}
ALLOWED["source"] = ALLOWED["device"] = ALLOWED["ledger"] = ALLOWED["settings"] = {"base"}
ALLOWED["arch"] = {"base", "source"}
ALLOWED["engine"] = {"base", "source", "device", "ledger", "settings", "arch"}
ALLOWED["plan"] = ALLOWED["engine"] | {"engine"}
ALLOWED["search"] = ALLOWED["export"] = ALLOWED["plan"] | {"plan"}
ALLOWED["log"] = ALLOWED["export"] | {"export"}
ALLOWED["probe"] = {"base", "device"}
# front ends and what they share stand on the public headers alone
ALLOWED["view"] = set()
ALLOWED["cli"] = ALLOWED["tui"] = ALLOWED["gtk"] = {"view"}

bad = n = 0
for path in sorted((ROOT / "src").rglob("*.[ch]")):
    folder = path.relative_to(ROOT / "src").parts[0]
    if folder not in ALLOWED:
        print(f"{path.relative_to(ROOT)}: folder {folder} has no rule")
        bad += 1
        continue
    for i, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
        if not m:
            continue
        n += 1
        to = m.group(1)
        if to != folder and to not in ALLOWED[folder]:
            print(f"{path.relative_to(ROOT)}:{i}: {folder} must not include {to}")
            bad += 1
print(f"{n} includes, {bad} wrong")
sys.exit(bool(bad or not n))
