#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_starts.py PROGRAM [-v]: plans against start-ups of vLLM of all releases and cards (tests/data/vllm/starts.jsonl).

A row is a public start-up log: what it states, the question that it answers, and what of it can be checked:
given        with the logged bytes of the cache its tokens, blocks or concurrency, within the rounding of the bytes
tokens, concurrency, block   the same where bytes or blocks are among the arguments
weights      within 1 %
predicted    bytes and tokens from the flags alone, within 6 % or 1 % of the card; the median over all rows within 2 %
verdict      started or refused
needed, peak the bytes of a request that does not fit; the profile run's peak within 20 %
A row that names too little says so ("open"); what is off and why, a row says too ("off"). The sums that a log states itself are checked in every row.
Rows of batch 2 were collected after the rules had been fitted, so their figures are also printed by themselves."""
import json, pathlib, statistics, subprocess, sys

GIB = 1 << 30
ROWS = pathlib.Path(__file__).resolve().parent / "data" / "vllm" / "starts.jsonl"


def ask(program, r, *more):
    gpu = ["--gpu-memory", r["gpu"][4:]] if r["gpu"].startswith("mem:") else ["--gpu", r["gpu"]]
    quant = ["--quant", r["quant"]] if "quant" in r else []
    c = subprocess.run([program, "plan", r["model"], "--engine", "vllm", "--engine-version", r["version"], *gpu, *quant, *r.get("options", []), "--json", "--", *r["args"], *more],
                       capture_output=True, text=True)
    return (json.loads(c.stdout), "") if c.returncode in (0, 3) else (None, c.stderr.strip())


def given(program, r, g):
    """(figure, least, most, logged)"""
    known = g.get("available_kv_bytes")
    ends = [known, known] if known else [int((g["available_kv_gib"] + d) * GIB) for d in (-0.00501, 0.00501)]
    views = [ask(program, r, "--kv-cache-memory-bytes", str(x))[0] for x in ends]
    if None in views:
        return None
    for name, logged in (("kv_cache_tokens", "kv_cache_tokens"), ("num_gpu_blocks", "kv_blocks"), ("max_concurrency", "max_concurrency")):
        if logged in g:
            a, b = (round(v["engine_view"][name], 2) for v in views)
            return name, a, b, g[logged]


def sums(g):
    """What the log itself adds up to: (name, difference, allowed)."""
    if {"total_gib", "utilization", "requested_gib"} <= g.keys() and g["total_gib"] != int(g["total_gib"]):
        yield "requested", g["total_gib"] * g["utilization"] - g["requested_gib"], 0.006 + 0.005 * g["utilization"]
    if {"requested_gib", "consumed_gib", "activation_peak_gib", "available_kv_gib"} <= g.keys():
        yield "left", g["requested_gib"] - g["consumed_gib"] - g["activation_peak_gib"] - g["available_kv_gib"], 0.021


def check(program, r):
    """(what, planned, logged, good, error or None)"""
    g = r["logged"]
    for name, off, allowed in sums(g):
        yield "sum " + name, off, 0, abs(off) <= allowed or "sum" in r, None
    if "open" in r:
        return
    j, error = ask(program, r)
    if not j:
        yield "plan", error, "", False, None
        return
    v = j["engine_view"]
    for c in r["checks"]:
        if c == "given":
            got = given(program, r, g)
            yield c, got and f"{got[0]} {got[1]}..{got[2]}", got and got[3], bool(got) and got[1] <= got[3] <= got[2], None
        elif c == "weights":
            w = g.get("model_load_gib", g.get("weights_gib")) * GIB
            e = v["weights_bytes"] / w - 1
            yield c, v["weights_bytes"], w, abs(e) <= 0.01, e
        elif c == "predicted":
            for name, logged in (("available_kv_bytes", g.get("available_kv_gib", 0) * GIB), ("kv_cache_tokens", g.get("kv_cache_tokens"))):
                if logged:
                    e = v[name] / logged - 1
                    card = 0.01 * j["devices"][0]["memory_bytes"] / v["available_kv_bytes"] if v["available_kv_bytes"] else 0
                    yield f"{c} {name}", v[name], logged, abs(e) <= max(0.06, card), e
        elif c == "verdict":
            fits = j["verdict"] != "exceeds"
            yield c, "started" if fits else "refused", g["outcome"], fits == (g["outcome"] == "ok"), None
        elif c in ("concurrency", "tokens"):
            name, logged = ("max_concurrency", "max_concurrency") if c == "concurrency" else ("kv_cache_tokens", "kv_cache_tokens")
            yield c, v[name], g[logged], abs(v[name] - g[logged]) <= (0.00501 if c == "concurrency" else 0), None
        elif c == "block":
            yield c, v["block_size"], g["block_size"], v["block_size"] == g["block_size"], None
        elif c == "peak":
            e = v["peak_activation_bytes"] / GIB / g["activation_peak_gib"] - 1
            yield c, v["peak_activation_bytes"], g["activation_peak_gib"] * GIB, abs(e) <= 0.2, e
        elif c == "needed":
            length = int(r["args"][r["args"].index("--max-model-len") + 1])
            need = length * j["kv_bytes_per_token"] / GIB
            yield c, need, g["kv_needed_gib"], abs(need - g["kv_needed_gib"]) <= 0.0051, None


def markdown(program):
    """Errors of the rows that were collected later, then two tables: what was checked, planned against logged; what names too
    little, and why."""
    checked, opened, later = [], [], {}
    for r in map(json.loads, ROWS.read_text().splitlines()):
        name = r["origin"].replace("https://github.com/", "").replace("|", " ")
        if "open" in r:
            opened.append(f"| {name} | {r['open']} |")
            continue
        cells = []
        for what, planned, logged, good, error in check(program, r):
            if what.startswith("sum "):
                continue
            if error is not None and r.get("batch") == 2:
                later.setdefault(what, []).append(abs(error))
            text = f"{error:+.1%}" + (f" ({r['off'][what.split()[0]]})" if what.split()[0] in r.get("off", {}) else "") if error is not None else "equal" if good else f"{planned}, logged {logged}"
            cells.append(f"{what.replace('predicted ', '').replace('_', ' ')} {text}")
        checked.append(f"| {name} | {r['model']}{' ' + r['quant'] if 'quant' in r else ''} | {r['version']} | {'; '.join(cells)} |")
    errors = [f"{what} median {statistics.median(e):.1%}, 90th percentile {sorted(e)[int(0.9 * (len(e) - 1))]:.1%} of {len(e)}" for what, e in sorted(later.items())]
    return ["Of the start-ups that were collected after the rules had been fitted: " + "; ".join(errors) + ".", "",
            "| start-up | planned as | rules of | planned against logged |", "|---|---|---|---|", *checked, "",
            f"{len(opened)} name too little:", "", "| start-up | why |", "|---|---|", *opened]


def main():
    program, verbose = sys.argv[1], "-v" in sys.argv
    n = bad = unnamed = 0
    kinds, errors, later = {}, {}, {}
    for r in map(json.loads, ROWS.read_text().splitlines()):
        unnamed += "open" in r
        for what, planned, logged, good, error in check(program, r):
            n += 1
            good = good or what.split()[0] in r.get("off", {})
            bad += not good
            kinds.setdefault(what, [0, 0])
            kinds[what][0] += good
            kinds[what][1] += 1
            if error is not None:
                errors.setdefault(what, []).append(abs(error))
                if r.get("batch") == 2:
                    later.setdefault(what, []).append(abs(error))
            if not good or verbose:
                print(f"{'' if good else 'WRONG '}{r['origin']}: {r.get('model', '')} {what}: {planned}, logged {logged}{'' if error is None else f' ({error:+.1%})'}")
    for name, table in (("", errors), ("collected later: ", later)):
        for what, e in sorted(table.items()):
            e.sort()
            middle = statistics.median(e)
            print(f"{name}{what}: median {middle:.2%}, p90 {e[int(0.9 * (len(e) - 1))]:.1%}, worst {e[-1]:.1%} of {len(e)}")
            if what.startswith("predicted") and middle > 0.02:
                bad += 1
    print("; ".join(f"{k} {a}/{b}" for k, (a, b) in sorted(kinds.items())))
    print(f"{n} figures of {len(ROWS.read_text().splitlines())} start-ups, {unnamed} of which name too little, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
