#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""verify_tool.py PROGRAM CONVERT: `hwledger verify` with stand-ins for llama-fit-params: equal figures, one that differs, one
that hangs up, one that is not there; and the answers of the real one, which must be equal."""
import json, os, pathlib, subprocess, sys, tempfile

program, convert, failed = sys.argv[1], sys.argv[2], []
MIB = 1 << 20

# What llama-fit-params (0c1e57098, on the libraries of v0.5.0, an x86-64 host without a GPU) printed for files that our
# conversion made: -fitp on. What it repacks for the CPU is in none of its figures.
OWN, SLOTS = "-c 4096", "-c 16384 -np 4 -fa off -ub 256"
REAL = [
    ("qwen2.5-0.5b", "Q4_K_M", OWN, "345 48 300"), ("qwen2.5-0.5b", "Q4_K_M", SLOTS, "345 192 151"),
    ("gemma-3-1b", "Q8_0", OWN, "1013 38 516"), ("gemma-3-1b", "Q8_0", SLOTS, "1013 130 259"),
    ("qwen3-30b-a3b", "Q4_K_M", OWN, "4258 384 304"), ("phi-3.5-mini", "Q6_K", SLOTS, "2989 6144 147"),
    ("mistral-7b", "Q5_K_M", OWN, "4892 512 120"), ("gpt-oss-20b", "Q8_0", SLOTS, "21218 432 278"),
    ("deepseek-v2-lite", "Q4_0", OWN, "320 121 240"), ("deepseek-v2-lite", "Q4_0", SLOTS, "320 486 120"),
    ("qwen3-next-80b-a3b", "Q4_K_M", OWN, "10948 171 312"), ("granite-4.0-h-small", "Q4_K_M", OWN, "4023 211 232"),
    ("qwen3.5-9b", "IQ4_NL", OWN, "2027 178 513"), ("llama-3.1-70b", "Q4_K_M", SLOTS, "9223 5120 302"),
    ("minicpm3-4b", "Q4_0", SLOTS, "148 12400 184"), ("kimi-linear-48b-a3b", "Q4_K_M", OWN, "6374 74 342"),
    ("gemma-4-e2b", "Q4_0", OWN, "2494 36 581"), ("falcon-h1-7b", "Q4_K_M", SLOTS, "1194 1239 133"),
]


def tool(folder, name, text):
    p = pathlib.Path(folder, name)
    p.write_text("#!/bin/sh\n" + text)
    p.chmod(0o755)
    return str(p)


def run(*args):
    r = subprocess.run([program, *map(str, args)], text=True, capture_output=True, timeout=60)
    return r.returncode, r.stdout, r.stderr


def check(what, good):
    if not good:
        failed.append(what)
        print("wrong:", what)


with tempfile.TemporaryDirectory() as tmp:
    machine, own = ["--gpu-memory", "24GiB", "--ram", "64GiB"], ["--", "-c", "4096"]
    model = "llama-3.2-1b"
    rc, text, _ = run("plan", model, "--engine", "llama.cpp", "--program", "library", "--json", *machine, *own)
    totals = {}
    for e in json.loads(text)["entries"]:
        column = {"weights": 0, "kv_cache": 1, "recurrent_state": 1, "compute": 2}.get(e["kind"])
        if column is not None:
            totals.setdefault(e["device"], [0, 0, 0])[column] += e["bytes"]
    gpu, cpu = (" ".join(str(n // MIB) for n in totals[d]) for d in ("gpu0", "cpu"))
    asked = f'[ "$*" = "-m {model} -c 4096 -fitp on" ] || exit 3\n'
    rc, out, err = run("verify", model, tool(tmp, "equal", f'{asked}echo words\necho "CUDA0 {gpu}"\necho "Host {cpu}"\n'), *machine, *own)
    check("equal figures", rc == 0 and "6 of 6 figures equal" in out and "differs" not in out)
    rc, out, err = run("verify", model, tool(tmp, "other", f'echo "CUDA0 1 {gpu.split(" ", 1)[1]}"\necho "Host {cpu}"\n'), *machine, *own)
    check("one differs", rc == 0 and "5 of 6 figures equal" in out and out.count("differs") == 1)
    rc, out, err = run("verify", model, tool(tmp, "fails", "exit 1\n"), *machine, *own)
    check("a tool that fails", rc == 1 and "failed" in err)
    rc, out, err = run("verify", model, tool(tmp, "mute", "exit 0\n"), *machine, *own)
    check("a tool without figures", rc == 1 and "no figures" in err)
    rc, out, err = run("verify", model, os.path.join(tmp, "none"), *machine, *own)
    check("no tool", rc == 1 and "is not there" in err)
    rc, out, err = run("verify", model, "--ctx", "4k", *machine)
    check("an option that is not passed on", rc == 2)
    for model, quant, options, figures in REAL:
        f = os.path.join(tmp, "m.gguf")
        made = subprocess.run([convert, model, quant, f], capture_output=True)
        rc, out, err = run("verify", f, tool(tmp, "real", f'echo "Host {figures} "\n'), "--gpu", "none", "--ram", "640GiB", "--", *options.split())
        check(f"{model} {quant} {options}: {out}{err}", made.returncode == 0 and rc == 0 and "3 of 3 figures equal" in out)
print(f"{6 + len(REAL) - len(failed)} of {6 + len(REAL)} right")
sys.exit(bool(failed))
