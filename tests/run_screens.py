#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Screens of the terminal planner against tests/screens: run_screens.py PROGRAM FILE... [--update]
A file is "$ ARGUMENTS", then the screen. No line is wider and no screen higher than asked for, whatever it shows."""
import os, pathlib, shlex, subprocess, sys, unicodedata

update = "--update" in sys.argv
program, *files = [a for a in sys.argv[1:] if a != "--update"]
failed = n = 0


def cells(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


for name in files:
    path = pathlib.Path(name)
    head, _, expected = path.read_text().partition("\n")
    arguments = [a.format(here=path.parent, nvml=os.environ.get("FAKE_NVML") or os.path.join(os.path.dirname(program), "libfake_nvml.so")) for a in shlex.split(head.removeprefix("$ "))]
    run = subprocess.run([program, *arguments], capture_output=True, text=True)
    width, height = (int(x) for x in arguments[0].partition(":")[0].split("x"))
    lines = run.stdout.splitlines()
    n += 1
    bad = run.returncode or len(lines) != height or any(cells(s) > width for s in lines)
    if ":ascii" in arguments[0]:
        bad = bad or not run.stdout.isascii()
    if update and not bad:
        path.write_text(head + "\n" + run.stdout)
    elif bad or run.stdout != expected:
        failed += 1
        print(f"{path.name}: {run.stderr or 'differs'}\n--- wanted\n{expected}--- got\n{run.stdout}")
print(f"{n} screens, {failed} failed")
sys.exit(bool(failed or not n))
