#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_config_defaults.py IN.csv OUT.h OUT.c: class defaults of configurations as a sorted const table."""
import csv
import sys

rows = sorted({(r["model_type"], r["key"]): int(r["value"]) for r in csv.DictReader(
    line for line in open(sys.argv[1], encoding="utf-8") if not line.startswith("#"))}.items())
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write("/* Generated from data/config_defaults.csv. */\n#ifndef HWL_CONFIG_DEFAULTS_GEN_H\n#define HWL_CONFIG_DEFAULTS_GEN_H\n"
            "#include <stdint.h>\nstruct hwl_config_default {\n    const char *type, *key;\n    uint64_t value;\n};\n"
            f"enum {{ hwl_n_config_defaults = {len(rows)} }};\n"
            "extern const struct hwl_config_default hwl_config_defaults[];\n#endif\n")
with open(sys.argv[3], "w", encoding="utf-8") as f:
    f.write('#include "config_defaults_gen.h"\nconst struct hwl_config_default hwl_config_defaults[] = {\n')
    for (t, k), v in rows:
        f.write(f'    {{"{t}", "{k}", {v}u}},\n')
    f.write("};\n")
