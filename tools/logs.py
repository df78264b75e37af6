#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""logs.py TRUTH_FOLDER [-v]: every collected start-up log through `hwledger explain-log`, planned against logged.

The collections hold figures, not texts, so each row is written in the words that the engine of its time prints. A figure
that explain-log does not find again is an error. Exit 1 where one is lost."""
import ast, json, os, pathlib, re, shlex, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GIB = 1 << 30


def exe():
    for p in (os.environ.get("HWLEDGER"), ROOT / "build" / "hwledger", ROOT / "bld" / "hwledger"):
        if p and pathlib.Path(p).exists():
            return str(p)
    sys.exit("logs.py: build/hwledger is not there; run ./run first")


def rows(path):
    return [json.loads(l) for l in path.read_text().splitlines() if l.strip()] if path.exists() else []


def vllm_h100(r):
    """vLLM 0.19 with debug lines: (text, {figure: value})."""
    t, want = [f"INFO 04-01 10:00:00 [utils.py:233] non-default args: {r['non_default_args']}"], {}
    if r.get("tp"):
        t.append(f"INFO 04-01 10:00:01 [core.py:105] Initializing a V1 LLM engine (v{r['vllm']}) with config: model='{r['model']}', "
                 f"speculative_config=None, dtype=torch.{r['dtype']}, max_seq_len={r['max_model_len']}, tensor_parallel_size={r['tp']}, "
                 f"pipeline_parallel_size={r['pp']}, data_parallel_size={r['dp']}, quantization={r['quantization']}, "
                 f"enforce_eager={r['enforce_eager']}, kv_cache_dtype={r['kv_cache_dtype']}, device_config=cuda")
    if r.get("max_num_batched_tokens"):
        t.append(f"INFO 04-01 10:00:01 [scheduler.py:239] Chunked prefill is enabled with max_num_batched_tokens={r['max_num_batched_tokens']}.")
    for w in r.get("weights_gib_ranks") or []:
        t.append(f"INFO 04-01 10:00:09 [gpu_model_runner.py:4820] Model loading took {w} GiB memory and 3.123456 seconds")
        want["weights_bytes"] = max(want.get("weights_bytes", 0), w * GIB)
    for p in r.get("profile_ranks") or []:
        t.append(f"DEBUG 04-01 10:00:20 [gpu_worker.py:432] Memory profiling takes 3.10 seconds. Total non KV cache memory: {p['non_kv_gib']}GiB; "
                 f"torch peak memory increase: {p['torch_peak_gib']}GiB; non-torch forward increase memory: {p['non_torch_gib']}GiB; "
                 f"weights memory: {p['weights_gib']}GiB.")
        want["peak_activation_bytes"] = max(want.get("peak_activation_bytes", 0), p["torch_peak_gib"] * GIB)
        want["non_torch_bytes"] = max(want.get("non_torch_bytes", 0), p["non_torch_gib"] * GIB)
    for a in r.get("kv_available_gib_ranks") or []:
        t.append(f"INFO 04-01 10:00:21 [gpu_worker.py:436] Available KV cache memory: {a} GiB")
        want["available_kv_bytes"] = a * GIB
    if r.get("kv_tokens"):
        t.append(f"INFO 04-01 10:00:21 [kv_cache_utils.py:1319] GPU KV cache size: {r['kv_tokens']:,} tokens")
        want["kv_cache_tokens"] = r["kv_tokens"]
    if r.get("max_concurrency"):
        t.append(f"INFO 04-01 10:00:21 [kv_cache_utils.py:1324] Maximum concurrency for {r['max_model_len']:,} tokens per request: {r['max_concurrency']}x")
        want["max_concurrency"] = r["max_concurrency"]
    for g in r.get("cuda_graph_gib_ranks") or []:
        if g:
            t.append(f"INFO 04-01 10:00:30 [gpu_worker.py:597] CUDA graph pool memory: {g['actual']} GiB (actual), {g['estimated']} GiB (estimated), difference: 0.0 GiB (1.0%).")
            want["graph_bytes"] = g["actual"] * GIB
    if r.get("init") and r.get("gpu_memory_utilization"):
        t.append(f"INFO 04-01 10:00:31 [gpu_worker.py:640] Free memory on device cuda:0 ({r['init']['free_gib']}/{r['init']['total_gib']} GiB) on startup. "
                 f"Desired GPU memory utilization is ({r['gpu_memory_utilization']}, {r['requested_gib']} GiB).")
    t += [f"ERROR 04-01 10:00:40 {e.strip()}" for e in r.get("errors") or []]
    return "\n".join(t) + "\n", want


def version_of(r):
    """The logged release, or the one that was current on the day that the note states."""
    if r.get("vllm_version"):
        return r["vllm_version"]
    m = re.search(r"(20\d\d)-(\d\d)", r.get("note", ""))
    if not m:
        return "0.11.0" if "old token formula" in r.get("note", "") else None
    day = m.group(1) + m.group(2)
    for until, v in (("202502", "0.6.6"), ("202507", "0.8.5"), ("202512", "0.11.2"), ("202604", "0.18.1"), ("202605", "0.20.0"), ("202606", "0.22.0"),
                     ("202607", "0.23.0"), ("202608", "0.24.0"), ("202609", "0.27.1")):
        if day < until:
            return v
    return "0.29.0"


# endings by which a log's model says what its weights are
ENDINGS = {"fp8": "-fp8-static", "fp8-block": "-fp8", "w8a8": "-quantized.w8a8", "gptq": "-gptq"}


# what each check of starts.jsonl vouches for
PREDICTED = "available_kv_bytes kv_cache_tokens num_gpu_blocks max_concurrency peak_activation_bytes non_torch_bytes graph_bytes consumed_bytes activation_and_graph_bytes".split()
TERMS_OF = {"log": ["requested_bytes_sum", "available_kv_bytes_sum", "max_concurrency_sum"], "given": ["kv_cache_tokens_exact"], "weights": ["weights_bytes"], "predicted": PREDICTED,
            "concurrency": [], "tokens": [], "block": ["block_size"], "verdict": [], "needed": [], "peak": ["peak_activation_bytes"]}


def known_starts():
    """What tests/data/vllm/starts.jsonl found out of each row: model, release, options."""
    return {r["origin"]: r for r in rows(ROOT / "tests" / "data" / "vllm" / "starts.jsonl")}


def vllm_any(r, start=None):
    """A row of any release, in the words of V0 or V1."""
    f, g, t, want = r["flags"], r["log"], [], {}
    v = version_of(r)
    if start:
        v = start["version"]
        f = {}
        r = {**r, "model": start["model"] + ENDINGS.get(start.get("quant"), "")}
        t.append(f"vllm serve {shlex.quote(r['model'])} " + " ".join(map(shlex.quote, start["args"])))
    args = {k: x for k, x in f.items() if k not in ("speculative", "graph_profile", "max_cudagraph_captures", "gpu_memory_utilization_note") and not (isinstance(x, str) and x.endswith("+"))}
    if not start:
        t.append(f"INFO non-default args: {dict(model=r['model'], **args)!r}")
    if v:
        t.append(f"INFO Initializing {'an' if r['engine'] == 'v0' else 'a V1'} LLM engine (v{v}) with config: model='{r['model']}'")

    def put(key, name, text, scale=1):
        if isinstance(g.get(key), (int, float)):
            t.append(text.format(g[key]))
            want[name] = g[key] * scale
    old = r["engine"] == "v0"
    put("model_load_gib", "weights_bytes", "INFO Loading model weights took {} GB" if old else "INFO Model loading took {} GiB memory and 9.1 seconds", GIB)
    put("weights_gib", "weights_bytes", "INFO model weights take {}GiB; " if old else "INFO Actual usage is {} GiB for weight,", GIB)
    if "consumed_gib" in g:
        put("activation_peak_gib", "activation_and_graph_bytes", "INFO Actual usage is 1 GiB, {} GiB for peak activation, and 0 GiB.", GIB)
    else:
        put("activation_peak_gib", "peak_activation_bytes", "INFO PyTorch activation peak memory takes {}GiB;" if old else "INFO {} GiB for peak activation, then more", GIB)
    put("non_torch_gib", "non_torch_bytes", "INFO non_torch_memory takes {}GiB;" if old else "INFO {} GiB for non-torch memory,", GIB)
    put("consumed_gib", "consumed_bytes", "INFO Actual usage is {} GiB for consumed memory (weights + non-torch),", GIB)
    put("available_kv_gib", "available_kv_bytes", "INFO the rest of the memory reserved for KV Cache is {}GiB." if old else "INFO Available KV cache memory: {} GiB", GIB)
    put("graph_gib", "graph_bytes", "INFO Graph capturing finished in 20 secs, took {} GiB", GIB)
    put("graph_estimate_gib", "graph_estimate_bytes", "INFO Estimated CUDA graph memory: {} GiB total", GIB)
    put("kv_blocks", "num_gpu_blocks", "INFO # GPU blocks: {}, # CPU blocks: 2048")
    if isinstance(g.get("kv_cache_tokens"), int):
        t.append(f"INFO GPU KV cache size: {g['kv_cache_tokens']:,} tokens")
        want["kv_cache_tokens"] = g["kv_cache_tokens"]
    if g.get("max_concurrency") and g.get("concurrency_at_len"):
        t.append(f"INFO Maximum concurrency for {g['concurrency_at_len']:,} tokens per request: {g['max_concurrency']}x")
        want["max_concurrency"] = g["max_concurrency"]
    if g.get("outcome") == "oom":
        t.append("ERROR torch.OutOfMemoryError: CUDA out of memory.")
    if g.get("outcome") == "refused":
        t.append("ERROR ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.")
    return "\n".join(t) + "\n", want


def collected():
    """{origin: (model, {key: value}) or reason} of tests/data/sglang/collected.txt."""
    found = {}
    for l in (ROOT / "tests" / "data" / "sglang" / "collected.txt").read_text().splitlines():
        if l.startswith("none "):
            origin, _, reason = l[5:].partition(": ")
            found[origin] = reason
        elif l.startswith("plan "):
            _, origin, model, *more = l.split()
            found[origin] = (model, dict(m.split("=", 1) for m in more))
    return found


def sglang_any(r, model, known):
    """A row in the words of SGLang; known: what tests/data/sglang/collected.txt says beside it."""
    f, g, t, want = r["flags"], r["log"], [], {}
    names = {"tp": "tp_size", "dp": "dp_size", "context_len": "context_length"}
    m = re.match(r"20\d\d-\d\d-\d\d", known.get("date") or r.get("note", ""))
    day = m[0] if m else "2023-01-01"  # older than any release: the newest one's rules
    if known.get("version"):
        t.append(f"[{day} 10:00:00] sglang version: {known['version']}")
    args = {names.get(k, k): v for k, v in f.items()}
    if known.get("flags"):
        words = known["flags"].split(",")
        args.update(zip((w[2:].replace("-", "_") for w in words[::2]), words[1::2]))
    t.append(f"[{day} 10:00:00] server_args=ServerArgs(" + ", ".join([f"model_path='{model}'"] + [f"{k}={v!r}" for k, v in args.items()]) + ")")

    def one(x):
        return x[0] if isinstance(x, list) else x

    def put(key, name, text, scale=GIB):
        if isinstance(g.get(key), (int, float)):
            t.append(f"[{day} 10:00:01] " + text.format(g[key]))
            want[name] = g[key] * scale
    put("weight_begin_avail_gb", "free_before_bytes", "Load weight begin. avail mem={:.2f} GB")
    if g.get("weight_load_avail_gb"):
        usage = f", mem usage={g['weight_mem_usage_gb']:.2f} GB" if g.get("weight_mem_usage_gb") else ""
        put("weight_load_avail_gb", "free_after_bytes", "Load weight end. type=X, dtype=torch.bfloat16, avail mem={:.2f} GB" + usage + ".")
        if usage:
            want["weights_bytes"] = g["weight_mem_usage_gb"] * GIB
    if g.get("mamba_cache_size"):
        t.append(f"[{day} 10:00:10] Mamba Cache is allocated. max_mamba_cache_size: {g['mamba_cache_size']}, conv_state size: {g['conv_state_gb']:.2f}GB, ssm_state size: {g['ssm_state_gb']:.2f}GB")
        want["mamba_slots"] = g["mamba_cache_size"]
        want["ssm_state_bytes"] = g["ssm_state_gb"] * GIB
    if g.get("kv_cache_tokens"):
        sizes = f", K size: {g['k_size_gb']:.2f} GB, V size: {g['v_size_gb']:.2f} GB" if "k_size_gb" in g else f", KV size: {g['kv_size_gb']:.2f} GB" if "kv_size_gb" in g else ""
        t.append(f"[{day} 10:00:11] KV Cache is allocated. #tokens: {one(g['kv_cache_tokens'])}{sizes}")
        want["kv_cache_tokens"] = one(g["kv_cache_tokens"])
    put("pool_end_avail_gb", "pool_end_avail_bytes", "Memory pool end. avail mem={:.2f} GB") if not isinstance(g.get("pool_end_avail_gb"), list) else None
    if g.get("max_total_num_tokens"):
        t.append(f"[{day} 10:00:20] max_total_num_tokens={g['max_total_num_tokens']}, max_prefill_tokens={g.get('max_prefill_tokens', 16384)}")
        want["kv_cache_tokens"] = min(want.get("kv_cache_tokens", 1 << 60), g["max_total_num_tokens"])
    put("graph_capture_gb", "graph_bytes", "Capture cuda graph end. Time elapsed: 3.10 s. mem usage={:.2f} GB. avail mem=3.00 GB.")
    return "\n".join(t) + "\n", want


def projector_from(buffers):
    """Index of the first buffer that is the image projector's: a GPU's compute buffer behind the host's, which ends a context's."""
    host = False
    for i, b in enumerate(buffers):
        if b["what"] != "compute":
            continue
        if host and "CPU" not in b["backend"] and "Host" not in b["backend"]:
            return i
        host = host or "CPU" == b["backend"] or b["backend"].endswith("_Host")
    return len(buffers)


def llamacpp_any(r):
    """A row in the words of its era: command line, metadata, devices, buffers, caches, the memory table."""
    s, h, t, want = r.get("settings") or {}, r.get("hparams") or {}, [], {}
    build = re.sub(r"^b?(\d+)-(\w+).*", r"\1 (\2)", r.get("build") or "").lstrip("b")
    program = r.get("program") or ""
    if re.match(r"\d+ \(|\d{4,}", build):
        t.append(f"build: {build.replace(',', '')} with cc for x86_64-linux-gnu")
    elif re.search(r"\((\d{4,})\)", build):
        t.append(f"build: {re.search(r'[(]([0-9]+)[)]', build)[1]} with cc")
    line = s.get("command_line") or ""
    if " -" in line or line.startswith("-"):
        line = line[line.index("-") if line.startswith("-") else line.index(" -"):]
        t.append("$ " + (program.split()[0].split("/")[0] if program.startswith("llama") else "llama-server") + " " + line.strip().replace("\n", " "))
    if "server" in program:
        t.append("main: server is listening on 127.0.0.1:8080")
    model = (r.get("model_file") or "").strip()
    if model:
        t.append(f"llama_model_loader: loaded meta data with 30 key-value pairs from {model} (version GGUF V3 (latest))")
    for k, v in (("arch", r.get("arch")), ("n_layer", r.get("n_layer")), *h.items(), ("model type", None), ("file type", r.get("file_type")), ("model params", r.get("n_params")),
                 ("file size", f"{r['model_size_gib']:.2f} GiB (4.50 BPW)" if r.get("model_size_gib") else None), ("general.name", r.get("model"))):
        if v is not None:
            t.append(f"print_info: {k:16} = {v}")
    seen = []
    for b in (r.get("buffers") or []) + [{"backend": b.get("device", "")} for b in r.get("breakdown_mib") or []]:
        d = re.sub(r"_(Mapped|Private|Split)$", "", b["backend"])
        if not re.search(r"Host|CPU|^$", d) and d not in seen:
            seen.append(d)
    if len(seen) != len(r.get("gpus") or []):
        seen = [] if any("device" not in g for g in r.get("gpus") or []) and seen else seen
    for i, g in enumerate(r.get("gpus") or []):
        device = g.get("device") or (sorted(seen)[i] if i < len(seen) else None)
        if g.get("free_mib") and device:
            t.append(f"llama_model_load_from_file_impl: using device {device} ({g['name']}) (unknown id) - {g['free_mib']:.0f} MiB free")
    if r.get("offloaded"):
        t.append(f"load_tensors: offloaded {r['offloaded']} layers to GPU")
    for k in ("n_seq_max", "n_ctx", "n_ctx_seq", "n_ctx_per_seq", "n_batch", "n_ubatch", "flash_attn", "kv_unified", "n_rs_seq", "n_outputs_max"):
        if k in s:
            v = str(s[k]).lower() if isinstance(s[k], bool) else s[k]
            t.append(f"llama_context: {k:13} = {str(v).replace('->enabled', '').replace('->disabled', '')}")
    if s.get("flash_attn") == "auto" and s.get("flash_attn_resolved"):
        t.append(f"llama_context: Flash Attention was auto, set to {s['flash_attn_resolved']}")
    for k in r.get("kv") or []:
        types = re.findall(r"\b([A-Z]) ?\((\w+)\)[: ]*([0-9.]+)", k.get("tag") or "")
        sizes = ", ".join(f"{n} ({ty}): {float(m):7.2f} MiB" for n, ty, m in types)
        rec = any(n == "R" for n, _, _ in types)
        if k.get("cells") and k.get("layers") and k.get("mib") is not None:
            t.append(f"llama_{'memory_recurrent' if rec else 'kv_cache'}: size = {k['mib']:7.2f} MiB ({k['cells']:6} cells, {k['layers']:3} layers, {k.get('seqs') or s.get('n_seq_max', 1)} seqs)" + (", " + sizes if sizes else ""))
    for k in r.get("kv") or []:
        if "c^KV" in (k.get("tag") or ""):
            t.append(f"llama_new_context_with_model: KV self size  = {k['mib']:7.2f} MiB, K^R (f16): 0.00 MiB, c^KV (f16): {k['mib']:7.2f} MiB")
    if s.get("type_k"):
        n = max((k.get("layers") or 0 for k in r.get("kv") or []), default=0)
        t.append(f"llama_kv_cache_unified: kv_size = {s.get('n_ctx', 0)}, type_k = '{s['type_k']}', type_v = '{s.get('type_v', s['type_k'])}', n_layer = {n}, can_shift = 1, padding = 256")
    if s.get("pipeline_parallelism") or s.get("pipeline_copies") or (s.get("sched_copies") or s.get("n_copies") or 1) > 1:
        t.append(f"llama_context: pipeline parallelism enabled (n_copies={s.get('sched_copies') or s.get('pipeline_copies') or s.get('n_copies') or 4})")
    word = {"model": "load_tensors: {:>12} model", "kv": "llama_kv_cache: {:>10} KV", "rs": "llama_memory_recurrent: {:>10} RS", "compute": "sched_reserve: {:>10} compute", "output": "llama_context: {:>10}  output"}
    name = {"model": "weights_bytes", "kv": "kv_cache_bytes", "rs": "recurrent_state_bytes", "compute": "compute_bytes", "output": "output_bytes"}
    buffers = r.get("buffers") or []
    table = {}
    projector = projector_from(buffers)
    own = any(b["what"] == "context" for b in buffers)
    for i, b in enumerate(buffers):
        if not isinstance(b.get("mib"), (int, float)):
            continue
        if own:
            table.setdefault(b["backend"], {})[b["what"]] = round(b["mib"])
        elif i >= projector:
            t.append(f"alloc_compute_meta: {b['backend']:>10} compute buffer size = {b['mib']:8.2f} MiB")
            want[f"projector_compute_bytes {b['backend']}"] = round(b["mib"], 2) * (1 << 20)
        elif b["what"] in word:
            t.append(word[b["what"]].format(b["backend"]) + f" buffer size = {b['mib']:8.2f} MiB")
            want[f"{name[b['what']]} {b['backend']}"] = round(b["mib"], 2) * (1 << 20)
    for b in r.get("breakdown_mib") or [] if not buffers else []:
        if all(isinstance(b.get(k), (int, float)) for k in ("model", "context", "compute")):
            table.setdefault(b["device"], {k: round(b[k]) for k in ("model", "context", "compute")})
    for device, m in table.items():
        gpu = next((g for g in r.get("gpus") or [] if g.get("device", device) == device), {})
        own = sum(m.get(k, 0) for k in ("model", "context", "compute"))
        cells = f"{own} = {m.get('model', 0)} + {m.get('context', 0)} + {m.get('compute', 0)}"
        if device == "Host":
            t.append(f"llama_memory_breakdown_print: |   - Host      | {cells:>40} |")
        else:
            t.append(f"llama_memory_breakdown_print: |   - {device} ({gpu.get('name', 'GPU')}) | {round(gpu.get('total_mib') or 0)} = {round(gpu.get('free_mib') or 0)} + ({cells}) + 300 |")
        for k, w in (("model", "weights_bytes"), ("context", "context_bytes"), ("compute", "compute_bytes")):
            want[f"{w} {device}"] = m.get(k, 0) * (1 << 20)
    return "\n".join(t) + "\n", want


def configs(truth):
    found = {}
    for f in (truth.parent / "facts" / "models.jsonl", truth / "vllm_oracle" / "models.jsonl"):
        for m in rows(f):
            found[m["id"].lower()] = m["config"]
    return found


class Runner:
    def __init__(self, truth):
        self.exe, self.configs, self.tmp = exe(), configs(truth), pathlib.Path(tempfile.mkdtemp())

    def explain(self, text, model="", gpus=()):
        p = self.tmp / "start.log"
        p.write_text(text)
        args = [self.exe, "explain-log", str(p)]
        c = self.configs.get(model.lower())
        if c:
            d = self.tmp / re.sub(r"\W", "_", model)
            d.mkdir(exist_ok=True)
            (d / "config.json").write_text(json.dumps(c))
            args.append(str(d))
        for g in gpus:
            args += g
        r = subprocess.run([*args, "--json"], text=True, capture_output=True, timeout=60)
        return (json.loads(r.stdout) if r.returncode == 0 and r.stdout else None), r.stderr.strip()

    def gpu(self, r):
        """Options that say the row's cards; the log itself seldom does."""
        n = r.get("n_gpu") or 1
        name = (r.get("gpu") or "").split("(")[0].strip()
        if name and "class" not in r["gpu"] and not name.endswith("GB") and subprocess.run([self.exe, "plan", "llama-3.1-8b", "--gpu", f"{name}x{n}", "--json"], capture_output=True).returncode in (0, 3):
            return [["--gpu", f"{name}x{n}"]]
        return [["--gpu-memory", f"{int(r['gpu_total_gib'] * GIB)}x{n}"]] if r.get("gpu_total_gib") else []


