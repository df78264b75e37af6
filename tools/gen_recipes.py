#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_recipes.py OUT.c IN.txt...: the architectures written as text (docs/adding-an-architecture.md) as a table of families.
`use NAME` is replaced by the lines of `block NAME`; comments and indentation go. Equal lines are kept once, and a byte from 128 on
stands for one of the words that save most."""
import collections
import re
import sys

LINES = {"w", "b", "f", "t", "x", "s", "set", "as", "text", "vision", "audio", "projector", "plain", "model", "layers", "tie", "refuse",
         "each", "if", "else", "end", "under", "attn", "dense", "moe", "mamba", "mamba2", "mla", "share", "gdn", "kda", "linear",
         "index", "rwkv", "predict", "short_conv", "use"}
families, blocks, current = [], {}, None


def fault(path, number, text):
    sys.exit(f"{path}:{number}: {text}")


def lines_of(body, seen=()):
    for path, number, line in body:
        head, _, name = line.partition(" ")
        if head != "use":
            yield line
            continue
        if name not in blocks or name in seen:
            fault(path, number, f"no block {name}, or one within itself")
        yield from lines_of(blocks[name], (*seen, name))


for path in sys.argv[2:]:
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = " ".join(line.split("#  ")[0].split()) if not line.lstrip().startswith("# ") else ""
        if not line:
            continue
        head, _, rest = line.partition(" ")
        if head == "family":
            current = []
            families.append({"types": rest, "classes": None, "when": None, "first": False, "body": current})
        elif head in ("class", "class!"):
            families[-1]["classes"] = rest
            families[-1]["first"] = head == "class!"
        elif head == "when":
            families[-1]["when"] = rest
        elif head == "block":
            current = blocks.setdefault(rest, [])
        elif head not in LINES or current is None:
            fault(path, number, f"unknown line {line}")
        else:
            current.append((path, number, line))

types = [t for f in families for t in f["types"].split()]
assert len(types) == len(set(types)), sorted(t for t in types if types.count(t) > 1)
recipes = [list(lines_of(row["body"])) for row in families]
lines = sorted({line for r in recipes for line in r})
assert len(lines) < 0xffff and all(line.isascii() for line in lines)
split = [re.findall(r"[\w.]+|[^\w.]", line) for line in lines]
saved = collections.Counter(word for line in split for word in line)
words = sorted(saved, key=lambda word: -saved[word] * (len(word) - 1) + len(word))[:127]
code = {word: bytes([128 + i]) for i, word in enumerate(words)}


def table(f, kind, name, values):
    f.write(f"const {kind} {name}[] = {{\n")
    f.writelines("    " + ",".join(map(str, values[i:i + 32])) + ",\n" for i in range(0, len(values), 32))
    f.write("};\n")


def texts(f, name, kind, parts):
    """Bytes ended by 0 each, and where each begins."""
    at = [0]
    for part in parts:
        at.append(at[-1] + len(part) + 1)
    table(f, "uint8_t", name, list(b"\0".join(parts) + b"\0"))
    table(f, kind, name + "_at", at[:-1])


with open(sys.argv[1], "w", encoding="utf-8") as f:
    f.write('/* Generated from data/recipes. */\n#include "arch/family.h"\n#include "arch/recipe.h"\n')
    texts(f, "hwl_recipe_word", "uint16_t", [word.encode() for word in words])
    texts(f, "hwl_recipe_line", "uint32_t", [b"".join(code.get(word, word.encode()) for word in line) for line in split])
    number = {line: i for i, line in enumerate(lines)}
    for i, r in enumerate(recipes):
        f.write("static ")
        table(f, "uint16_t", f"hwl_recipe_{i}", [number[line] for line in r] + [0xffff])
    f.write("const struct hwl_family hwl_families_recipes[] = {\n")
    for i, row in enumerate(families):
        classes = f'"{row["classes"]}"' if row["classes"] else "NULL"
        f.write(f'    {{"{row["types"]}", {classes}, NULL, NULL, hwl_recipe_{i}}},\n')
    f.write("    {NULL, NULL, NULL, NULL, NULL},\n};\nconst struct hwl_family_rule hwl_family_rules[] = {\n")
    for i, row in enumerate(families):
        if row["when"]:
            kind, key = row["when"].split()
            f.write(f'    {{"{kind}", "{key}", NULL, {i}}},\n')
        if row["first"]:
            f.write(f'    {{NULL, NULL, "{row["classes"]}", {i}}},\n')
    f.write("    {NULL, NULL, NULL, 0},\n};\n")
