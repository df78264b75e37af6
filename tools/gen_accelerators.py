#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_accelerators.py data/accelerators.csv OUT.c: the table of accelerators as a const C array.

usable_bytes is what the driver gives a program (program_bytes) where it was seen. Where it was not, it is estimated
here, the one place: see estimate()."""
import csv
import re
import sys

MIB = 1 << 20

# What the driver keeps of a card's memory before a program sees it. NVIDIA: nvidia-smi's total less the total that CUDA gives,
# seen between 347 MiB (RTX 4090) and 616 MiB (H200); the H100's 469 MiB stands for all. AMD: 16 MiB on each card seen
# (MI300X, RX 7900, W7900). Intel: 64 MiB (Arc A750).
RESERVED_MIB = {"NVIDIA": 469, "AMD": 16, "Intel": 64}


def estimate(row):
    box = int(row["marketing_bytes"])
    if row["vendor"] == "Apple":
        # recommendedMaxWorkingSetSize: two thirds up to 36 GB, three quarters above
        return box * 2 // 3 if box <= 36 << 30 else box * 3 // 4
    if row["kind"] == "unified":
        return box
    total = int(row["smi_mib"]) * MIB if row["smi_mib"] else box
    return total - RESERVED_MIB.get(row["vendor"], 0) * MIB


def text(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'


def scaled(s, unit):
    return str(round(float(s) * unit)) if s else None


def line(row):
    unknown = "HWL_UNKNOWN"
    known = row["program_bytes"]
    usable = known or (str(estimate(row)) if row["marketing_bytes"] else None)
    major, _, minor = (row["compute"] or "0.0").partition(".")
    number = lambda s: s + "u" if s else unknown
    fields = [
        text(row["name"]), text(row["vendor"]), number(row["marketing_bytes"]), number(known), number(usable),
        number(scaled(row["bandwidth_gb_s"], 1e9)), (scaled(row["fp16_tflops"], 1000) or "0") + "u", major + "u", minor + "u",
        (row["sm"] or "0") + "u", (row["year"] or "0") + "u", "HWL_BACKEND_" + row["backend"].upper(), "HWL_DEVICE_" + row["kind"].upper(),
    ]
    return "    {{%s}, %s}," % (", ".join(fields), text(row["aliases"]))


def main():
    source, target = sys.argv[1:3]
    with open(source, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    names = [re.sub(r"[^a-z0-9]", "", r["name"].lower()) for r in rows]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        sys.exit(f"{source}: twice: {', '.join(sorted(twice))}")
    with open(target, "w", encoding="utf-8") as out:
        out.write("/* Made by tools/gen_accelerators.py from data/accelerators.csv. */\n#include \"device/catalogue.h\"\n\n")
        out.write("const struct hwl_accelerator_row hwl_accelerator_rows[] = {\n")
        out.writelines(line(r) + "\n" for r in rows)
        out.write("};\nconst uint32_t hwl_n_accelerator_rows = %d;\n" % len(rows))


if __name__ == "__main__":
    main()