def lost(doc, want):
    """Figures of the row that were not read again."""
    bad = []
    for k, v in want.items():
        name, _, device = k.partition(" ")
        if not any(f["name"] == name and (not device or f.get("device") == device) and abs(f["value"] - v) <= max(f["rounding"], 1e-9 * abs(v), 1e-3) * 1.01 for f in doc["figures"]):
            bad.append(k)
    return bad


def survey(truth):
    """Yields (collection, name, document or None, lost figures, error)."""
    run = Runner(truth)
    for r in rows(truth / "vllm_h100_logs.jsonl"):
        text, want = vllm_h100(r)
        doc, err = run.explain(text, r["model"])
        yield "vLLM 0.19.0, H100", f"{r['model']}{' tp%d' % r['tp'] if r.get('tp') else ''}{' pp%d' % r['pp'] if r.get('pp', 1) and r.get('pp', 1) > 1 else ''}{' (failed)' if r['failed'] else ''}", doc, lost(doc, want) if doc else list(want), err
    starts = known_starts()
    for r in rows(truth / "vllm_logs.jsonl"):
        start = starts.get(r["url"])
        checks = start.get("checks", []) if start else []
        named = start if start and "model" in start else None
        cards = run.gpu(r)
        if "predicted" in checks or "verdict" in checks:
            cards = [["--gpu-memory", start["gpu"][4:]] if start["gpu"].startswith("mem:") else ["--gpu", start["gpu"]]]
        text, want = vllm_any(r, named)
        doc, err = run.explain(text, r["model"] if not start else "", cards)
        if doc and start:
            doc["terms"] = [t for t in doc["terms"] if any(t["name"] in TERMS_OF[c] for c in ["log", *checks])]
            err = start.get("open", err)
        version = named["version"] if named else version_of(r)
        yield "vLLM, all releases and cards", f"{named['model'] if named else r['model']} [{r.get('gpu') or '?'} x {r.get('n_gpu') or '?'}, {version or '?'}]", doc, lost(doc, want) if doc else list(want), err
    known = collected()
    for r in rows(truth / "sglang_logs.jsonl"):
        said = known.get(r["url"], "not in tests/data/sglang/collected.txt")
        model, more = (r["model"], {}) if isinstance(said, str) else said
        text, want = sglang_any(r, model, more)
        folder = ROOT / "tests" / "data" / "sglang" / model
        doc, err = run.explain(text, "" if folder.is_dir() else model, run.gpu(r) + ([[str(folder)]] if folder.is_dir() else []))
        missing = lost(doc, want) if doc else list(want)
        if doc and isinstance(said, str):
            doc["terms"], doc["notes"], err = [], [said], ""
        if doc and more.get("only"):
            doc["terms"] = [x for x in doc["terms"] if x["name"] in more["only"].split(",")]
        yield "SGLang", f"{r['model']} [{r.get('gpu') or '?'} x {r.get('n_gpu') or '?'}]", doc, missing, err
    for r in rows(truth / "llamacpp_logs" / "rows.jsonl"):
        if r["engine"] not in ("llama.cpp", "ik_llama.cpp") and not (r["engine"] == "ollama" and r.get("buffers")):  # of Ollama's own engine no model is named
            continue
        text, want = llamacpp_any(r)
        doc, err = run.explain(text, "")
        yield "Ollama" if r["engine"] == "ollama" else "llama.cpp", f"{r.get('model')} {r.get('file_type') or ''} [{r.get('backend')}, {r.get('build') or '?'}]", doc, lost(doc, want) if doc else list(want), err


