#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_catalogue.py IN.jsonl OUT.c: the model catalogue as const data. Names and aliases must be unique as they are matched:
without case and separators."""
import json
import re
import sys


def c_string(text):
    out = json.dumps(text, ensure_ascii=True)
    out = re.sub(r"\\u([0-9a-f]{4})", lambda m: "".join("\\%03o" % b for b in chr(int(m[1], 16)).encode()), out)
    return out.replace("??", "?\\?")


def main():
    rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8") if line.strip()]
    rows.sort(key=lambda r: r["name"])
    key = lambda s: re.sub(r"[^a-z0-9]", "", s.lower())
    seen = {}
    for r in rows:
        for n in {key(x) for x in [r["name"], r["id"], *r.get("aliases", [])]}:
            if n in seen:
                sys.exit(f"{r['id']} and {seen[n]} are both called {n}")
            seen[n] = r["id"]
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write("/* Generated from data/models/models.jsonl. */\n#include \"source/catalogue.h\"\n\n")
        first = {}  # models of one architecture share one configuration
        for i, r in enumerate(rows):
            # bytes, not a string: ISO C promises no string literals beyond 4,095 characters
            r["text"] = json.dumps(r["config"], separators=(",", ":"), ensure_ascii=True).encode()
            if first.setdefault(r["text"], i) == i:
                f.write("static const char config_%d[] = {%s};\n" % (i, ",".join(map(str, r["text"]))))
        f.write("const struct hwl_catalogue_row hwl_catalogue_table[] = {\n")
        for i, r in enumerate(rows):
            f.write("    {{%s, %s, %s, %s, UINT64_C(%d)}, %d, config_%d},\n" % (c_string(r["name"]), c_string(r["id"]),
                    c_string(",".join(r.get("aliases", []))), c_string(r["family"]), r.get("parameters", 0), len(r["text"]), first[r["text"]]))
        f.write("};\nconst uint32_t hwl_catalogue_n = %d;\n" % len(rows))


main()
