#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of hwledger plan in terminals of 60 to 200 columns: verdict first, no line too wide, nothing lost that a wider one shows,
figures those of --json, colour on terminals alone."""
import fcntl, itertools, json, os, pty, re, shlex, struct, subprocess, sys, termios

PROGRAM = sys.argv[1]
PLANS = [
    "llama-3.1-8b --gpu RTX4090 --engine vllm",
    "llama-3.1-8b --gpu RTX3060 --engine ollama",
    "mixtral-8x7b --gpu RTX4090 --engine llama.cpp --quant Q4_K_M --ctx 8k --program library",
    "mixtral-8x7b --gpu RTX4090 --gpu RTX3060 --gpu H100 --gpu A100-80GB --gpu RTX3090 --engine llama.cpp --ctx 32k",
    "deepseek-v3 --gpu H100x8 --tp 8 --engine vllm",
    "llama-3.1-70b --gpu H100 --engine tensorrt-llm",
    "llama-3.1-70b --gpu A100-80GBx8 --engine sglang",
    "gemma-3-27b --gpu RTX4090 --engine transformers",
    "qwen3-30b-a3b --gpu none --quant Q4_K_M --engine llama.cpp",
    "qwen2.5-32b --engine mlx --gpu M2Ultra192",
]
COLOUR = re.compile(r"\033\[[0-9;]*m")
n = 0


def terminal(width, arguments, **env):
    pid, fd = pty.fork()
    if not pid:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
        os.execve(PROGRAM, ["hwledger", *arguments], keep | {"TERM": "xterm-256color"} | env)
    out = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        out += part
    os.close(fd)
    os.waitpid(pid, 0)
    return out.decode().replace("\r\n", "\n")


def one_line(text):
    """All words in order, wrapping undone."""
    return " ".join(text.replace("\\\n", " ").split())


def gib(n):
    return "0.00" if not n else "<0.01" if n < 2**30 / 200 else f"{n / 2**30:.2f}"


for line in PLANS:
    arguments = ["plan", *shlex.split(line), "--ram", "64GiB", "--advice"]
    plan = json.loads(subprocess.run([PROGRAM, *arguments, "--json"], capture_output=True, text=True).stdout)
    piped = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True).stdout
    assert not COLOUR.search(piped)
    for width in (60, 80, 120, 200):
        coloured = terminal(width, arguments)
        text = COLOUR.sub("", coloured)
        lines = text.splitlines()
        widest = max(lines, key=len)
        assert len(widest) <= width, f"{line}: {len(widest)} in {width}\n{widest}"
        assert COLOUR.match(coloured), "the verdict is in colour"
        assert lines[0].startswith({"fits": "FITS ok", "tight": "FITS, TIGHT", "exceeds": "DOES NOT FIT"}[plan["verdict"]]), lines[0]
        plain = terminal(width, arguments, NO_COLOR="1")
        assert plain == text, "NO_COLOR takes colour alone"
        words = one_line(text)
        for kind, total in plan["totals"].items():
            if total:
                rows = [r for r in lines if re.match(rf"[WKSCOV] {dict(kv_cache='KV cache', recurrent_state='state').get(kind, kind)} ", r)]
                assert rows and any(gib(total) in r.split() for r in rows), (line, width, kind, gib(total))
        for d in plan["devices"]:
            if d["used_bytes"]:
                assert f"{gib(d['used_bytes'])} of {gib(d['usable_bytes'])} GiB" in words, (line, width, d["id"])
                assert d["name"] in words, (line, width, d["name"])
        bases = {e["basis"] for e in plan["entries"]}
        assert all(b in words for b in bases), (line, width, bases)
        for a in plan["advice"]:
            assert one_line(a["cost"]) in words, (line, width, a["cost"])
        for label in ("model", "engine", "cache", "limits", "command", "note"):
            wide = [p for p in itertools.takewhile(lambda p: not p.startswith("advice"), piped.splitlines()) if p.startswith(label + " ")]
            for p in wide:
                assert one_line(p) in words, (line, width, p)
        n += 1
print(f"{n} tables, 0 failed")