COLUMNS = [("weights_bytes", "weights"), ("peak_activation_bytes", "activation"), ("activation_and_graph_bytes", "activation and graphs"), ("non_torch_bytes", "non-torch"), ("consumed_bytes", "consumed"),
           ("graph_bytes", "graphs"), ("available_kv_bytes", "cache bytes"), ("kv_cache_tokens", "tokens"), ("kv_cache_tokens_exact", "tokens, bytes given"),
           ("kv_cache_bytes", "cache"), ("compute_bytes", "compute"), ("output_bytes", "output")]


BUFFERS = ("llama.cpp", "Ollama")  # what prints each buffer to a hundredth of a MiB


def why_not(doc, err):
    """One short reason for a log that was not planned."""
    text = (err or "; ".join(doc["notes"]) if doc else err).replace("hwledger: not planned: ", "").replace("hwledger: ", "").split("; did you mean")[0]
    for words, reason in (("no such file, cached model or catalogue name", "the model is not named, or its configuration is not known"),
                          ("names no device", "the card is not named"), ("what its GPUs are", "the cards are not named")):
        if words in text:
            return reason
    return text[:120].replace("|", " ")


def off(t):
    """Planned against logged, beyond what the printed digits leave open."""
    d = t["planned"] - t["logged"]
    return 0.0 if abs(d) <= t.get("rounding", 0) * 1.001 else (abs(d) - t.get("rounding", 0)) * (1 if d > 0 else -1) / t["logged"]


