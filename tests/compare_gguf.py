#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_gguf.py GGUF_DUMP: files written by the Python package gguf, read by it and by us, must read equally.
Exits 77 (skipped) where the package is missing: run meson with a python that has it first in PATH or HWL_GGUF_PYTHON."""
import os
import subprocess
import sys
import tempfile

try:
    import gguf
    import numpy as np
except ImportError as e:
    python = os.environ.get("HWL_GGUF_PYTHON")
    if python and os.environ.get("HWL_GGUF_AGAIN") is None:
        os.environ["HWL_GGUF_AGAIN"] = "1"
        os.execv(python, [python, *sys.argv])
    print(f"skipped: {e}; set HWL_GGUF_PYTHON to a python that has the package gguf")
    sys.exit(77)

DUMP = sys.argv[1]
SCALARS = {"uint8": 250, "int8": -5, "uint16": 65000, "int16": -300, "uint32": 4 * 10**9, "int32": -7, "uint64": 2**64 - 1,
           "int64": -2**63, "float32": 1e-5, "float64": 0.1, "bool": True, "string": "text with \u00fc"}


def write(path, big, tensors, **options):
    w = gguf.GGUFWriter(path, "llama", endianess=gguf.GGUFEndian.BIG if big else gguf.GGUFEndian.LITTLE, **options)
    for kind, value in SCALARS.items():
        getattr(w, "add_" + kind)("t." + kind, value)
    w.add_array("tokenizer.ggml.tokens", [f"tok{i}" for i in range(500)] + [""])
    w.add_array("t.ints", [1, -2, 3])
    w.add_array("t.reals", [0.5, 0.25])
    w.add_array("t.bools", [True, False])
    for name, shape, dtype, raw in tensors:
        data = np.zeros(shape, dtype=dtype)
        w.add_tensor(name, data, raw_dtype=raw)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def by_package(path):
    r = gguf.GGUFReader(path)
    version = r.fields["GGUF.version"]
    lines = [f"version {int(version.parts[-1][0])} alignment {r.alignment} data {r.data_offset}"]
    for key, f in r.fields.items():
        if key.startswith("GGUF."):
            continue
        kind, value = f.types[0], f.contents() if f.types[0] != gguf.GGUFValueType.ARRAY else None
        if kind == gguf.GGUFValueType.ARRAY:
            value = f"{int(f.types[1])} {len(f.data)}"
        elif kind in (gguf.GGUFValueType.FLOAT32, gguf.GGUFValueType.FLOAT64):
            value = "%.17g" % value
        elif kind != gguf.GGUFValueType.STRING:
            value = int(value)
        lines.append(f"kv {key} {int(kind)} {value}")
    for t in r.tensors:
        lines.append(f"tensor {t.name} {t.tensor_type.name} {' '.join(str(int(d)) for d in t.shape)} bytes {int(t.n_bytes)} "
                     f"offset {int(t.data_offset) - r.data_offset}")
    return lines


def by_us(path):
    return subprocess.run([DUMP, path], check=True, capture_output=True, encoding="utf-8").stdout.splitlines()


# Every type that both know but Q8_1 (the package counts its block as 40 bytes, ggml's struct has 36).
tensors = [("plain", (3, 5), np.float32, None), ("half", (7,), np.float16, None), ("four", (2, 3, 4, 8), np.int32, None)]
for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
    if block > 1 and kind.name != "Q8_1":
        tensors.append((f"q.{kind.name}", (3, 2 * size), np.uint8, kind))

failed = cases = 0
with tempfile.TemporaryDirectory() as folder:
    for big in False, True:
        path = os.path.join(folder, f"{'big' if big else 'little'}.gguf")
        # The package swaps the bytes of the data, not those of block types: plain tensors only.
        write(path, big, tensors[:3] if big else tensors)
        theirs, ours = by_package(path), by_us(path)
        for a, b in zip(theirs, ours):
            cases += 1
            if a != b:
                failed += 1
                print(f"package: {a}\nours:    {b}")
        if len(theirs) != len(ours):
            failed += 1
            print(f"{path}: package reads {len(theirs)} entries, we {len(ours)}")
    path = os.path.join(folder, "s.gguf")
    write(path, False, [(f"t{i}", (64,), np.float32, None) for i in range(10)], split_max_tensors=4)
    ours = [line for line in by_us(os.path.join(folder, "s-00001-of-00003.gguf")) if line.startswith("tensor")]
    parts = [line for i in (1, 2, 3) for line in by_package(os.path.join(folder, f"s-0000{i}-of-00003.gguf")) if line.startswith("tensor")]
    cases += 1
    if ours != parts or len(ours) != 10:
        failed += 1
        print("split:", *ours, "package:", *parts, sep="\n")
print(f"{cases - failed} passed, {failed} failed")
sys.exit(failed != 0)
