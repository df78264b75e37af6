#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_llamacpp.py PROGRAM [-v] [--only REGEX] [--folder DIR] [--table]: plans for the small models of
tests/data/llamacpp/models.jsonl against what the real library allocated (rows.jsonl, written by tools/llamacpp_truth.py).
Weights, caches, state and layers must be equal; a compute buffer whose basis is exact must be equal, too. One of basis
modelled is only counted."""
import argparse, collections, json, pathlib, re, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import gguf_file

VERSION = "v0.5.0"


def options(s):
    o = ["-c", s["n_ctx"], "-np", s.get("n_seq_max", 1), "-b", s.get("n_batch", 2048), "-ub", s.get("n_ubatch", 512), "-ctk", s.get("type_k", "f16"),
         "-ctv", s.get("type_v", "f16"), "-fa", s.get("fa", "auto"), "--kv-unified" if s.get("kv_unified") else "--no-kv-unified", "--fit", "off"]
    for key, flag in (("swa_full", "--swa-full"), ("embeddings", "--embedding")):
        o += [flag] if s.get(key) else []
    for key, flag in (("offload_kqv", "--no-kv-offload"), ("op_offload", "--no-op-offload"), ("extra_bufts", "--no-repack")):
        o += [flag] if s.get(key) == 0 else []
    for key, flag in (("ngl", "-ngl"), ("main_gpu", "-mg"), ("ncmoe", "--n-cpu-moe")):
        o += [flag, s[key]] if key in s else []
    o += ["-sm", "none"] if s.get("split_mode") == 0 else []
    o += ["-ts", s["ts"].replace("/", ",")] if "ts" in s else []
    o += ["--spec-type", "draft-mtp", "--spec-draft-n-max", s["mtp"]] if "mtp" in s else []
    for p in filter(None, s.get("ot", "").split(";")):
        o += ["-ot", "=".join(p.rsplit("@", 1)).replace("GPU", "CUDA")]
    return [str(x) for x in o]


def plan(program, f, s):
    server = "mtp" in s or s.get("n_outputs_max") and s["n_outputs_max"] == s.get("n_seq_max", 1)
    devices = [x for d in s.get("devs", "").split(",") if d for x in ("--gpu-memory", d + "MiB")] or ["--gpu", "none"]
    r = subprocess.run([program, "plan", str(f), "--engine", "llama.cpp", "--engine-version", VERSION, "--program", "llama-server" if server else "library", "--ram", "64TiB",
                        *devices, "--json", "--", *options(s)], capture_output=True, text=True)
    return (r.returncode, json.loads(r.stdout), "") if r.returncode in (0, 3) else (r.returncode, None, r.stderr.strip())


def merged(layers):
    place, out = lambda d: "gpu" + d[3:] if re.fullmatch(r"GPU\d+", d) else "cpu", []
    for d, a, b in layers:
        if out and out[-1][0] == place(d): out[-1][2] = b
        else: out.append([place(d), a, b])
    return out


def offs(j, truth):
    """(device and kind, bytes off, said to be exact, text) of a plan against {device: [model, context, compute]}."""
    want = {(d, w): b for d, bs in truth.items() for w, b in zip(("model", "context", "compute"), bs) if b}
    got, basis = collections.Counter(), set()
    for x in j["entries"]:
        what = {"weights": "model", "kv_cache": "context", "recurrent_state": "context", "compute": "compute"}.get(x["kind"])
        if what:
            got[x["device"], what] += x["bytes"]
            if what == "compute": basis.add(x["basis"])
    for key in sorted({*want, *got}):
        off = got[key] - want.get(key, 0)
        yield key, off, key[1] != "compute" or "exact" in basis, f"{key[1]} on {key[0]} {got[key]:,}, not {want.get(key, 0):,} ({off / max(want.get(key, 0), 1):+.2%})"


def differences(j, truth):
    return [text for _, off, exact, text in offs(j, truth) if off and exact]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("program")
    ap.add_argument("-v", action="store_true")
    ap.add_argument("--only", default="")
    ap.add_argument("--folder", default=str(pathlib.Path(__file__).resolve().parent / "data" / "llamacpp"))
    a = ap.parse_args()
    folder = pathlib.Path(a.folder)
    rows = collections.defaultdict(list)
    for r in map(json.loads, open(folder / "rows.jsonl")):
        rows[r["model"]].append(r)
    total, bad = collections.Counter(), []
    with tempfile.TemporaryDirectory() as tmp:
        for m in map(json.loads, open(folder / "models.jsonl")):
            if not re.search(a.only, m["name"]):
                continue
            f = pathlib.Path(tmp) / "m.gguf"
            gguf_file.write({**m, "tensors": gguf_file.expanded(m["tensors"])}, f)
            n = collections.Counter()
            def miss(r, what, text):
                bad.append(f"{m['name']} {json.dumps({k: v for k, v in r['settings'].items() if k != 'extra_bufts'})}: {what}: {text}")
                if a.v: print(bad[-1], flush=True)
            for r in rows[m["name"]]:
                n["rows"] += 1
                rc, j, e = plan(a.program, f, r["settings"])
                if not r["ok"]:
                    if re.search("signal|exit|ASSERT", r["error"]): # the library itself crashed: no answer to compare with
                        continue
                    if rc != 1 or "refuses" not in e: miss(r, "refusal", f"{r['error']}: exit {rc} {e}")
                    continue
                if not j:
                    miss(r, "answer", f"exit {rc} {e}")
                    continue
                for key, off, exact, text in offs(j, r["bytes"]):
                    if key[1] != "compute":
                        if off: miss(r, key[1], text)
                        continue
                    n["compute"] += 1; n["equal"] += off == 0; n["near"] += abs(off) <= max(0.02 * r["bytes"].get(key[0], [0] * 3)[2], 128 << 10)
                    n["exact"] += exact
                    if off and exact: miss(r, "compute", text)
                    elif off and a.v: print(f"{m['name']} {r['settings']}: modelled: {text}")
                if (p := [[x["device"], x["first"], x["last"]] for x in j["placement"]]) != merged(r["layers"]):
                    miss(r, "placement", f"{p}, not {merged(r['layers'])}")
            total += n
            print(f"{m['name']:22} {m['arch']:18} {n['rows']:4} rows  compute equal {n['equal']}/{n['compute']}, near {n['near']}/{n['compute']}, stated exact {n['exact']}", flush=True)
    if not a.v:
        print("\n".join(bad[:40]))
    print(f"{total['rows']} rows: compute equal {total['equal']} of {total['compute']}, within 2 % {total['near']}, {len(bad)} wrong")
    sys.exit(1 if bad or not total["rows"] else 0)


if __name__ == "__main__":
    main()