# What explains a difference in llama.cpp's logs beside the term's own meaning, as explain-log notes it.
NOTED = ("come nearest", "is left out", "no line states the context", "is of a back end", "another mixture of types", "makes a context for each", "does not say the file type")


def why(doc):
    """Why figures stay off by more than 2 % (compute, output) or at all (weights, caches): the meanings of those terms."""
    bad = [t for t in doc["terms"] if t["logged"] and abs(off(t)) > (0.02 if t["name"] in ("compute_bytes", "output_bytes") else 0.0005)]
    words = list(dict.fromkeys(t["meaning"] for t in sorted(bad, key=lambda t: -abs(off(t)))))[:2]
    if bad:
        words += [n for n in doc["notes"] if any(w in n for w in NOTED)][:2]
    return "; ".join(words).replace("|", " ")


def markdown(truth):
    """Every log, planned against logged in percent; a collection at a time."""
    out, tables, verdicts, right = [], {}, 0, 0
    for kind, name, doc, _, err in survey(truth):
        cells, reason = {}, "" if doc and doc["terms"] else why_not(doc, err)
        for t in doc["terms"] if doc else []:
            if t["logged"] and t["name"] in dict(COLUMNS):
                cells.setdefault(t["name"], []).append(off(t) if kind in BUFFERS else t["planned"] / t["logged"] - 1)
        tables.setdefault(kind, []).append((name, cells, reason, why(doc) if doc and kind in BUFFERS else ""))
        if doc and kind.startswith("vLLM") and not any("is left out" in n for n in doc["notes"]) and not reason:
            verdicts += 1
            right += not any("the plan says that it" in n or "says that it fits" in n for n in doc["notes"])
    for kind, lines in tables.items():
        used = [(k, w) for k, w in COLUMNS if any(k in c for _, c, _, _ in lines)]
        reasons_shown = any(w for _, _, _, w in lines)
        known = [x for x in lines if not x[2]]
        out += [f"### {kind}: {len(lines)} logs, {len(known)} with enough facts to plan", ""]
        if known:
            out += ["| log | " + " | ".join(w for _, w in used) + (" | why |" if reasons_shown else " |"), "|---" * (len(used) + 1 + reasons_shown) + "|"]
        for name, cells, _, w in known:
            out.append("| " + name.replace("|", " ") + " | " + " | ".join(max((f"{x:+.1%}" for x in cells.get(k, [])), key=lambda x: abs(float(x[:-1])), default="") for k, _ in used) + (f" | {w} |" if reasons_shown else " |"))
        reasons = {}
        for _, _, reason, _ in lines:
            if reason:
                reasons[reason] = reasons.get(reason, 0) + 1
        out += [""] + [f"- not planned, {n}: {r}" for r, n in sorted(reasons.items(), key=lambda x: -x[1])] + [""]
    out += [f"Verdict of vLLM (started or refused) as logged: {right} of {verdicts}.", ""]
    return out


