#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llamacpp_truth.py --oracle BIN --lib LIBDIR [--only REGEX] [--cases fast|all]: what the real llama.cpp library allocates for
the small models of llamacpp_models.py. Writes tests/data/llamacpp/models.jsonl (files to rebuild) and rows.jsonl (answers).
BIN is a program that loads the library's public interface with mock devices; see docs/testing.md."""
import argparse, collections, ctypes.util, json, pathlib, re, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]
import gguf_file, llamacpp_models

BIG = "400000"
# The list of tensors comes from a load without any: the count check at its end must not end it.
STUB = "void _ZNK18llama_model_loader20done_getting_tensorsEb(void *a, int b) { (void)a; (void)b; }\n"
PLAIN = re.compile(r"norm|ffn_gate_inp|altup|laurel|per_layer_model_proj|ssm_conv1d|shortconv\.conv|time_mix_(first|w[0-2]|v[0-2]|a[0-2]|g[0-2]|decay_w|lerp|ln|k_k|r_k|k_a)|attn_rel_b|"
                   r"position_embd|token_types|rope_f|conv1d|ssm_a$|ssm_d$|\.bias$|sinks|indexer\.proj|hc_|compressor_ape|ssm_conv|exp_probs")


def type_of(name, dims, types):
    for pattern, t in types.items():
        if re.search(pattern, name):
            return t
    if len(dims) < 2 or PLAIN.search(name) or dims[0] % 32:
        return "f32"
    if dims[0] % 256:
        return "q5_0"
    return "q6_K" if re.search(r"ffn_down|^output\.weight|attn_v\.", name) else "q4_K"


class Library:
    def __init__(self, oracle, lib, folder):
        self.oracle, self.lib, self.folder = oracle, lib, pathlib.Path(folder)
        (self.folder / "stub.c").write_text(STUB)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.folder / "stub.so", self.folder / "stub.c"], check=True)

    def required(self, arch, md, given):
        f = self.folder / "enum.gguf"
        gguf_file.write({"arch": arch, "metadata": md, "tensors": given}, f)
        r = subprocess.run([self.oracle, self.lib, "enum", f], capture_output=True, text=True, env={"LD_PRELOAD": str(self.folder / "stub.so")})
        try:
            return json.loads(r.stdout)
        except ValueError:
            raise SystemError((re.findall(r"error loading model.*", r.stderr) or [r.stderr[-300:]])[-1])

    def run(self, f, settings):
        r = subprocess.run([self.oracle, self.lib, "run", f] + [f"{k}={v}" for k, v in settings.items()], capture_output=True, text=True)
        try:
            d = json.loads(r.stdout)
        except ValueError:
            return {"ok": False, "error": r.stderr.strip()[-200:] or f"exit {r.returncode}"}
        if not d["ok"]:
            said = [s for s in d["log"] if re.search("error|fail|requires|does not support", s)]
            d["error"] = ([s for s in said if "loading model" in s] or said or d["log"] or [""])[-1]
        return d


def spec_of(lib, m):
    md = {}
    for k, v in m["metadata"].items():
        md[k if k.split(".")[0] in ("general", "tokenizer", "xielu") else f"{m['arch']}.{k}"] = v
    md["tokenizer.ggml.model"] = "no_vocab"
    given = [[t[0], "f32", *t[1:]] for t in m["add"] if m["given"]]
    drafts, layers = m["metadata"].get("nextn_predict_layers", 0), m["metadata"]["block_count"]
    plain = md
    if drafts: # of an empty file the library takes no layer for sure: ask for the model without draft layers
        plain = {k: v for k, v in md.items() if not k.endswith("nextn_predict_layers")} | {m["arch"] + ".block_count": layers - drafts}
    listed = lib.required(m["arch"], plain, given)
    tensors = {t[0]: [t[0], *t[2:]] for t in listed if not any(re.search(d, t[0]) for d in m["drop"])}
    for i in range(layers - drafts, layers): # a draft layer is built like the last one
        like, embd = f"blk.{layers - drafts - 1}.", m["metadata"]["embedding_length"]
        for t in [t for n, t in tensors.items() if n.startswith(like)] + [["nextn.eh_proj.weight", 2 * embd, embd], ["nextn.enorm.weight", embd], ["nextn.hnorm.weight", embd]]:
            name = f"blk.{i}." + t[0].removeprefix(like)
            tensors[name] = [name, *t[1:]]
    for t in m["add"]:
        tensors.setdefault(t[0], list(t))
    tensors = tensors.values()
    return {"arch": m["arch"], "metadata": md, "tensors": [[n, type_of(n, d, m["types"]), *d] for n, *d in tensors]}


