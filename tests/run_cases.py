#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_cases.py HWLEDGER FILE.case ...: command lines and what they answer (the form stands in cases/usage.case)."""
import pathlib
import shlex
import subprocess
import sys


def check(exe, text):
    lines = text.splitlines()
    args = shlex.split(lines[0][2:])
    want = {mark: [l[2:] for l in lines if l.startswith(mark + " ")] for mark in "=>!"}
    r = subprocess.run([exe, *args], text=True, capture_output=True, timeout=30)
    bad = []
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
        for case in filter(None, (c.strip("\n") for c in body.split("\n\n"))):
            bad = check(exe, case)
            n += 1
            failed += bool(bad)
            for b in bad:
                print(f"{pathlib.Path(name).name}: {case.splitlines()[0]}\n  {b}")
    print(f"{n} cases, {failed} failed")
    sys.exit(bool(failed or not n))


main()
