#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_cases.py HWLEDGER FILE.case ...: command lines and what they answer (the form stands in cases/usage.case)."""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

STORES = ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "LLAMA_CACHE")


def put(home, line):
    """@ PATH TEXT, @ PATH *N (N zero bytes), @ PATH -> TARGET (a link)"""
    path, _, what = line[2:].partition(" ")
    p = pathlib.Path(home, path)
    p.parent.mkdir(parents=True, exist_ok=True)
    if what.startswith("-> "):
        p.symlink_to(what[3:])
    else:
        p.write_bytes(bytes(int(what[1:])) if what.startswith("*") else what.encode())


def check(exe, text, home):
    lines = text.replace("~/", home + "/").splitlines()
    env = {k: v for k, v in os.environ.items() if k not in STORES} | {"HOME": home}
    env |= dict(l[2:].split("=", 1) for l in lines if l.startswith("% "))
    lines = [l for l in lines if not l.startswith("% ")]
    args = shlex.split(lines[0][2:])
    want = {mark: [l[2:] for l in lines if l.startswith(mark + " ")] for mark in "=>!-"}
    r = subprocess.run([exe, *args], text=True, capture_output=True, timeout=30, env=env)
    bad = [f"a line '{w}' that must not be there" for w in want["-"] if w in r.stdout.splitlines()]
    if "--json" in args and r.stdout:
        try:
            json.loads(r.stdout)
        except ValueError as e:
            bad.append(f"no JSON: {e}")
    if str(r.returncode) != want["="][0]:
        bad.append(f"exit {r.returncode}, not {want['='][0]}")
    if r.stderr.splitlines() != want["!"]:
        bad.append(f"stderr: {r.stderr.strip()}")
    rest = iter(l.rstrip() for l in r.stdout.splitlines())
    bad += [f"no line '{w}' in:\n{r.stdout}" for w in want[">"] if w not in rest]
    return bad


def main():
    exe, *files = sys.argv[1:]
    n = failed = 0
    for name in files:
        body = "\n".join(l for l in pathlib.Path(name).read_text().splitlines() if not l.startswith("#"))
        with tempfile.TemporaryDirectory() as home:
            for case in filter(None, (c.strip("\n") for c in body.split("\n\n"))):
                if case.startswith("@"):
                    for line in case.splitlines():
                        put(home, line)
                    continue
                bad = check(exe, case, home)
                n += 1
                failed += bool(bad)
                for b in bad:
                    print(f"{pathlib.Path(name).name}: {case.splitlines()[0]}\n  {b}")
    print(f"{n} cases, {failed} failed")
    sys.exit(bool(failed or not n))


main()