def main():
    truth, verbose = pathlib.Path(sys.argv[1]), "-v" in sys.argv
    n = bad = planned = 0
    errors = {}
    for kind, name, doc, missing, err in survey(truth):
        n += 1
        bad += bool(missing) or doc is None
        if missing or doc is None:
            print(f"{kind}: {name}: {'not read: ' + err if doc is None else 'lost ' + ', '.join(missing)}")
        if not doc:
            continue
        planned += bool(doc["terms"])
        for t in doc["terms"]:
            if t["logged"]:
                errors.setdefault((kind, t["name"]), []).append(t["planned"] / t["logged"] - 1)
        if verbose:
            print(f"{kind}: {name}: " + ("; ".join(f"{t['name']}{' ' + t['device'] if t.get('device') else ''} {t['planned'] / t['logged'] - 1:+.1%}" for t in doc["terms"] if t["logged"]) or "not planned: " + (err or "; ".join(doc["notes"]))))
    for (kind, name), e in sorted(errors.items()):
        a = sorted(map(abs, e))
        print(f"{kind}: {name}: median {statistics.median(a):.1%} p90 {a[int(0.9 * (len(a) - 1))]:.1%} worst {a[-1]:.1%} of {len(a)}")
    print(f"logs: {n} read, {planned} planned, {bad} with a figure lost")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
