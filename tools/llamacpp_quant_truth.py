#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llamacpp_quant_truth.py --oracle BIN --lib LIBDIR --convert BIN [NAME...] > tests/data/llamacpp/quantised.csv
The type that the real quantiser of llama.cpp chooses for every tensor of what a catalogue model becomes (file type F16 before), as one
line a model and mixture: tensors, bytes and the FNV-1a hash of "name type" lines in the file's order."""
import argparse, json, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

MODELS = """llama-3.1-8b llama-3.1-70b llama-3.2-1b mistral-7b-v0.3 mixtral-8x7b qwen-7b qwen1.5-moe-a2.7b qwen2.5-0.5b qwen2.5-7b qwen2.5-72b qwen3-0.6b
qwen3-8b qwen3-32b qwen3-30b-a3b qwen3-235b-a22b qwen3-next-80b-a3b qwen3-vl-8b gemma-2-2b gemma-2-9b gemma-2-27b gemma-3-1b gemma-3-12b gemma-4-31b gemma-4-e2b
phi-2 phi-3.5-mini phi-4 deepseek-v2-lite deepseek-v3 deepseek-v3.2 kimi-linear-48b-a3b glm-4.5-air glm-5 gpt-oss-20b gpt-oss-120b olmo-2-1124-13b
mamba-codestral-7b granite-3.3-8b granite-3.1-1b-a400m granite-4.0-h-small falcon-h1-7b falcon-40b bamba-9b-v2 nemotron-h-56b-base-8k nemotron-3-nano-30b-a3b jamba
minimax-m2.5 minimax-text-01 c4ai-command-r-08-2024 starcoder2-3b stablelm-2-zephyr-1-6b bge-reranker-large bert-base-cased ling-lite minicpm3-4b bloom gpt2
baichuan2-7b chatglm3-6b redpajama-incite-7b""".split()
# llama.h, enum llama_ftype
MIXTURES = {"Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q4_K_M": 15, "Q4_K_S": 14, "Q4_0": 2, "IQ4_XS": 30, "MXFP4_MOE": 38, "Q3_K_M": 12, "IQ3_M": 27, "Q2_K": 10, "IQ2_M": 29,
            "TQ1_0": 36}


def fnv(text):
    h = 0xcbf29ce484222325
    for c in text.encode():
        h = (h ^ c) * 0x100000001b3 % 2**64
    return h


def main():
    ap = argparse.ArgumentParser()
    for o in ("oracle", "lib", "convert"):
        ap.add_argument("--" + o, required=True)
    ap.add_argument("names", nargs="*")
    a = ap.parse_args()
    print("# catalogue name,mixture,tensors,hash of all names and types: chosen by llama.cpp v0.5.0's own quantiser (no importance matrix);\n"
          "# written by tools/llamacpp_quant_truth.py")
    with tempfile.TemporaryDirectory() as tmp:
        f = pathlib.Path(tmp) / "m.gguf"
        for name in a.names or MODELS:
            r = subprocess.run([a.convert, name, "F16", f], capture_output=True, text=True)
            if r.returncode:
                print(f"{name}: {r.stderr.strip()}", file=sys.stderr)
                continue
            for mixture, number in MIXTURES.items():
                r = subprocess.run([a.oracle, a.lib, "qtypes", f, str(number)], capture_output=True, text=True)
                try:
                    d = json.loads(r.stdout)
                except ValueError:
                    print(f"{name} {mixture}: {r.stderr.strip()[-120:]}", file=sys.stderr)
                    continue
                print(f"{name},{mixture},{len(d)},{fnv(''.join(f'{k} {d[k].lower()}{chr(10)}' for k in sorted(d))):016x}", flush=True)


main()
