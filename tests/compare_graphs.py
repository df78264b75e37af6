#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_graphs.py GRAPH_DUMP: compute graphs of small models of tests/data/llamacpp/models.jsonl, node by node,
against those that llama.cpp v0.5.0 itself reserved (tests/data/llamacpp/graphs.txt.gz; how they were made: docs/testing.md).
A graph there is a line "= MODEL GPUS PROMPT|TOKEN OPTION=VALUE ...", then its nodes as tests/graph_dump.c prints them."""
import argparse, gzip, json, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import gguf_file


def graphs():
    head, nodes = None, []
    with gzip.open(HERE / "data" / "llamacpp" / "graphs.txt.gz", "rt") as f:
        for line in f:
            if not line.startswith("= "):
                nodes.append(line)
                continue
            if head:
                yield head, nodes
            head, nodes = line[2:].split(), []
    yield head, nodes


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("program")
    a = ap.parse_args()
    models = {m["name"]: m for m in map(json.loads, open(HERE / "data" / "llamacpp" / "models.jsonl"))}
    n, wrong = 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        f = pathlib.Path(tmp) / "m.gguf"
        for (model, *rest), want in graphs():
            m = models[model]
            gguf_file.write({**m, "tensors": gguf_file.expanded(m["tensors"])}, f)
            got = subprocess.run([a.program, f, *rest], capture_output=True, text=True).stdout.splitlines(keepends=True)
            n += 1
            if got == want:
                continue
            wrong += 1
            at = next((i for i, (x, y) in enumerate(zip(got, want)) if x != y), min(len(got), len(want)))
            show = lambda lines: lines[at].strip() if at < len(lines) else "nothing"
            print(f"{model} {' '.join(rest)}: {len(got)} nodes, not {len(want)}; node {at} is\n  {show(got)}\nnot\n  {show(want)}")
    print(f"{n} graphs, {wrong} differ")
    sys.exit(1 if wrong or n < 10 else 0)


main()
