#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""live_llamacpp.py PROGRAM CONVERT ORACLE [LIBDIR]: the real llama.cpp library, asked now.

1. A row of each small model of tests/data/llamacpp: the library still gives the stored answer (tools/llamacpp_truth.py writes it anew).
2. Files that our conversion makes of catalogue models and of configurations of tests/data/inventory: the library loads them (names, shapes
   and metadata are those of its own converter, or it refuses), and its buffers are those of our plan, to the byte where the plan says exact.
LIBDIR: $HWL_LLAMACPP, or nothing: exit 77, skipped."""
import collections, json, os, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools")]
import compare_llamacpp, gguf_file, llamacpp_truth

# Configurations drawn at random that no published model has, and which the library turns down for it.
ODD = {"bitnet": "an output matrix of its own", "hyperclovax": "attention multiplier", "phimoe": "no bias on the output matrix"}
SETTINGS = [{"n_ctx": 4096, "devs": "400000", "extra_bufts": 0}, {"n_ctx": 16384, "n_seq_max": 4, "kv_unified": 1, "fa": "off", "n_ubatch": 256, "devs": "400000,400000", "extra_bufts": 0}]


def stored(lib, tmp):
    rows, bad, n = collections.defaultdict(list), [], 0
    folder = HERE / "data" / "llamacpp"
    for r in map(json.loads, open(folder / "rows.jsonl")):
        rows[r["model"]].append(r)
    for i, m in enumerate(map(json.loads, open(folder / "models.jsonl"))):
        good = [r for r in rows[m["name"]] if r["ok"]]
        if not good:
            continue
        want = good[i % len(good)]
        gguf_file.write({**m, "tensors": gguf_file.expanded(m["tensors"])}, tmp / "m.gguf")
        got = llamacpp_truth.row(lib, tmp / "m.gguf", m["name"], want["settings"])
        n += 1
        if got.get("bytes") != want["bytes"]:
            bad.append(f"{m['name']} {want['settings']}: {got.get('bytes') or got.get('error')}, stored is {want['bytes']}")
    return n, bad


def converted(lib, tmp, program, convert):
    todo, seen, bad, n = [], set(), [], collections.Counter()
    for m in json.loads(subprocess.run([program, "models", "--json"], capture_output=True, text=True, check=True).stdout)["models"]:
        arch = json.loads(subprocess.run([program, "inspect", m["name"], "--json"], capture_output=True, text=True, check=True).stdout)["architecture"]
        if arch not in seen:
            seen.add(arch)
            todo.append((m["name"], m["name"]))
    for c in json.load(open(HERE / "data" / "inventory" / "text.json"))["cases"]:
        arch = c["config"]["model_type"]
        if arch in seen or arch in ODD:
            continue
        seen.add(arch)
        (tmp / arch).mkdir()
        (tmp / arch / "config.json").write_text(json.dumps(c["config"]))
        todo.append((arch, str(tmp / arch)))
    f = tmp / "c.gguf"
    for i, (name, model) in enumerate(todo):
        r = subprocess.run([convert, model, "Q4_K_M", f], capture_output=True, text=True)
        if r.returncode:
            n["refused" if "refuses" in r.stderr else "unknown"] += 1
            continue
        s = SETTINGS[i % len(SETTINGS)]
        got = llamacpp_truth.row(lib, f, name, s)
        if not got["ok"]:
            bad.append(f"{name}: {got['error']}")
            continue
        n["loaded"] += 1
        rc, j, error = compare_llamacpp.plan(program, f, s)
        if not j:
            bad.append(f"{name}: loads, but no plan: {error}")
            continue
        for text in compare_llamacpp.differences(j, got["bytes"]):
            bad.append(f"{name} {s}: {text}")
    return n, bad


def main():
    program, convert, oracle = sys.argv[1:4]
    libdir = sys.argv[4] if len(sys.argv) > 4 else os.environ.get("HWL_LLAMACPP", "")
    if not libdir or not os.path.isdir(libdir):
        print("no llama.cpp library here: HWL_LLAMACPP names no folder")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as t:
        tmp = pathlib.Path(t)
        lib = llamacpp_truth.Library(oracle, libdir, tmp)
        rows, bad = stored(lib, tmp)
        n, more = converted(lib, tmp, program, convert)
    print("\n".join(bad + more))
    print(f"{rows} stored rows asked again, {len(bad)} differ; {n['loaded']} converted models loaded, {n['refused']} that llama.cpp has no class for, "
          f"{n['unknown']} not converted, {len(more)} differ")
    sys.exit(1 if bad or more or rows < 40 or n["loaded"] < 60 else 0)


if __name__ == "__main__":
    main()
