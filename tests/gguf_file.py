# SPDX-License-Identifier: Apache-2.0
"""Writes GGUF v3 files whose tensor data is a hole of the true size, and keeps lists of tensors short."""
import re, struct

# name: (ggml id, elements of a block, bytes of a block)
TYPES = {"f32": (0, 1, 4), "f16": (1, 1, 2), "q4_0": (2, 32, 18), "q5_0": (6, 32, 22), "q8_0": (8, 32, 34), "q4_K": (12, 256, 144),
         "q5_K": (13, 256, 176), "q6_K": (14, 256, 210), "i32": (26, 1, 4), "bf16": (30, 1, 2), "mxfp4": (39, 32, 17)}


def grouped(tensors):
    """[name, type, *dims] with equal "blk.N." tails together: ["blk.{}.x", "0-3,5", type, *dims]; the order is by layer."""
    groups = {}
    for name, *rest in tensors:
        m = re.match(r"blk\.(\d+)\.(.*)", name)
        key = ("blk.{}." + m.group(2) if m else name, *rest)
        groups.setdefault(key, []).append(int(m.group(1)) if m else -1)
    text = lambda ns: "" if ns == [-1] else ",".join(map(str, ns))
    return [[k[0], text(ns), *k[1:]] for k, ns in groups.items()]


def expanded(groups):
    flat = []
    for name, layers, *rest in groups:
        for n in layers.split(",") if layers else [""]:
            flat.append((int(n) if n else -1, [name.replace("{}", n), *rest]))
    return [t for _, t in sorted(flat, key=lambda x: x[0])]


def _text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def _kind(v):
    if isinstance(v, bool):
        return 7, struct.pack("<?", v)
    if isinstance(v, int):
        return (4, struct.pack("<I", v)) if v >= 0 else (5, struct.pack("<i", v))
    if isinstance(v, float):
        return 6, struct.pack("<f", v)
    return 8, _text(v)


def write(spec, path):
    md = {"general.architecture": spec["arch"], **spec["metadata"]}
    head = []
    for k, v in md.items():
        if isinstance(v, list):
            items = [_kind(x) for x in v]
            head.append(_text(k) + struct.pack("<IIQ", 9, items[0][0], len(v)) + b"".join(x[1] for x in items))
        else:
            t, b = _kind(v)
            head.append(_text(k) + struct.pack("<I", t) + b)
    at = 0
    for name, t, *dims in spec["tensors"]:
        i, block, size = TYPES[t]
        n = 1
        for d in dims:
            n *= d
        head.append(_text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, i, at))
        at += (n // block * size + 31) // 32 * 32
    data = b"GGUF" + struct.pack("<IQQ", 3, len(spec["tensors"]), len(md)) + b"".join(head)
    data += b"\0" * (-len(data) % 32)
    with open(path, "wb") as f:
        f.write(data)
        f.truncate(len(data) + at)
