#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_corpus.py FOLDER: writes the seeds of each target. Inputs that fuzzing found lie beside them as found-*."""
import json
import pathlib
import struct
import sys

root = pathlib.Path(sys.argv[1])


def put(folder, name, data):
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / name).write_bytes(data)


class Gguf:
    def __init__(self, version=3, big=False):
        self.version, self.end = version, ">" if big else "<"
        self.kv, self.tensors = [], []

    def num(self, fmt, v):
        return struct.pack(self.end + fmt, v)

    def count(self, n):
        return self.num("I" if self.version == 1 else "Q", n)

    def text(self, s):
        return self.count(len(s)) + s.encode()

    def array(self, kind, items):
        return self.num("I", kind) + self.count(len(items)) + b"".join(items)

    def put(self, key, kind, value):
        self.kv.append(self.text(key) + self.num("I", kind) + value)

    def tensor(self, name, dims, kind, offset):
        self.tensors.append(self.text(name) + self.num("I", len(dims)) + b"".join(map(self.count, dims)) + self.num("I", kind) +
                            self.num("Q", offset))

    def bytes(self, data=0):
        head = b"GGUF" + self.num("I", self.version) + self.count(len(self.tensors)) + self.count(len(self.kv))
        head += b"".join(self.kv) + b"".join(self.tensors)
        return head + b"\0" * (-len(head) % 32 + data)


for version in 1, 2, 3:
    for big in False, True:
        g = Gguf(version, big)
        g.put("general.architecture", 8, g.text("llama"))
        for kind, fmt in enumerate("BbHhIif?"):
            g.put(f"t.{kind}", kind, g.num(fmt, 1))
        for kind, fmt in (10, "Q"), (11, "q"), (12, "d"):
            g.put(f"t.{kind}", kind, g.num(fmt, 1))
        g.put("tokenizer.ggml.tokens", 9, g.array(8, [g.text(t) for t in ("<s>", "", "a")]))
        g.put("llama.attention.head_count_kv", 9, g.array(5, [g.num("i", n) for n in (8, 0, 4)]))
        g.put("nested", 9, g.array(9, [g.array(0, [b"\1", b"\2"]), g.array(8, [g.text("x")])]))
        g.tensor("token_embd.weight", (256, 2), 12, 0)
        g.tensor("output_norm.weight", (8,), 0, 288)
        g.tensor("blk.0.ffn_down_exps.weight", (32, 2, 2), 39, 320)
        put("gguf", f"v{version}{'be' if big else 'le'}.gguf", g.bytes(320 + 68))
g = Gguf()
g.put("split.count", 2, g.num("H", 2))
g.put("general.alignment", 4, g.num("I", 64))
put("gguf", "keys-only.gguf", g.bytes())


def safetensors(header, data=0):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"\0" * data


put("safetensors", "two.safetensors", safetensors({
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
    "b": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [12, 16]}}, 16))
put("safetensors", "f4-scalar.safetensors", safetensors({
    "s": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
    "f": {"dtype": "F4", "shape": [2, 2], "data_offsets": [4, 6]}}, 6))
put("safetensors", "none.safetensors", safetensors({}))
put("safetensors", "overlap.safetensors", safetensors({
    "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
    "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}, 6))

llama = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
         "num_hidden_layers": 4, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
         "max_position_embeddings": 131072, "rope_theta": 500000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16"}
configs = {
    "llama": llama,
    "mixtral": llama | {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2},
    "deepseek": llama | {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "kv_lora_rank": 512,
                         "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
                         "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
                         "first_k_dense_replace": 3, "num_nextn_predict_layers": 1},
    "gemma3": {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
               "text_config": llama | {"model_type": "gemma3_text", "sliding_window": 1024, "sliding_window_pattern": 6,
                                       "layer_types": ["sliding_attention", "full_attention"] * 2},
               "vision_config": {"hidden_size": 1152, "num_hidden_layers": 2, "num_attention_heads": 16, "patch_size": 14,
                                 "image_size": 896, "intermediate_size": 4304}},
    "qwen3-next": llama | {"architectures": ["Qwen3NextForCausalLM"], "model_type": "qwen3_next", "full_attention_interval": 4,
                           "linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_key_head_dim": 128,
                           "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "num_experts": 512},
    "quantised": llama | {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}},
    "odd": llama | {"num_hidden_layers": 2 ** 63, "num_key_value_heads": [1, 2, None], "rope_scaling": None},
}
for name, config in configs.items():
    put("config", f"{name}.json", json.dumps(config).encode())
put("config", "nan.json", b'{"a": NaN, "b": [-Infinity, 1e308], "hidden_size": 1.5, "hidden_size": "x", "\\u0000": {}}')
put("config", "deep.json", b"[" * 70 + b"]" * 70)
