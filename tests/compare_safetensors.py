#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_safetensors.py HWLEDGER: files written by the safetensors package, read by both; hostile headers that both must refuse."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import numpy
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save_file
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)

CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
          "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100, "torch_dtype": "float16", "tie_word_embeddings": False}


def inspect(folder):
    r = subprocess.run([sys.argv[1], "inspect", folder, "--json"], text=True, capture_output=True, timeout=60)
    return r.returncode, json.loads(r.stdout) if r.returncode == 0 else None, r.stderr


def tensors():
    z = lambda *shape: numpy.zeros(shape, numpy.float16)
    t = {"model.embed_tokens.weight": z(100, 64), "lm_head.weight": z(100, 64), "model.norm.weight": z(64)}
    for i in range(2):
        p = f"model.layers.{i}."
        t |= {p + "input_layernorm.weight": z(64), p + "post_attention_layernorm.weight": z(64)}
        for name, out, n in (("self_attn.q", 64, 64), ("self_attn.k", 32, 64), ("self_attn.v", 32, 64), ("self_attn.o", 64, 64),
                             ("mlp.gate", 128, 64), ("mlp.up", 128, 64), ("mlp.down", 64, 128)):
            t[p + name + "_proj.weight"] = z(out, n)
    return t


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        folder = pathlib.Path(tmp)
        (folder / "config.json").write_text(json.dumps(CONFIG))
        file = folder / "model.safetensors"
        save_file(tensors(), file)
        with safe_open(file, "np") as f:
            shapes = {k: f.get_slice(k).get_shape() for k in f.keys()}
        count = sum(int(numpy.prod(s)) for s in shapes.values())
        rc, j, err = inspect(folder)
        got = j and (j["parameters"], j["weights_bytes"], j["tensors"])
        if got != (count, 2 * count, len(shapes)):
            print(f"read {got}, not {(count, 2 * count, len(shapes))}: {err}")
            bad += 1
        one = lambda *a: {"dtype": "F32", "shape": [1], "data_offsets": list(a)}
        for what, head, size in (("hole", {"a": one(4, 8)}, 8), ("overlap", {"a": one(0, 4), "b": one(2, 6)}, 6), ("cut", {"a": one(0, 4)}, 3),
                                 ("rest", {"a": one(0, 4)}, 5), ("size", {"a": one(0, 8)}, 8), ("order", {"a": one(4, 0)}, 4)):
            text = json.dumps(head).encode()
            file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))
            try:
                safe_open(file, "np").keys()
                refused = False
            except (SafetensorError, OSError):
                refused = True
            rc, _, err = inspect(folder)
            if (rc == 1) != refused or len(err.strip().splitlines()) > 1:
                print(f"{what}: exit {rc} ({err.strip()}), safetensors {'refuses' if refused else 'reads'}")
                bad += 1
    print(f"safetensors: {bad} differences")
    return bad != 0


sys.exit(main())
