#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""write_accuracy.py ACCEPT_FOLDER [OUT]: measures build/hwledger by the acceptance scripts and writes docs/accuracy.md."""
import json, os, pathlib, re, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]
import compare_logs, compare_starts, leave_one_out, llamacpp_archs, logs, scenarios

ACCEPT = pathlib.Path(sys.argv[1])
TRUTH = ACCEPT.parent / "truth"
OUT = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "accuracy.md"

# What cannot be derived from a configuration, with the reason.
REASONS = {
    "openbmb/MiniCPM-2B-sft-bf16": "the figure is an estimate: layers x (4 h^2 + 2 h i) + words x h = 40 x 9 x 2304^2 + 122,753 x 2304, two of the three feed-forward matrices, no norms, no output matrix, and 7 words less than the configuration has",
    "openbmb/MiniCPM3-4B": "the figure is the same estimate: 62 x (4 x 2560^2 + 2 x 2560 x 6400) + 73,448 x 2560, which knows neither latent attention nor the third feed-forward matrix nor norms",
    "RWKV/rwkv-5-world-3b": "the total is that of the 1.5B model (24 layers of 2048), the configuration that of the 3B one",
    "google/gemma-4-31B": "the given total counts the tied matrix twice and leaves out 60 layer scalars and 2,304 standardisation values; the totals that the Hub states for this family (31B 31,273,088,876, E4B 7,996,156,490, E2B 5,123,178,051) are ours",
    "nvidia/Gemma-4-31B-IT-NVFP4": "counted from the model class, which holds 60 layer scalars and 2,304 standardisation values as buffers; the checkpoint stores them, and the Hub's totals of this family count them",
}

# Why what a checkpoint is said to hold is not what its configuration tells.
SCALES = "the figure leaves out the scales"
TIED = "the tied output matrix is stored once more"
PACKED = "packed two to a number; which matrices are packed is not in this configuration"
STORED_REASONS = {
    "BAAI/bge-reranker-large": "514 position ids are stored",
    "intfloat/multilingual-e5-large": "514 position ids are stored",
    "MiniMaxAI/MiniMax-M2.7": SCALES + "; M2.5 of the same shapes counts them",
    "Qwen/Qwen1.5-0.5B-Chat": TIED, "Qwen/Qwen3-0.6B": TIED, "Qwen/Qwen3-1.7B": TIED, "google/medgemma-27b-it": TIED,
    "RuterNorway/Llama-2-13b-chat-norwegian": "inverse frequencies are stored, 64 a layer",
    "meta-llama/Llama-2-13b-chat-hf": "inverse frequencies are stored, 64 a layer",
    "meta-llama/Llama-2-70b-chat-hf": "inverse frequencies are stored, 64 a layer",
    "meta-llama/Llama-2-7b-chat-hf": "inverse frequencies are stored, 64 a layer",
    "meta-llama/Llama-2-7b-hf": "inverse frequencies are stored, 64 a layer",
    "huggyllama/llama-7b": "inverse frequencies are stored, 64 a layer",
    "bigcode/starcoder2-3b": "the configuration at hand is that of the 7B model",
    "deepseek-ai/DeepSeek-R1": SCALES, "deepseek-ai/DeepSeek-V3.2": SCALES,
    "deepseek-ai/DeepSeek-V4-Pro": "the figure counts each FP4 element, two of which share a number, and leaves out the scales",
    "moonshotai/Kimi-K2-Instruct": SCALES + ", and has 3,416 numbers (56 a layer) that no tensor known here explains",
    "moonshotai/Kimi-K2.5": "the figure counts each 4-bit element, eight of which share a number",
    "nvidia/DeepSeek-V3.1-NVFP4": "experts, dense feed-forwards and output projections of the stack are packed, the predictor is not: 664,816,058,368 elements "
                                  "that take 9/16 of a number each give the figure exactly, but this configuration does not say so",
    "nvidia/DeepSeek-V3.2-NVFP4": "packed as DeepSeek-V3.1-NVFP4: the same difference",
    "nvidia/DeepSeek-V4-Pro-NVFP4": PACKED, "nvidia/GLM-5-NVFP4": PACKED, "nvidia/Qwen3-235B-A22B-NVFP4": PACKED,
    "nvidia/GLM-5.1-NVFP4": "the figure leaves out scales (45,298,598,400) and score biases (19,200), and the checkpoint has no predictor (9,952,920,576)",
    "nvidia/Gemma-4-31B-IT-NVFP4": "the figure leaves out the scales, 60 layer scalars and 2,304 standardisation values",
    "nvidia/MiniMax-M2.5-NVFP4": SCALES + " and the score biases", "nvidia/MiniMax-M2.7-NVFP4": SCALES + " and the score biases",
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8": "the figure leaves out 41 score biases of 512",
    "openai-community/gpt2": "causal masks of 1024 x 1024 are stored, one a layer",
    "openai-community/gpt2-medium": "causal masks of 1024 x 1024 are stored, one a layer",
}

