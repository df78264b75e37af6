#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_architectures.py HWLEDGER INVENTORY.json: header-only files of many architectures, read by the Python packages and by us.

safetensors: the tensors of each inventory case with two layers, data a hole of the true size. GGUF: a decoder's tensors under the
names of many architectures, in several types. Bytes, tensor counts and elements must be equal. Exits 77 without the packages."""
import json, os, pathlib, struct, subprocess, sys, tempfile

try:
    import gguf
    import numpy
    from safetensors import safe_open
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)

EXE, INVENTORY = sys.argv[1:3]
bad, n = [], 0
SIZE = {"F16": 2, "BF16": 2, "F32": 4, "F8_E4M3": 1}


def inspect(path):
    r = subprocess.run([EXE, "inspect", str(path), "--json"], text=True, capture_output=True, timeout=60)
    return json.loads(r.stdout) if r.returncode == 0 else {"error": r.stderr.strip()}


def same(what, got, want):
    if got != want:
        bad.append(f"{what}: {got}, not {want}")


def safetensors_case(folder, case, i):
    header, at = {}, 0
    for j, line in enumerate(case["tensors"]):
        name, *dims = line.split()
        dims = [int(d) for d in dims]
        dtype = ("BF16", "F16", "F32")[(i + j) % 3 if j % 7 == 0 else 0]
        size = SIZE[dtype]
        for d in dims:
            size *= d
        header[name] = {"dtype": dtype, "shape": dims, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = folder / "model.safetensors"
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + at)
    (folder / "config.json").write_text(json.dumps(case["config"]))
    total = elements = count = 0
    with safe_open(str(path), "np") as f:
        for k in f.keys():
            s = f.get_slice(k)
            e = 1
            for d in s.get_shape():
                e *= d
            total += e * SIZE[s.get_dtype()]
            elements += e
            count += 1
    j = inspect(folder)
    kind = case["config"].get("model_type")
    same(f"safetensors {kind} bytes", j.get("weights_bytes", j), total)
    same(f"safetensors {kind} tensors", j.get("tensors"), count)


def gguf_case(folder, arch, types):
    L, h, heads, kv, ff, vocab = 2, 512, 8, 4, 1024, 1000
    path = folder / "m.gguf"
    w = gguf.GGUFWriter(str(path), arch)
    w.add_block_count(L)
    w.add_context_length(2048)
    w.add_embedding_length(h)
    w.add_feed_forward_length(ff)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_layer_norm_eps(1e-5)
    w.add_vocab_size(vocab)
    w.add_sliding_window(256)
    w.add_key_length(h // heads)
    w.add_value_length(h // heads)
    Q = gguf.GGMLQuantizationType
    names = [("token_embd.weight", vocab, h), ("output_norm.weight", h), ("output.weight", vocab, h)]
    for i in range(L):
        b = f"blk.{i}."
        names += [(b + "attn_norm.weight", h), (b + "attn_q.weight", h, h), (b + "attn_k.weight", h // 2, h), (b + "attn_v.weight", h // 2, h),
                  (b + "attn_output.weight", h, h), (b + "ffn_norm.weight", h), (b + "ffn_gate.weight", ff, h), (b + "ffn_up.weight", ff, h),
                  (b + "ffn_down.weight", h, ff)]
    for k, (name, *shape) in enumerate(names):
        q = Q.F32 if len(shape) == 1 else Q[types[k % len(types)]]
        block, size = gguf.GGML_QUANT_SIZES[q]
        nbytes = size
        for d in shape:
            nbytes *= d
        nbytes //= block
        raw = [*shape[:-1], shape[-1] // block * size]
        w.add_tensor(name, numpy.zeros(raw, numpy.uint8) if q not in (Q.F32, Q.F16) else numpy.zeros(shape, numpy.float32 if q == Q.F32 else numpy.float16),
                     raw_dtype=q if q not in (Q.F32, Q.F16) else None)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    r = gguf.GGUFReader(str(path))
    j = inspect(path)
    same(f"gguf {arch} bytes", j.get("weights_bytes", j), int(sum(t.n_bytes for t in r.tensors)))
    same(f"gguf {arch} tensors", j.get("tensors"), len(r.tensors))
    same(f"gguf {arch} elements", j.get("parameters"), int(sum(t.n_elements for t in r.tensors)))


seen = set()
with tempfile.TemporaryDirectory() as tmp:
    for i, case in enumerate(json.load(open(INVENTORY))["cases"]):
        kind = case["config"].get("model_type")
        if kind in seen or not case.get("tensors") or case["config"].get("num_hidden_layers", 99) > 2:
            continue
        seen.add(kind)
        d = pathlib.Path(tmp) / f"s{i}"
        d.mkdir()
        safetensors_case(d, case, i)
        n += 1
    ARCHS = ("llama qwen2 qwen3 gemma gemma2 gemma3 phi3 olmo2 granite starcoder2 stablelm command-r internlm2 orion xverse smollm3 exaone "
             "seed_oss baichuan arcee glm4 nemotron").split()
    TYPES = (["F16"], ["Q4_K", "Q6_K"], ["Q8_0"], ["Q4_0", "Q5_1"], ["IQ4_NL", "IQ4_XS"], ["BF16"], ["Q2_K", "Q3_K"], ["MXFP4"], ["TQ2_0", "TQ1_0"], ["IQ3_S", "IQ2_XXS"])
    for i, arch in enumerate(ARCHS):
        d = pathlib.Path(tmp) / f"g{i}"
        d.mkdir()
        gguf_case(d, arch, TYPES[i % len(TYPES)])
        n += 1
for b in bad:
    print(b)
print(f"{n} files, {len(seen)} safetensors architectures, {len(bad)} differences")
sys.exit(bool(bad or len(seen) < 20))
