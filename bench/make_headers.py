#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_headers.py FOLDER: the inputs of headers.py. vocabulary.gguf: 150,000 tokens with scores and types, 150,000 merges,
1,000 tensors, its data a hole. big.safetensors: a header of 12 MB."""
import json
import os
import struct
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def strings(key, items):
    items = list(items)
    return text(key) + struct.pack("<IIQ", 9, 8, len(items)) + b"".join(map(text, items))


n = 150_000
kv = [text("general.architecture") + struct.pack("<I", 8) + text("llama"),
      *(text(f"llama.number_{i}") + struct.pack("<II", 4, i) for i in range(30)),
      strings("tokenizer.ggml.tokens", (f"tok{i * 7919 % n:x}" for i in range(n))),
      text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, n) + bytes(4 * n),
      text("tokenizer.ggml.token_type") + struct.pack("<IIQ", 9, 5, n) + bytes(4 * n),
      strings("tokenizer.ggml.merges", (f"to k{i:x}" for i in range(n)))]
tensors, offset = [], 0
for i in range(1000):
    tensors.append(text(f"blk.{i // 10}.part_{i % 10}.weight") + struct.pack("<IQQIQ", 2, 4096, 4096, 12, offset))
    offset += 4096 * 16 * 144
head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(kv)) + b"".join(kv) + b"".join(tensors)
head += bytes(-len(head) % 32)
with open(os.path.join(folder, "vocabulary.gguf"), "wb") as f:
    f.write(head)
    f.truncate(len(head) + offset)

entries, at, size = {"__metadata__": {"format": "pt"}}, 0, 0
while size < 13_760_000:
    k = len(entries) - 1
    name = f"model.layers.{k // 1000}.mlp.experts.{k % 1000}.down_proj.weight"
    entries[name] = {"dtype": "F8_E4M3", "shape": [1024, 512], "data_offsets": [at, at + 524288]}
    at += 524288
    size += len(name) + 80 + 2 * len(str(at))
raw = json.dumps(entries, separators=(",", ":")).encode()
raw += b" " * (-len(raw) % 8)
with open(os.path.join(folder, "big.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(raw)) + raw)
    f.truncate(8 + len(raw) + at)
print(f"GGUF header {len(head):,} bytes; safetensors header {len(raw):,} bytes, {len(entries) - 1:,} tensors")