if not pathlib.Path(os.environ.get("HWLEDGER") or ROOT / "build" / "hwledger").exists():
    sys.exit("write_accuracy.py: build/hwledger is not there; run ./run first")


def some(what, found):
    """The rows of a table, of which there must be at least one."""
    if not found:
        sys.exit(f"write_accuracy.py: no rows for {what}; the words of the test or the pattern here have changed")
    return found


def run(name, *args):
    r = subprocess.run([sys.executable, str(ACCEPT / f"{name}.py"), *args], cwd=ROOT, text=True, capture_output=True)
    return r.stdout.splitlines()


def checkpoint_section():
    """Numbers that a published checkpoint holds, multi-token prediction, copies and scales included, against the configuration alone."""
    program = os.environ.get("HWLEDGER") or str(ROOT / "build" / "hwledger")
    equal, rows = 0, []
    for r in map(json.loads, open(ACCEPT.parent / "facts" / "models.jsonl")):
        if not r.get("params_stored"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "config.json").write_text(json.dumps(r["config"]))
            c = subprocess.run([program, "inspect", folder, "--json"], text=True, capture_output=True)
        if c.returncode:
            rows.append(f"| {r['id']} | | {r['params_stored']:,} | | {c.stderr.strip()[:90]} |")
            continue
        j = json.loads(c.stdout)
        off = j["stored"]["elements"] - r["params_stored"]
        equal += not off
        if off:
            rows.append(f"| {r['id']} | {j['stored']['elements']:,} | {r['params_stored']:,} | {off:+,} | {STORED_REASONS.get(r['id'], 'not looked into')} |")
    o = ["## What a checkpoint holds, from config.json alone", "",
         "Numbers in all tensors, with multi-token prediction, its copies of embedding and output matrix, scales and biases. "
         f"{equal + len(rows)} figures that the model hub states: {equal} equal, {len(rows)} with a reason. tests/data/mtp.inc and "
         "tests/data/stored.inc hold further ones, all equal.", ""]
    o += ["| model | here | stated | off | reason |", "|---|---|---|---|---|", *some("checkpoints", rows), ""]
    return o + ["Not told by a configuration: GLM-4.6 (356,785,898,816) leaves out the two copies of 775,946,240 that GLM-4.5 and 4.7 bring; "
                "Qwen3-Coder-Next (79,674,391,296) has no predictor where Qwen3-Next of the same configuration has one. "
                "With the checkpoint's files at hand both are read as they are.", ""]


out = ["# Accuracy", "",
       "Written by tools/write_accuracy.py from build/hwledger and the acceptance rows; do not edit.", "",
       "`exact` entries are equal to the engine's own figure; `modelled` ones state their error in the plan itself.", ""]

lines = run("contract")
out += ["## Check figures", "", f"{lines[-1]}.", ""]

lines = run("parameters")
out += ["## Parameters from config.json alone", "", f"{lines[-1]}.", ""]
misses = [l for l in lines[:-1] if l.strip()]
if misses:
    out += ["| model | what | reason |", "|---|---|---|"]
    for l in misses:
        who, _, what = l.partition(":")
        model = who.split(" (")[0]
        out.append(f"| {model} | {what.strip()[:90].replace('|', ' ')} | {REASONS.get(model, 'no reader yet' if 'exit' in what else 'not looked into')} |")
    out.append("")

out += checkpoint_section()

lines = run("llamacpp")
out += ["## llama.cpp v0.5.0 against what the real library allocated", "",
        "Rows: CPU, one and several devices, --fit. model, context: bytes per device equal. compute: within 2 % or 128 KiB.", "",
        "| architecture | rows | model | context | placement | compute within 2 % | fit context | fit weights |", "|---|---|---|---|---|---|---|---|"]
