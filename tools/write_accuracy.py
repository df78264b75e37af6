#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""write_accuracy.py ACCEPT_FOLDER [OUT]: measures build/hwledger by the acceptance scripts and writes docs/accuracy.md."""
import os, pathlib, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]
import compare_logs, compare_starts, leave_one_out, llamacpp_archs, logs

ACCEPT = pathlib.Path(sys.argv[1])
TRUTH = ACCEPT.parent / "truth"
OUT = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "accuracy.md"

# What cannot be derived from a configuration, with the reason.
REASONS = {
    "openbmb/MiniCPM-2B-sft-bf16": "the known total is a hub figure that was not re-derived; no reading of the published shapes gives it (40 layers of 2304 and 5760 with 122,760 words have more elements)",
    "openbmb/MiniCPM3-4B": "the hub figure is 62 x 58,982,400 + one embedding: an estimate without norms and low-rank parts, not a count",
    "RWKV/rwkv-5-world-3b": "the total is that of the 1.5B model (24 layers of 2048), the configuration that of the 3B one",
    "google/gemma-4-31B": "the given total counts the tied matrix twice and leaves out 60 layer scalars and 2,304 standardisation values; the totals that the Hub states for this family (31B 31,273,088,876, E4B 7,996,156,490, E2B 5,123,178,051) are ours",
    "nvidia/Gemma-4-31B-IT-NVFP4": "counted from the model class, which holds 60 layer scalars and 2,304 standardisation values as buffers; the checkpoint stores them, and the Hub's totals of this family count them",
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


def sglang_section():
    text = unit("sglang")
    o = ["## SGLang start-ups", "",
         "From what was free around the load, as logged: each figure must lie in what two printed decimals leave open.", "",
         "| start-up | figure | planned | logged |", "|---|---|---|---|"]
    o += some("SGLang, memory given", [
        f"| {m.group(1)} | {m.group(2)} | {m.group(3).removesuffix('.00')} to {m.group(4).removesuffix('.00')} | {m.group(5).removesuffix('.00')}{m.group(6)} |"
        for l in text if (m := re.match(r"(\S+)\s+([a-z_ ]+?)\s+([\d.]+)\.\.([\d.]+), logged ([\d.]+)(.*)", l))])
    o += ["", "From flags and card alone:", "", "| start-up | figure | planned | logged |", "|---|---|---|---|"]
    o += some("SGLang, predicted", [
        f"| {m.group(1)} | {m.group(2)} | {m.group(3)} | {m.group(4)}{' (' + m.group(5) + ')' if m.group(5) else ''} |"
        for l in text if (m := re.match(r"(\S+)\s+(weights|tokens|graphs) ([\d.]+), logged ([\d.]+)(?:: (.*))?", l))])
    o += ["", "Its own argument resolution and pool configurators, asked on a CPU (tools/sglang_truth.py):", ""]
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


out += sglang_section() + small_sections()
OUT.write_text("\n".join(out))
print(OUT)
