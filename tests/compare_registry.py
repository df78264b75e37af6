#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_registry.py PROGRAM [-v] [--every=N] [ROWS]: plans from configurations against what vLLM's own classes plan (tests/data/vllm/registry.jsonl,
releases.jsonl).

A line is a configuration, as published or with the defaults of its class, or a question and vLLM's answer: the command line (a draft model
stands in it as draft:ID), the card, the bytes of the cache of a rank, and blocks, tokens, length, concurrency and bytes of the first rank's
cache; or that one request does not fit; or that it refuses. weights: parameters and buffers of the first rank's classes on PyTorch's meta
device, copies: what latent attention adds once they are loaded; within a thousandth. batched, seqs, prefix, utilization: what it makes of the
arguments that are not given; such a line may lack the bytes. --every: only one question of N, for a program that sanitizers slow down."""
import json, pathlib, subprocess, sys, tempfile

ROWS = pathlib.Path(__file__).resolve().parent / "data" / "vllm" / "registry.jsonl"


def folder(root, config):
    d = pathlib.Path(tempfile.mkdtemp(dir=root))
    (d / "config.json").write_text(json.dumps(config))
    return str(d)


def check(program, r, folders):
    args = [folders[a[6:]] if a.startswith("draft:") else a for a in r["args"]]
    if "--speculative-config" in args:
        i = args.index("--speculative-config") + 1
        spec = json.loads(args[i])
        if spec.get("model", "").startswith("draft:"):
            spec["model"] = folders[spec["model"][6:]]
        args[i] = json.dumps(spec)
    c = subprocess.run([program, "plan", folders[r["id"]], "--engine", "vllm", "--engine-version", r["version"], "--gpu", f"{r['card']}x{r['cards']}",
                        "--json", "--", *args, *(["--kv-cache-memory-bytes", str(r["bytes"])] if "bytes" in r else [])], capture_output=True, text=True)
    if r.get("refused"):
        return [] if c.returncode == 1 and "vllm refuses: " in c.stdout + c.stderr else ["no refusal"]
    if c.returncode not in (0, 3):
        return [c.stderr.strip()]
    j = json.loads(c.stdout)
    v, want, wrong = j["engine_view"], r["want"], []
    for ours, theirs in (("max_batched_tokens", "batched"), ("max_seqs", "seqs"), ("enable_prefix_caching", "prefix"),
                         ("gpu_memory_utilization", "utilization")):
        if theirs in want and j["settings"].get(ours) != want[theirs]:
            wrong.append(f"{ours} {j['settings'].get(ours)}, not {want[theirs]}")
    if "fits" in want and v["kv_fits_one_request"] is not want["fits"]:
        wrong.append(f"one request fits: {v['kv_fits_one_request']}")
    for ours, theirs in (("num_gpu_blocks", "blocks"), ("kv_cache_tokens", "tokens"), ("max_model_len", "len")):
        if theirs in want and v[ours] != want[theirs]:
            wrong.append(f"{theirs} {v[ours]}, not {want[theirs]}")
    if "concurrency" in want and abs(v["max_concurrency"] - want["concurrency"]) > 0.00501: # printed with two decimals
        wrong.append(f"concurrency {v['max_concurrency']}, not {want['concurrency']}")
    held = {k: sum(e["bytes"] for e in j["entries"] if e["device"] == "gpu0" and e["kind"] in kinds)
            for k, kinds in (("cache", ("kv_cache", "recurrent_state")), ("weights", ("weights",)))}
    if "cache" in want and held["cache"] != want["cache"]:
        wrong.append(f"cache {held['cache']:,}, not {want['cache']:,}")
    if "weights" in r:
        whole = r["weights"] + r.get("copies", 0)
        if abs(held["weights"] - whole) > whole / 1000:
            wrong.append(f"weights {held['weights']:,}, not {whole:,}")
    return wrong


def main():
    program, verbose = sys.argv[1], "-v" in sys.argv
    files = [pathlib.Path(a) for a in sys.argv[2:] if not a.startswith("-")]
    every = next((int(a[8:]) for a in sys.argv[2:] if a.startswith("--every=")), 1)
    rows = [json.loads(line) for line in (files or [ROWS])[0].open(encoding="utf-8") if not line.startswith("#")]
    off = 0
    with tempfile.TemporaryDirectory() as root:
        folders = {r["id"]: folder(root, r["config"]) for r in rows if "config" in r}
        asked = [r for r in rows if "config" not in r][::every]
        for r in asked:
            wrong = check(program, r, folders)
            off += bool(wrong)
            if wrong or verbose:
                print(f"{r['id']} {r['version']} {r['card']}x{r['cards']} {' '.join(r['args'])}: {'; '.join(wrong) or 'equal'}")
    print(f"{len(asked)} plans of {len(folders)} configurations, {off} differ")
    sys.exit(1 if off or len(asked) < 100 else 0)


main()
