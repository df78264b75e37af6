#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_logs.py PROGRAM [-v]: plans against start-up logs of real GPUs (tests/data/llamacpp/logs.jsonl, from public threads).

Weights and caches on each device must be the printed MiB (two decimals); compute within 3 %, unless the row names a reason
why it is not ("outlier"), and then it must not be."""
import json, pathlib, subprocess, sys

KIND = {"weights": "model", "kv_cache": "kv", "recurrent_state": "rs", "compute": "compute"}
ROWS = pathlib.Path(__file__).resolve().parent / "data" / "llamacpp" / "logs.jsonl"


def plan(program, r):
    devices = ["--gpu-memory", f"256GiBx{r['gpus']}"] if r["gpus"] else ["--gpu", "none"]
    fit = ["--fit", "off"] if r["engine"] == "llama.cpp" else []
    spread = ["--split-mode", "layer"] if r["gpus"] > 1 and "--tensor-split" not in r["args"] else []
    c = subprocess.run([program, "plan", r["model"], "--engine", r["engine"], "--engine-version", r["version"], "--quant", r["quant"], *devices, "--ram", "4TiB",
                        *r["args"], *fit, *spread, "--json"], capture_output=True, text=True)
    return (json.loads(c.stdout), "") if c.returncode in (0, 3) else (None, c.stderr.strip())


def compare(program):
    """(text of the row, device, what, printed, planned, good, reason)"""
    for r in map(json.loads, ROWS.read_text().splitlines()):
        name = f"{r['model']} {r['quant']}, {r['engine']} {r['build']}, {r['backend']}"
        j, error = plan(program, r)
        if not j:
            yield name, "", "plan", 0, 0, False, error
            continue
        for device, figures in sorted(r["printed_mib"].items()):
            for what, printed in figures.items():
                got = sum(e["bytes"] for e in j["entries"] if e["device"] == device and KIND.get(e["kind"]) == what) / 2**20
                near = abs(got - printed) <= (0.03 * printed if what == "compute" else 0.02)
                reason = (r.get("outlier") or {}).get(f"{device} {what}", "")
                yield name, device, what, printed, got, near != bool(reason), reason


def main():
    bad = n = 0
    for name, device, what, printed, got, good, reason in compare(sys.argv[1]):
        n += 1
        bad += not good
        if not good or "-v" in sys.argv:
            print(f"{name}: {what} on {device} {got:,.2f} MiB, printed {printed:,.2f} ({(got / printed - 1 if printed else 0):+.2%}) {reason}")
    print(f"{n} printed figures, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
