#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scenarios.py [HWLEDGER]: six servers that people ask about, planned by vLLM's rules, and each plan's own command line planned
again, which must give the same tokens. Prints a markdown table; write_accuracy.py puts it into docs/accuracy.md."""
import json, pathlib, shlex, subprocess, sys

# What is public of each: (model, devices, ranks, what others printed).
SCENARIOS = [
    ("deepseek-v3", "H200x8", 8, "the 44.67 GB that a start-up logged give its 635,648 tokens; weights 79.5 GiB a rank"),
    ("llama-3.1-405b-fp8", "H100-80GBx8", 8, "57.752 GiB a rank with the 16 KV heads of July 2024, 0.985 GiB of them gone since"),
    ("qwen3-235b-a22b-fp8", "H100-80GBx4", 4, "a start-up of 0.10.0 (vllm-project/vllm/issues/21348, above): tokens +4.8 %"),
    ("gpt-oss-120b", "H100-80GB", 1, "0.10.1 logged 65.97 GiB loaded and refused to start"),
    ("glm-4.5-air", "H100-80GBx2", 2, "99.6 GiB of weights for 79.2 GiB a card"),
    ("llama-3.3-70b", "A100-80GBx2", 2, "65.74 GiB of weights a rank; nothing public prints its tokens"),
]
GIB = 1 << 30


def plan(program, model, gpu, *more):
    r = subprocess.run([program, "plan", model, "--engine", "vllm", "--gpu", gpu, "--json", *more], text=True, capture_output=True)
    return json.loads(r.stdout)


def markdown(program):
    out = ["| server | verdict | weights, GiB a rank | tokens | longest context | same from its own command line | what is public |", "|---|---|---|---|---|---|---|"]
    for model, gpu, tp, public in SCENARIOS:
        j = plan(program, model, gpu, "--tp", str(tp))
        v = j["engine_view"]
        again = "nothing left to pin"
        if v["kv_cache_tokens"]:
            b = plan(program, model, gpu, "--", *shlex.split(j["command"])[3:])["engine_view"]
            again = "yes" if b["kv_cache_tokens"] == v["kv_cache_tokens"] else f"no: {b['kv_cache_tokens']:,}"
        longest = v["max_model_len"] if v["kv_fits_one_request"] else v.get("estimated_max_model_len", 0)
        verdict = {"exceeds": "does not start"}.get(j["verdict"], f"starts ({j['verdict']})")
        out.append(f"| {model} on {gpu.replace('x', ' x ')} | {verdict} | {v['weights_bytes'] / GIB:.2f} | {v['kv_cache_tokens']:,} | {longest:,} | {again} | {public} |")
    return out


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parent.parent
    print("\n".join(markdown(sys.argv[1] if len(sys.argv) > 1 else str(root / "build" / "hwledger"))))
