#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""verify_tool.py PROGRAM: `hwledger verify` with stand-ins for llama-fit-params: equal figures, one that differs, one that
hangs up, one that is not there."""
import json, os, pathlib, subprocess, sys, tempfile

program, failed = sys.argv[1], []
MIB = 1 << 20


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
print(f"{6 - len(failed)} of 6 right")
sys.exit(bool(failed))
