# SPDX-License-Identifier: Apache-2.0
"""limits.py DESKTOP: nothing is cut in a window of 360 pixels, on any page; and the window holds no more memory after thousands of slider steps."""
import json, os, pathlib, re, subprocess, sys

DESKTOP = sys.argv[1]
HOME = pathlib.Path(os.environ["HOME"])
GROWN_MAX = 1 << 17
PLANS = {
    "experts on the host": ("qwen3-30b-a3b", "gpu=RTX4090;", "engine=llama.cpp\nquant=Q4_K_M\nctx=65536\nfit=off\nn-cpu-moe=12\n"),
    "two, and too much": ("llama-3.3-70b", "gpu=RTX3090;gpu=RTX3090;", "engine=llama.cpp\nquant=Q4_K_M\nctx=16384\nfit=off\n"),
    "eight of three kinds": ("deepseek-r1", "gpu=H100-80GBx4;gpu=A100-80GBx3;gpu=RTX4090;", "engine=llama.cpp\nquant=Q4_K_M\nctx=16384\nfit=off\n"),
    "a server": ("llama-3.1-8b", "gpu=H100-80GB;gpu=H100-80GB;", "engine=vllm\nctx=32768\ntp=2\n"),
}


def run(options, model, gpus, settings):
    path = HOME / "plan.hwplan"
    path.write_text(f"[Plan]\nVersion=1\nModel={model}\n[Devices]\nDetected=false\nGPUs={gpus}\nRAM=64G\n[Settings]\n{settings}")
    out = subprocess.run([DESKTOP, *options, str(path)], capture_output=True, text=True, timeout=120, check=False)
    assert out.returncode == 0, out.stderr
    return out.stdout


for name, plan in PLANS.items():
    said = run(["--cut", "--pins", "--size", "360x700"], *plan)
    assert re.search(r"^settings$", said, re.M) and said.endswith("\n0 cut\n"), f"{name}: {said}"
said = run(["--steps", "3000"], *PLANS["a server"])
report = json.loads(said.splitlines()[-1])
assert report["steps"] >= 2900, report
assert report["grown_bytes"] < GROWN_MAX, report
print(f"{len(PLANS)} plans on every page at 360 pixels, nothing cut; {report['steps']} steps, {report['grown_bytes']} bytes grown in the second half")
