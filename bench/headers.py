#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""headers.py HEADER_BENCH FOLDER [--go PROGRAM] [--python PYTHON] [--rounds N]: header readers against each other, in turn in
every round, so that all see the same machine. Inputs: make_headers.py FOLDER."""
import argparse
import os
import statistics
import subprocess

here = os.path.dirname(os.path.abspath(__file__))
p = argparse.ArgumentParser()
p.add_argument("bench")
p.add_argument("folder")
p.add_argument("--go")
p.add_argument("--python")
p.add_argument("--rounds", type=int, default=5)
a = p.parse_args()
gguf = os.path.join(a.folder, "vocabulary.gguf")
st = os.path.join(a.folder, "big.safetensors")
runs = {"gguf: hwledger": [a.bench, "gguf", gguf]}
if a.go:
    runs |= {"gguf: gguf-parser-go": [a.go, gguf], "gguf: gguf-parser-go, mmap": [a.go, gguf, "mmap"],
             "gguf: gguf-parser-go, mmap, vocabulary skipped": [a.go, gguf, "mmap", "skip"]}
if a.python:
    runs["gguf: Python package gguf"] = [a.python, os.path.join(here, "gguf_package.py"), gguf]
runs |= {"safetensors: yyjson's bare parse": [a.bench, "yyjson", st], "safetensors: hwledger, strict JSON": [a.bench, "json", st],
         "safetensors: hwledger, whole reader": [a.bench, "safetensors", st]}
least, median = {k: [] for k in runs}, {k: [] for k in runs}
for i in range(a.rounds):
    for name, command in runs.items():
        if i and ("Python" in name or name.endswith("-go")):
            continue  # seconds each: once
        x, y = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        least[name].append(x)
        median[name].append(y)
print("| reader | median, ms | least, ms |\n|---|---:|---:|")
for name in runs:
    print(f"| {name} | {statistics.median(median[name]) / 1e3:.2f} | {min(least[name]) / 1e3:.2f} |")
