#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""leave_one_out.py TRUTH_FOLDER: the fitted coefficients of src/engine/vllm and src/engine/shared/forward.c, refitted
without each model in turn; prints the errors of the figures so predicted beside those of the built program.

The terms come from the formulas of the plan's entries, so nothing of the model is written down twice."""
import ast, json, pathlib, re, statistics, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import logs

GIB, MIB = 1 << 30, 1 << 20


def flags(r):
    o = []
    for k, v in ast.literal_eval(r["non_default_args"]).items():
        k = k.replace("_", "-")
        if k not in ("model", "model-tag"):
            o += [f"--{k}"] if v is True else [f"--no-{k}"] if v is False else [f"--{k}", str(v)]
    return o


def plan(run, r):
    """The document of the start-up, or None."""
    model = r["model"]
    c = run.configs.get(model.lower())
    if c:
        d = run.tmp / re.sub(r"\W", "_", model)
        d.mkdir(exist_ok=True)
        (d / "config.json").write_text(json.dumps(c))
        model = str(d)
    out = subprocess.run([run.exe, "plan", model, "--engine", "vllm", "--engine-version", r["vllm"], "--gpu", f"{r['gpu']}x{r['tp'] * r['pp'] * r['dp']}", "--json", "--", *flags(r)],
                         text=True, capture_output=True)
    return json.loads(out.stdout) if out.stdout else None


def numbers(formula):
    return [int(x.replace(",", "")) for x in re.findall(r"\d[\d,]*", formula)]


def entries(j, component, kind):
    """Formulas of one kind of entry, one for each rank."""
    return [e for e in j["entries"] if e["component"] == component and e["kind"] == kind and "formula" in e]


def samples(truth):
    """One for each start-up that is planned: model, and for each figure (logged, terms)."""
    run, out = logs.Runner(truth), []
    for r in logs.rows(truth / "vllm_h100_logs.jsonl"):
        if r["failed"] or not r.get("kv_tokens"):
            continue
        j = plan(run, r)
        if not j:
            continue
        s = {"model": r["model"], "tp": r["tp"], "pp": r["pp"], "name": f"{r['model']} tp{r['tp']}" + (f" pp{r['pp']}" if r["pp"] > 1 else "")}
        # ranks of pipeline stages log in any order: least with least
        act = sorted(p["torch_peak_gib"] * GIB for p in r["profile_ranks"])
        mine = sorted(entries(j, "other", "compute"), key=lambda e: e["bytes"])
        # what the first of several stages holds beside its pass was fitted to the one start-up with stages
        s["activation"] = [(a, e["bytes"], r["pp"] > 1 and e["device"] == "gpu0") for a, e in zip(act, mine)]
        s["non-torch"] = (r["profile_ranks"][0]["non_torch_gib"] * GIB, j["engine_view"]["non_torch_bytes"])
        g = [x for x in r["cuda_graph_gib_ranks"] if x]
        e = entries(j, "graph", "overhead")
        s["graphs"] = (g[0]["actual"] * GIB, e[0]["bytes"], numbers(e[0]["formula"])) if g and e else None
        w = sorted(r["weights_gib_ranks"] if len(r["weights_gib_ranks"]) > 1 else [p["weights_gib"] for p in r["profile_ranks"]])
        mine = {}
        for x in j["entries"]:
            if x["kind"] == "weights":
                mine[x["device"]] = mine.get(x["device"], 0) + x["bytes"]
        s["weights"] = list(zip([x * GIB for x in w], sorted(mine.values())))
        s["tokens"] = (r["kv_tokens"], j["engine_view"]["kv_cache_tokens"], j["engine_view"]["available_kv_bytes"])
        out.append(s)
    return out


def fit_graphs(rows):
    """Base and bytes of a layer in a graph: least squares of relative errors over (logged, _, [base, launches, each, pool, tokens, split])."""
    a = b = c = u = v = 0.0
    for y, _, n in rows:
        w = 1 / y**2
        rest, x = y - n[3] - n[5], n[1]
        a += w; b += w * x; c += w * x * x; u += w * rest; v += w * rest * x
    d = a * c - b * b
    return (u * c - v * b) / d, (a * v - b * u) / d


def group(s):
    return "tensor parallel" if s["tp"] > 1 else "pipeline" if s["pp"] > 1 else "one GPU"


def refit(all_samples, s):
    """(figure, logged, fitted, without the model or None where no other log fixes the coefficient)."""
    others = [o for o in all_samples if o["model"] != s["model"]]
    if s["graphs"]:
        y, mine, n = s["graphs"]
        base, each = fit_graphs([o["graphs"] for o in others if o["graphs"]])
        yield "graphs", y, mine, base + each * n[1] + n[3] + n[5]
    same = [o["non-torch"][0] for o in others if group(o) == group(s)]
    median, more = (statistics.median(same) if same else None), 0.0
    yield "non-torch", *s["non-torch"], median
    more += (median or s["non-torch"][1]) - s["non-torch"][1]
    for y, mine, first in s["activation"]:
        if not first:  # the shapes fix it: nothing was fitted
            yield "activation", y, mine, mine
            continue
        yield "activation", y, mine, None
    for y, mine in s["weights"]:
        yield "weights", y, mine, mine
    y, mine, left = s["tokens"]  # 0.19 takes no graphs from the budget
    yield "tokens", y, mine, mine * (left - more) / left


def table(truth):
    """{figure: ([fitted errors], [errors without the model], [(name, figure, fitted, without)])}."""
    all_samples, out = samples(truth), {}
    for s in all_samples:
        for figure, y, mine, without in refit(all_samples, s):
            f, l, rows = out.setdefault(figure, ([], [], []))
            f.append(abs(mine / y - 1))
            if without is not None:
                l.append(abs(without / y - 1))
            rows.append((s["name"], mine / y - 1, None if without is None else without / y - 1))
    return out


def spread(e):
    e = sorted(e)
    return f"{statistics.median(e):.1%} | {e[int(0.9 * (len(e) - 1))]:.1%} | {e[-1]:.1%}" if e else " |  | "


def markdown(truth):
    out = ["| figure | fitted: median | p90 | worst | without the model: median | p90 | worst | start-ups left out that no other log fixes |", "|---|---|---|---|---|---|---|---|"]
    for figure, (f, l, rows) in table(truth).items():
        free = ", ".join(sorted({n for n, _, w in rows if w is None}))
        out.append(f"| {figure} | {spread(f)} | {spread(l)} | {free} |")
    return out


if __name__ == "__main__":
    t = table(pathlib.Path(sys.argv[1]))
    if "-v" in sys.argv:
        for figure, (_, _, rows) in t.items():
            for name, f, w in rows:
                print(f"{figure}: {name}: fitted {f:+.1%}, without {'nothing to fit it on' if w is None else f'{w:+.1%}'}")
    print("\n".join(markdown(pathlib.Path(sys.argv[1]))))