def cases(spec, every):
    layers = spec["metadata"][spec["arch"] + ".block_count"]
    gpu, moe = {"devs": BIG}, any(k.endswith(".expert_count") for k in spec["metadata"])
    if not spec["metadata"].get(spec["arch"] + ".attention.causal", True) or spec["arch"] == "gemma-embedding":
        e = {"embeddings": 1}
        return [{**e, "n_ctx": 512, "n_batch": 512}, {**e, "n_ctx": 512, "n_batch": 512, **gpu}, {**e, "n_ctx": 2048, "n_batch": 2048, "n_ubatch": 2048, "fa": "off", **gpu},
                {**e, "n_ctx": 8192, "n_batch": 8192, "n_ubatch": 8192, "n_seq_max": 4, "kv_unified": 1, **gpu}, {**e, "n_ctx": 8192, "n_seq_max": 16, **gpu}]
    c = [{"n_ctx": 512}, {"n_ctx": 4096, "fa": "off", "n_ubatch": 64}, {"n_ctx": 8192, **gpu}, {"n_ctx": 8192, "fa": "off", **gpu},
         {"n_ctx": 32768, "type_k": "q8_0", "type_v": "q8_0", **gpu}, {"n_ctx": 32768, "n_seq_max": 4, "kv_unified": 1, "n_outputs_max": 4, **gpu},
         {"n_ctx": 65536, "n_seq_max": 16, "n_ubatch": 2048, **gpu}, {"devs": f"{BIG},{BIG}", "n_ctx": 8192}, {"devs": BIG, "ngl": layers // 2, "n_ctx": 8192},
         {"n_ctx": 16384, "offload_kqv": 0, **gpu}]
    if every:
        c += [{"n_ctx": 32768, "n_seq_max": 4, "type_k": "q8_0", "type_v": "q8_0", "fa": "on"}, {"n_ctx": 131072, "n_ubatch": 2048, **gpu},
              {"n_ctx": 65536, "n_seq_max": 16, "kv_unified": 1, "fa": "off", "n_ubatch": 64, **gpu}, {"n_ctx": 32768, "swa_full": 1, **gpu},
              {"n_ctx": 10000, "n_ubatch": 300, "n_batch": 700, **gpu}, {"n_ctx": 16384, "n_seq_max": 4, "kv_unified": 1, "n_outputs_max": 4},
              {"n_ctx": 4096, "extra_bufts": 1}, {"n_ctx": 131072, "type_k": "q4_0", "type_v": "q4_0", "n_ubatch": 64, **gpu}, {"n_ctx": 32768, "type_k": "q8_0", "fa": "off", **gpu},
              {"devs": f"{BIG},{BIG}", "ts": "3/1", "n_ctx": 32768, "n_ubatch": 1024}, {"devs": ",".join([BIG] * 4), "n_ctx": 16384, "n_seq_max": 4, "kv_unified": 1},
              {"devs": ",".join([BIG] * 8), "n_ctx": 16384, "fa": "off"}, {"devs": BIG, "ngl": layers, "n_ctx": 8192}, {"devs": BIG, "ngl": 1, "n_ctx": 8192}, {"devs": BIG, "ngl": 0, "n_ctx": 8192},
              {"devs": f"{BIG},{BIG}", "ngl": layers // 2 + 1, "n_ctx": 8192}, {"devs": BIG, "ngl": layers // 2, "n_ctx": 8192, "op_offload": 0},
              {"devs": f"{BIG},{BIG}", "split_mode": 0, "main_gpu": 1, "n_ctx": 8192}, {"devs": BIG, "ot": r"ffn_(up|down).*@CPU", "n_ctx": 8192},
              {"devs": f"{BIG},{BIG}", "ot": r"blk\.[02468]\.ffn_.*@GPU1;output\.weight@GPU0", "n_ctx": 8192}, {"devs": BIG, "n_ctx": 8192, "extra_bufts": 1, "ngl": layers // 3},
              {"devs": BIG, "ngl": layers - 3, "n_ctx": 32768, "n_seq_max": 4, "kv_unified": 1, "n_outputs_max": 4, "offload_kqv": 0}]
    if moe:
        c += [{"devs": BIG, "ncmoe": layers, "n_ctx": 32768}]
    if spec["metadata"].get(spec["arch"] + ".nextn_predict_layers") and spec["arch"] in ("qwen35", "qwen35moe"):
        c += [{"n_ctx": 8192, "mtp": 3, **gpu}, {"n_ctx": 32768, "mtp": 2, "n_seq_max": 4, "kv_unified": 1, **gpu}, {"n_ctx": 8192, "mtp": 3, "n_ubatch": 2048, "fa": "off", **gpu},
              {"n_ctx": 16384, "mtp": 1, "devs": f"{BIG},{BIG}"}, {"n_ctx": 8192, "mtp": 3, "devs": BIG, "ngl": layers // 2}, {"n_ctx": 4096, "mtp": 3}]
    if moe and every:
        c += [{"devs": BIG, "ncmoe": layers // 2, "n_ctx": 32768, "n_ubatch": 2048}, {"devs": f"{BIG},{BIG}", "ot": r"ffn_.*_exps@CPU", "n_ctx": 32768, "type_k": "q8_0", "type_v": "q8_0"}]
    return c


def layers_of(log):
    runs = []
    for s in log:
        if m := re.search(r"load_tensors: layer\s+(\d+) assigned to device (\w+)", s):
            il, dev = int(m.group(1)), m.group(2)
            if runs and runs[-1][0] == dev and runs[-1][2] + 1 == il: runs[-1][2] = il
            else: runs.append([dev, il, il])
    return runs


def mtp_runs(s):
    """What llama-server makes of --spec-type draft-mtp: the model with states to roll back to, and a context on its MTP layers."""
    n, seqs = s["mtp"], s.get("n_seq_max", 1)
    s = {k: v for k, v in s.items() if k != "mtp"}
    return [{**s, "load_mtp": 1, "n_rs_seq": n, "n_outputs_max": seqs * (1 + n)}, {**s, "load_mtp": 1, "ctx_type": 1, "n_outputs_max": seqs}]


def row(lib, f, name, settings):
    s = {"extra_bufts": 0, **settings}
    if "mtp" in s:
        own, draft = (row(lib, f, name, x) for x in mtp_runs(s))
        if not own["ok"] or not draft["ok"]:
            return {**(own if not own["ok"] else draft), "settings": s}
        both = {k: list(v) for k, v in own["bytes"].items()}
        for k, v in draft["bytes"].items(): # one set of weights
            at = both.setdefault(k, [0, 0, 0])
            both[k] = [at[0], at[1] + v[1], at[2] + v[2]]
        return {**own, "settings": s, "bytes": both}
    d = lib.run(f, s)
    r = {"model": name, "settings": s, "ok": d["ok"]}
    if not d["ok"]:
        return {**r, "error": re.sub(r"\s+", " ", str(d["error"])).replace(str(f), "FILE")[:160]}
    real = lib.run(f, {**s, "no_alloc": 0, "load_mode": 1}) if not s["extra_bufts"] else {"ok": False}
    at = collections.defaultdict(lambda: [0, 0, 0])
    place = lambda b: "gpu" + b[3:] if re.fullmatch(r"GPU\d+", b) else "cpu"
    for b in d["breakdown"]:
        at[place(b["backend"])][0] += b["model"]
    for b in (real if real["ok"] else d)["breakdown"]:
        for i, w in ((1, "context"), (2, "compute")):
            at[place(b["backend"])][i] += b[w]
    return {**r, "n_ctx": d["n_ctx"], "layers": layers_of(d["log"]), "bytes": {k: v for k, v in sorted(at.items()) if any(v)}}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--oracle", required=True)
    ap.add_argument("--lib", required=True)
    ap.add_argument("--only", default="")
    ap.add_argument("--cases", default="fast")
    ap.add_argument("--out", default=str(ROOT / "tests" / "data" / "llamacpp"))
    a = ap.parse_args()
    out = pathlib.Path(a.out)
    models, rows = {}, collections.defaultdict(list)
    if (out / "models.jsonl").exists():
        models = {m["name"]: m for m in map(json.loads, open(out / "models.jsonl"))}
        for r in map(json.loads, open(out / "rows.jsonl")):
            rows[r["model"]].append(r)
    with tempfile.TemporaryDirectory() as tmp:
        lib = Library(a.oracle, a.lib, tmp)
        for name, m in llamacpp_models.MODELS.items():
            if not re.search(a.only, name):
                continue
            try:
                spec = spec_of(lib, m)
            except SystemError as e:
                print(f"{name}: {e}")
                continue
            f = pathlib.Path(tmp) / "m.gguf"
            gguf_file.write(spec, f)
            got = [row(lib, f, name, c) for c in cases(spec, a.cases == "all")]
            errors = collections.Counter(r["error"] for r in got if not r["ok"])
            print(f"{name}: {len(got)} rows" + "".join(f"\n  {n} x {e}" for e, n in errors.items()), flush=True)
            if len(errors) and not any(r["ok"] for r in got) and not re.search("unsupported model|ctx_other", next(iter(errors))):
                continue
            models[name] = {"name": name, "arch": m["arch"], "metadata": spec["metadata"], "tensors": gguf_file.grouped(spec["tensors"])}
            rows[name] = got
    order = [n for n in llamacpp_models.MODELS if n in models]
    with open(out / "models.jsonl", "w") as f:
        for n in order:
            f.write(json.dumps(models[n], separators=(",", ":")) + "\n")
    with open(out / "rows.jsonl", "w") as f:
        for n in order:
            for r in rows[n]:
                f.write(json.dumps(r, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
