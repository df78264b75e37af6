#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oracle_graph.py GRAPHS.jsonl [NUMBER]: a graph that a harness around the real llama.cpp wrote (one JSON object a graph: nodes and
leafs as [tensor, back end], tensors with op, type, ne, nb, src, view, flags, size by back end), in the form of tests/graph_dump.c.
oracle_graph.py --store HARNESS LIBDIR: asks it for all graphs of tests/data/llamacpp/graphs.txt.gz and writes that file."""
import gzip, json, pathlib, subprocess, sys, tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS))
import gguf_file

# model of models.jsonl, GPUs, what the harness is told, graph, what graph_dump is told
GRAPHS = [
    ("chameleon", 1, "n_ctx=8192", "PROMPT", "ctx=8192"),
    ("llama4", 1, "n_ctx=8192 ngl=3", "PROMPT", "ctx=8192 ngl=3"),
    ("gemma3n", 1, "n_ctx=8192", "PROMPT", "ctx=8192"),
    ("deepseek32", 1, "n_ctx=8192", "PROMPT", "ctx=8192"),
    ("mamba2", 1, "n_ctx=8192 offload_kqv=0", "PROMPT", "ctx=8192 kv-offload=false"),
    ("falcon-h1", 1, "n_ctx=8192", "TOKEN", "ctx=8192"),
    ("rwkv6", 1, "n_ctx=8192", "PROMPT", "ctx=8192"),
    ("jina-bert-v3", 1, "n_ctx=512 n_batch=512 embeddings=1", "PROMPT", "ctx=512 embedding=true"),
    ("mimo2", 2, "n_ctx=8192", "PROMPT", "ctx=8192"),
    ("qwen3next", 1, "n_ctx=8192 ngl=3", "TOKEN", "ctx=8192 ngl=3"),
    ("olmoe", 1, "n_ctx=8192 ncmoe=3", "PROMPT", "ctx=8192 n-cpu-moe=3"),
    ("deci", 1, "n_ctx=8192 type_k=q8_0 type_v=q8_0", "PROMPT", "ctx=8192 kv-type=q8_0"),
    ("llama-moe", 1, "n_ctx=8192 fa=off n_seq_max=2 kv_unified=0", "PROMPT", "ctx=4096 concurrency=2 kv-unified=false flash-attn=off"),
    ("exaone4-32b", 0, "n_ctx=4096", "PROMPT", "ctx=4096"),
]


def text(g):
    at = {t: i for i, (t, _) in enumerate(g["nodes"])}
    tensors, lines = g["tensors"], []
    join = lambda xs: ",".join(map(str, xs))
    for i, (t, be) in enumerate(g["nodes"]):
        x = tensors[t]
        src = ["#%d" % at[s] if s in at else f"{tensors[s]['type'].upper()}:{join(tensors[s]['ne'])}" for s in x["src"]]
        view = [] if x["view"] < 0 else ["view", "#%d" % at[x["view"]]] if x["view"] in at else ["view"]
        line = [i, x["op"], be, x["type"].upper(), join(x["ne"]), join(x["nb"]), x["size"][be], *src, *view, *(["output"] if x["flags"] & 2 else [])]
        lines.append(" ".join(map(str, line)) + "\n")
    return "".join(lines)


def store(harness, libdir):
    models = {m["name"]: m for m in map(json.loads, open(TESTS / "data" / "llamacpp" / "models.jsonl"))}
    out = ""
    with tempfile.TemporaryDirectory() as tmp:
        f, graphs = pathlib.Path(tmp) / "m.gguf", pathlib.Path(tmp) / "g.jsonl"
        for model, gpus, told, which, options in GRAPHS:
            gguf_file.write({**models[model], "tensors": gguf_file.expanded(models[model]["tensors"])}, f)
            devs = ["devs=" + ",".join(["400000"] * gpus)] if gpus else []
            subprocess.run([harness, libdir, "run", f, "extra_bufts=0", "no_alloc=0", "load_mode=1", f"graph={graphs}", *devs, *told.split()],
                           check=True, stdout=subprocess.DEVNULL)
            g = [json.loads(line) for line in open(graphs)][which == "TOKEN"]
            out += f"= {model} {gpus} {which} {options}\n" + text(g)
    with gzip.GzipFile(TESTS / "data" / "llamacpp" / "graphs.txt.gz", "wb", 9, mtime=0) as f:
        f.write(out.encode())


if sys.argv[1] == "--store":
    store(*sys.argv[2:4])
else:
    sys.stdout.write(text([json.loads(line) for line in open(sys.argv[1])][int(sys.argv[2]) if len(sys.argv) > 2 else 0]))
