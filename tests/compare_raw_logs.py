#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_raw_logs.py PROGRAM [-v]: explain-log on raw start-up logs of llama.cpp of all eras (tests/data/logs/llamacpp).

expected.jsonl has a line for each file: the model where the log names none, how many figures are laid beside the plan, which of them are off ("name device"), words
of its notes, and words that no note has. All others must be equal to the printed digits (weights, caches) or within 2 % (graphs)."""
import json, pathlib, subprocess, sys

ROWS = pathlib.Path(__file__).resolve().parent / "data" / "logs" / "llamacpp"
GRAPHS = ("compute_bytes", "output_bytes")


def is_off(t):
    beyond = max(0, abs(t["planned"] - t["logged"]) - t["rounding"] * 1.001)
    return beyond > (0.02 * t["logged"] if t["name"] in GRAPHS else 0)


def check(program, r):
    c = subprocess.run([program, "explain-log", ROWS / r["file"], *([r["model"]] if "model" in r else []), "--json"], capture_output=True, text=True)
    if not c.stdout:
        yield c.stderr.strip()
        return
    doc = json.loads(c.stdout)
    off = {f"{t['name']} {t['device']}".strip(): t for t in doc["terms"] if is_off(t)}
    notes = "\n".join(doc["notes"] + [t["meaning"] for t in off.values()])
    if len(doc["terms"]) != r["terms"]:
        yield f"{len(doc['terms'])} figures laid beside the plan, {r['terms']} expected"
    for name in sorted(set(off) ^ set(r.get("off", []))):
        t = off.get(name)
        yield f"{name}: {t['planned'] / 2**20:,.2f} MiB planned, {t['logged'] / 2**20:,.2f} logged" if t else f"{name}: not off any more"
    yield from (f"no note says {words!r}" for words in r.get("notes", []) if words not in notes)
    yield from (f"a note says {words!r}" for words in r.get("not", []) if words in notes)


def main():
    rows = [json.loads(line) for line in (ROWS / "expected.jsonl").read_text().splitlines()]
    wrong = {p.name for p in ROWS.glob("*.log")} ^ {r["file"] for r in rows}
    bad = [f"{name}: file and line do not match" for name in sorted(wrong)]
    for r in rows:
        errors = [f"{r['file']}: {e}" for e in check(sys.argv[1], r)]
        bad += errors
        if "-v" in sys.argv:
            print(r["file"], "; ".join(errors) or "as expected")
    print("\n".join(bad + [f"{len(rows)} logs, {sum(r['terms'] for r in rows)} figures, {len(bad)} wrong"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
