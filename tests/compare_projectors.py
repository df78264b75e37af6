#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_projectors.py PROGRAM [-v]: the compute buffers of image projectors for their warm-up image against libmtmd's own answer (tests/data/llamacpp/projectors.jsonl; files of tools/projector_models.py), byte by byte."""
import json, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools")]
import gguf_file, projector_models


def planned(program, f, devices):
    r = subprocess.run([program, "plan", "llama-3.2-1b", "--engine", "llama.cpp", "--quant", "Q4_0", *devices, "--ram", "64GiB", "--ctx", "4096", "--mmproj", f, "--json"], capture_output=True, text=True)
    if r.returncode not in (0, 3):
        return {"error": r.stderr.strip()}
    out = {}
    for e in json.loads(r.stdout)["entries"]:
        if e["component"] == "vision" and e["kind"] == "compute":
            out[e["device"]] = out.get(e["device"], 0) + e["bytes"]
    return out


def main():
    rows, bad, n = [json.loads(l) for l in open(HERE / "data" / "llamacpp" / "projectors.jsonl")], 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        for r in rows:
            f = str(pathlib.Path(tmp) / "mmproj.gguf")
            md, tensors = projector_models.MODELS[r["model"]]
            gguf_file.write({"arch": "clip", "metadata": md, "tensors": tensors}, f)
            for devices, want in ((["--gpu", "none"], r["host"]), (["--gpu-memory", "24GiB"], r["gpu"])):
                got = planned(sys.argv[1], f, devices)
                n += 1
                bad += got != want
                if got != want or "-v" in sys.argv:
                    print(f"{r['model']} {devices}: {got}, libmtmd says {want}")
    print(f"{n} answers, {bad} wrong")
    sys.exit(1 if bad or n < 16 else 0)


if __name__ == "__main__":
    main()
