#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llamacpp_archs.py [PROGRAM]: every architecture of src/engine/llamacpp/archs.def with what is proved of it, as Markdown. A row
counts where weights, caches and layers are equal and every compute buffer is, too."""
import json, pathlib, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# No graph is built: weights and caches are exact, the plan says that compute buffers are modelled.
MODELLED = {
    "bailingmoe3": "Kimi delta attention with a gate of its own kind: graph not built",
    "deepseek4": "compressed caches and hyper connections: graph not built",
    "dflash": "a draft with embeddings of its own: graph not built; without them it is refused as the engine does",
    "dots3note": "sparse attention with windows: graph not built",
    "glm5-next": "not in v0.5.0; graph of later builds not built",
    "graniteswitch": "adapters chosen by a router layer: graph not built",
    "hrm_text": "two stacks that run in turns: graph not built",
    "hy_v4": "sparse attention and hyper connections: graph not built",
    "kimi-k3": "graph not built",
    "minimax-m3": "block-sparse attention: graph not built",
    "pockettts": "graph not built",
    "qwen4exp": "graph not built",
    "wavtokenizer-dec": "convolutions over audio codes: graph not built",
}
REFUSED = {"gptj": "a name without a model in the engine", "gemma4-assistant": "a draft that cannot run alone", "eagle3": "a draft that borrows embeddings"}


def markdown(program, acceptance):
    """acceptance: lines of the acceptance script's table."""
    names = re.findall(r'^A\("([^"]+)"', (ROOT / "src/engine/llamacpp/archs.def").read_text(), re.M)
    proved = {}
    for l in acceptance:
        if m := re.match(r"(\S+)\s+(\d+) rows(.*)", l):
            pairs = re.findall(r"(\d+)/(\d+)", m.group(3))
            proved[m.group(1)] = [int(m.group(2)), all(a == b for a, b in pairs), False]
    r = subprocess.run([sys.executable, str(ROOT / "tests" / "compare_llamacpp.py"), program], text=True, capture_output=True)
    for l in r.stdout.splitlines():
        if m := re.match(r"(\S+)\s+(\S+)\s+(\d+) rows  compute equal (\d+)/(\d+)", l):
            row = proved.setdefault(m.group(2), [0, True, False])
            row[0] += int(m.group(3))
            row[1] = row[1] and m.group(4) == m.group(5)
            row[2] = True
    exact = [n for n in names if n in proved and proved[n][1] and n not in MODELLED and n not in REFUSED]
    rest = [n for n in names if n not in exact and n not in MODELLED and n not in REFUSED]
    o = ["### Every architecture of its list", "",
         f"{len(names)} names. {len(exact)} have rows (acceptance and tests/data/llamacpp) in which weights, caches, placement and compute buffers are equal, "
         f"{len(MODELLED)} have modelled compute buffers, {len(REFUSED)} are refused as the engine refuses them, {len(rest)} have rows that differ or none.", "",
         "Equal, with the number of rows: " + ", ".join(f"{n} {proved[n][0]}" for n in exact) + ".", "",
         "| architecture | not exact because |", "|---|---|"]
    o += [f"| {n} | {MODELLED[n]} |" for n in names if n in MODELLED]
    o += [f"| {n} | refused: {REFUSED[n]} |" for n in names if n in REFUSED]
    o += [f"| {n} | {'some compute buffers differ' if n in proved else 'no row'} |" for n in rest]
    return [*o, ""]


if __name__ == "__main__":
    lines = pathlib.Path(sys.argv[2]).read_text().splitlines() if len(sys.argv) > 2 else []
    print("\n".join(markdown(sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "hwledger"), lines)))