for l in lines:
    m = re.match(r"(\S+)\s+(\d+) rows(.*)", l)
    if m and ":" not in m.group(1):
        f = dict(re.findall(r"(model|context|placement|compute 2 %|fit context|fit weights) (\d+/\d+)", re.sub(r"fit context (\d+/\d+)", r"fit-c \1", m.group(3))))
        fit = re.search(r"fit context (\d+/\d+)", m.group(3))
        plain = re.search(r"  context (\d+/\d+)", m.group(3))
        out.append("| " + " | ".join([m.group(1), m.group(2), f.get("model", ""), plain.group(1) if plain else "", f.get("placement", ""),
                                      f.get("compute 2 %", ""), fit.group(1) if fit else "", f.get("fit weights", "")]) + " |")
out += ["", f"{lines[-1]}.", "", "Worst compute figures:", ""] + ["- " + l.removeprefix("worst compute: ") for l in lines if l.startswith("worst compute")] + [""]
out += llamacpp_archs.markdown(os.environ.get("HWLEDGER") or str(ROOT / "build" / "hwledger"), lines)

out += ["## llama.cpp and Ollama: what real GPUs printed at start", "",
        "tests/compare_logs.py: catalogue model and quantisation alone, MiB. Weights and caches must be equal to two decimals, compute within 3 %.", "",
        "| start-up | what | planned | printed | off | reason |", "|---|---|---|---|---|---|"]
out += some("llama.cpp and Ollama start-ups", [
    f"| {name} | {what} on {device} | {got:,.2f} | {printed:,.2f} | {got / printed - 1:+.2%} | {reason} |"
    for name, device, what, printed, got, good, reason in compare_logs.compare(os.environ.get("HWLEDGER") or str(ROOT / "build" / "hwledger")) if printed])
out += ["", "Figures with a reason are not met. Of the acceptance rows that are only simulated (MiniCPM3 on a host with too little memory), "
        "the compute buffer is the engine's belief without allocation, not what it would take.", ""]

lines = run("vllm_cache")
out += ["## vLLM's cache against what its own code plans", "", "| family | equal |", "|---|---|"]
out += some("vLLM's cache", [f"| {m.group(1)} | {m.group(2)} |" for l in lines if (m := re.match(r"(\S+)\s+(\d+/\d+ right.*)", l))])
out += ["", f"{lines[-1]}.", ""]

lines = run("vllm")
out += ["## vLLM start-ups on one H100 type, predicted from flags alone", "", f"{lines[-1]}.", "",
        "The few coefficients that the shapes do not give were fitted on these logs. Refitted without each model in turn (tools/leave_one_out.py):", "",
        *leave_one_out.markdown(TRUTH), "",
        "## Start-up logs, planned against logged", "",
        "tools/logs.py puts each collected row into the words of its engine's time, reads it with `hwledger explain-log` and compares. Planned / logged - 1; "
        "of several devices the largest. What changed between releases of vLLM was read in their sources, from 0.6.6 on.", "", *logs.markdown(TRUTH),
        "### Six servers that people ask about, vLLM 0.33.0 with its defaults", "",
        *scenarios.markdown(os.environ.get("HWLEDGER") or str(ROOT / "build" / "hwledger")), "",
        "### vLLM: what each collected start-up determines", "",
        "tests/data/vllm/starts.jsonl, tests/compare_starts.py. Given: with the logged bytes of the cache its tokens, blocks or concurrency.", "",
        *compare_starts.markdown(os.environ.get("HWLEDGER") or str(ROOT / "build" / "hwledger")), ""]


def unit(name):
    """What a unit test prints of its comparison with tests/data. Missing or failing: nothing is written."""
    exe = pathlib.Path(os.environ.get("HWLEDGER") or ROOT / "build" / "hwledger").resolve().parent / "tests" / f"test_{name}"
    if not exe.exists():
        sys.exit(f"write_accuracy.py: {exe} is not there; build the tests beside hwledger (cmocka), then run this again")
    r = subprocess.run([str(exe)], text=True, capture_output=True)
    if r.returncode:
        sys.exit(f"write_accuracy.py: {exe} fails:\n" + "\n".join((r.stdout + r.stderr).splitlines()[-20:]))
    return r.stdout.splitlines()


