#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_dtypes.py CSV OUT.h OUT.c: the table of element types."""
import csv, sys

rows = [r for r in csv.reader(open(sys.argv[1])) if r and not r[0].startswith("#")]
with open(sys.argv[2], "w") as h:
    h.write("/* Made from data/dtypes.csv. */\n#ifndef HWL_DTYPES_GEN_H\n#define HWL_DTYPES_GEN_H\nenum hwl_dtype {\n    HWL_DTYPE_NONE,\n")
    h.writelines(f"    HWL_DTYPE_{r[0]},\n" for r in rows)
    h.write("    HWL_DTYPE_COUNT\n};\n#endif\n")
with open(sys.argv[3], "w") as c:
    c.write('/* Made from data/dtypes.csv. */\n#include "source/dtype_table.h"\n\n'
            "const struct hwl_dtype_row hwl_dtype_rows[HWL_DTYPE_COUNT] = {\n    [HWL_DTYPE_NONE] = {{\"unknown\", 1, 0, -1, \"\", false}, \"\"},\n")
    for name, block, size, ggml, st, quantised, other in rows:
        c.write(f'    [HWL_DTYPE_{name}] = {{{{"{name}", {block}, {size}, {ggml}, "{st}", {"true" if quantised == "1" else "false"}}}, "{other}"}},\n')
    c.write("};\n")
