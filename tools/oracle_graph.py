#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oracle_graph.py GRAPHS.jsonl [NUMBER]: a graph that a harness around the real llama.cpp wrote (one JSON object a graph: nodes and
leafs as [tensor, back end], tensors with op, type, ne, src, flags, size by back end), in the form of tests/graph_dump.c."""
import json, sys


def main():
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    g = [json.loads(line) for line in open(sys.argv[1])][number]
    at = {t: i for i, (t, _) in enumerate(g["nodes"])}
    tensors = g["tensors"]
    for i, (t, be) in enumerate(g["nodes"]):
        x = tensors[t]
        src = ["#%d" % at[s] if s in at else "%s:%s" % (tensors[s]["type"].upper(), ",".join(map(str, tensors[s]["ne"]))) for s in x["src"]]
        view = [] if x["view"] < 0 else ["view", "#%d" % at[x["view"]]] if x["view"] in at else ["view"]
        print(i, x["op"], be, x["type"].upper(), ",".join(map(str, x["ne"])), ",".join(map(str, x["nb"])), x["size"][be], *src, *view, *(["output"] if x["flags"] & 2 else []))


main()