MEDIAN = "what is loaded beside the weights is a median, and much of so small a model"
HOST = "GB10: what is free is the host's memory, which the host itself takes from while it loads"
SGLANG_REASONS = {
    "kimi-k2.5-mi355x weights": "ROCm; 2.2 GiB that no term here explains", "kimi-k2.5-mi355x tokens": "follows from the weights",
    "glm-5-nvfp4-tp8 weights": "SM120; 1.9 GiB that no term here explains", "qwen3.8-27b weights": HOST, "gemma-4-e4b-gb10 weights": HOST,
    "qwen2.5-0.5b-docs weights": MEDIAN, "qwen2.5-0.5b-40gb weights": MEDIAN, "qwen2.5-0.5b-16gb weights": MEDIAN,
    "qwen3-0.6b-24gb weights": MEDIAN, "qwen3-0.6b-16gb weights": MEDIAN, "granite-4-h-micro-16gb weights": MEDIAN,
    "qwq-32b-l4 tokens": "the communicators of four L4 took 0.4 GiB less than the coefficient has",
    "qwen2-7b-24gb tokens": "0.2 GiB of the card's memory in front of the load", "qwen3-235b-fp8-h100 tokens": "what was free is not logged",
    "qwq-32b-l4 graphs": "the coefficient of communication", "qwen3.8-27b-fp8-h100 graphs": "kernels of gated delta nets take less",
}


def sglang_section():
    text = unit("sglang")
    o = ["## SGLang start-ups", "",
         "From what was free around the load, as logged: each figure must lie in what two printed decimals leave open.", "",
         "| start-up | figure | planned | logged |", "|---|---|---|---|"]
    o += some("SGLang, memory given", [
        f"| {m.group(1)} | {m.group(2)} | {m.group(3).removesuffix('.00')} to {m.group(4).removesuffix('.00')} | {m.group(5).removesuffix('.00')}{m.group(6)} |"
        for l in text if (m := re.match(r"(\S+)\s+([a-z_ ]+?)\s+([\d.]+)\.\.([\d.]+), logged ([\d.]+)(.*)", l))])
    o += ["", "From flags and card alone:", "", "| start-up | figure | planned | logged | reason |", "|---|---|---|---|---|"]
    o += some("SGLang, predicted", [
        f"| {m.group(1)} | {m.group(2)} | {m.group(3)} | {m.group(4)}{' (' + m.group(5) + ')' if m.group(5) else ''} | "
        f"{SGLANG_REASONS.get(m.group(1) + ' ' + m.group(2), '')} |"
        for l in text if (m := re.match(r"(\S+)\s+(weights|tokens|graphs) ([\d.]+), logged ([\d.]+)(?:: (.*))?", l))])
    o += ["", "Its own argument resolution and pool configurators, asked on a CPU (tools/sglang_truth.py, sglang_old_truth.py):", ""]
    o += some("SGLang's pools", ["- " + l for l in unit("sglang_pools") if l.startswith("SGLang's own pools")])
    o += [""] + some("SGLang's coefficients", ["- " + l for l in text if re.match(r"(weights|tokens|graphs): median|coefficient ", l)])
    return o + ["", "Activations of a step stand in no log: they are bounded by 50 %, unchecked.", ""]


def small_sections():
    o = ["## TensorRT-LLM start-ups", "", *some("TensorRT-LLM", ["- " + l for l in unit("tensorrt") if "logged" in l]), "",
         "## text-generation-inference start-ups", "", "From flags and card alone.", "",
         *some("text-generation-inference", ["- " + l for l in unit("tgi") if "logged" in l]), "",
         "## transformers", "", "Device maps against transformers' own, activations against passes with every storage counted; rows off by more than 5 %:", "",
         *some("transformers", ["- " + l for l in unit("transformers") if re.match(r"device maps:|activations:|caches:|\S+ (sdpa|eager) ", l)]), "",
         "## MLX", "", "Weights of repositories that mlx_lm.convert wrote: planned, and the repository's own total.", "",
         *some("MLX", ["- " + l.removeprefix("repository ") for l in unit("mlx") if l.startswith("repository ")]), "",
         "Caches follow the package's classes; arrays of a prefill step are bounded by 100 %, unmeasured on Metal.", ""]
    return o


def activations_section():
    text = unit("vllm_activations")
    return ["## vLLM's profile run against its own classes", "",
            "The widest point, run without a card: tests/data/vllm/activations.txt says how. compiled: what torch.compile leaves; eager: --enforce-eager; "
            "tower: the run of a vision tower. Then the rows that are off by more.", "",
            *some("vLLM's activations", ["- " + l for l in text if re.match(r"(compiled|eager|tower)[: ]", l)]), ""]


out += activations_section() + sglang_section() + small_sections()
OUT.write_text("\n".join(out))
print(OUT)
