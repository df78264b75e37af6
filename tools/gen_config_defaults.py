#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_config_defaults.py IN.csv OUT.h OUT.c: class defaults of configurations as sorted const tables. Names are offsets into one text and
keys are numbers in their order, so that 8,000 defaults take 90 KB and no relocation."""
import csv
import sys

rows = sorted({(r["model_type"], r["key"]): int(r["value"]) for r in csv.DictReader(
    line for line in open(sys.argv[1], encoding="utf-8") if not line.startswith("#"))}.items())
types, keys = sorted({t for (t, _), _ in rows}), sorted({k for (_, k), _ in rows})
number = {k: i for i, k in enumerate(keys)}
assert max(v for _, v in rows) < 1 << 32 and len(rows) < 1 << 16


def table(f, kind, name, values):
    f.write(f"const {kind} {name}[] = {{\n")
    f.writelines("    " + ",".join(map(str, values[i:i + 24])) + ",\n" for i in range(0, len(values), 24))
    f.write("};\n")


def names(f, name, words):
    """The words as one text of bytes, and where each begins."""
    text, at = b"", []
    for word in words:
        at.append(len(text))
        text += word.encode() + b"\0"
    assert len(text) < 1 << 16
    table(f, "char", name, list(text))
    table(f, "uint16_t", name + "_at", at)


with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write(f"""/* Generated from data/config_defaults.csv. */
#ifndef HWL_CONFIG_DEFAULTS_GEN_H
#define HWL_CONFIG_DEFAULTS_GEN_H
#include <stdint.h>
enum {{ hwl_n_default_types = {len(types)}, hwl_n_default_keys = {len(keys)} }};
extern const char hwl_default_type[], hwl_default_key[];                 /* texts, sorted */
extern const uint16_t hwl_default_type_at[], hwl_default_key_at[];       /* where the n-th begins */
extern const uint16_t hwl_default_first[];                               /* of a type; one more than there are types */
extern const uint16_t hwl_default_number[];                              /* of the key of a default */
extern const uint32_t hwl_default_value[];
#endif
""")
first, count = [], 0
for t in types:
    first.append(count)
    count += sum(1 for (u, _), _ in rows if u == t)
with open(sys.argv[3], "w", encoding="utf-8") as f:
    f.write('#include "config_defaults_gen.h"\n')
    names(f, "hwl_default_type", types)
    names(f, "hwl_default_key", keys)
    table(f, "uint16_t", "hwl_default_first", first + [count])
    table(f, "uint16_t", "hwl_default_number", [number[k] for (_, k), _ in rows])
    table(f, "uint32_t", "hwl_default_value", [v for _, v in rows])
