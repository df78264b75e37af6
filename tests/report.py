#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plan --html and --svg: well formed, every figure that of --json, foreign text escaped, nothing loaded from elsewhere."""
import html.parser, json, pathlib, re, subprocess, sys, tempfile, xml.etree.ElementTree as ET

PROGRAM = sys.argv[1]
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 512, "num_hidden_layers": 3, "num_attention_heads": 8,
          "num_key_value_heads": 8, "intermediate_size": 1024, "vocab_size": 1000, "max_position_embeddings": 2048, "torch_dtype": "float16"}
EVIL = '<script>alert(1)<'  # a folder's name cannot hold a slash
VOID = {"meta", "br", "hr", "img", "input", "link", "rect", "path"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells, self.text, self.ok = [], [], [], True

    def handle_starttag(self, tag, attrs):
        self.ok &= tag not in ("script", "link", "img", "iframe", "object")
        self.ok &= not any(k.startswith("on") or k in ("src", "href") for k, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.ok &= bool(self.open) and self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.cells and ("td" in self.open or "th" in self.open):
            self.cells[-1] += data


def classes(text):
    return {c for v in re.findall(r'class="([^"]*)"', text) for c in v.split()}


def check_picture(tree, plan):
    """Nothing reaches over the edge or into its neighbour, every class has a style, every device its figures."""
    _, _, width, height = (float(x) for x in tree.get("viewBox").split())
    svg = "{http://www.w3.org/2000/svg}"
    for r in tree.iter(svg + "rect"):
        x, y, w, h = (float(r.get(k, 0)) for k in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height, r.attrib
    ends = {}
    for t in tree.iter(svg + "text"):
        x, y, n = float(t.get("x")), float(t.get("y")), len(t.text)
        kind = t.get("class").split()
        if "e" in kind or "c" in kind:
            continue
        assert y <= height and x + 6.5 * n * (1.5 if "b" in kind else 1) <= width or "b" in kind, (t.text, x, y)
        assert ends.get(y, 0) <= x, t.text
        ends[y] = x + 6 * n
    styled = set(re.findall(r"\.([a-z][a-z0-9]*)\b", tree.find(svg + "style").text))
    assert classes(ET.tostring(tree, encoding="unicode")) <= styled
    assert len(re.findall("prefers-color-scheme:dark", tree.find(svg + "style").text)) == 1
    written = [t.text for t in tree.iter(svg + "text")]
    for d in plan["devices"]:
        if d["used_bytes"]:
            figures = f"{d['used_bytes'] / 2**30:.2f} of {d['usable_bytes'] / 2**30:.2f} GiB, "
            assert d["used_bytes"] < 2**30 / 100 or any(w.startswith(figures) for w in written), (d, written)


def check(arguments, folder):
    page, picture = folder / "plan.html", folder / "plan.svg"
    run = subprocess.run([PROGRAM, "plan", *arguments, "--json", "--html", page, "--svg", picture], capture_output=True, text=True)
    assert run.returncode in (0, 3), run.stderr
    plan = json.loads(run.stdout)
    tree = ET.fromstring(picture.read_text())
    spoken = [t.text for t in tree.iter("{http://www.w3.org/2000/svg}title")]
    check_picture(tree, plan)
    p = Page()
    p.feed(page.read_text())
    names = classes(re.sub(r"<svg.*?</svg>", "", page.read_text(), flags=re.S))
    styled = set(re.findall(r"\.([a-z][a-z0-9]*)\b", re.search(r"<svg.*?<style>(.*?)</style>", page.read_text(), re.S)[1]))
    assert not names & styled, f"the picture's style reaches the page: {names & styled}"
    assert page.read_text().count("<svg") == 1 and ET.fromstring(re.search(r"<svg.*</svg>", page.read_text(), re.S)[0]) is not None
    assert p.ok and not p.open, f"not well nested: {p.open}"
    cells = set(p.cells)
    for d in plan["devices"]:
        assert f"{d['used_bytes']:,}" in cells, d
    for kind, n in plan["totals"].items():
        assert not n or f"{n:,}" in cells, kind
    devices = {e["device"] for e in plan["entries"]}
    for device in devices:
        for kind in plan["totals"]:
            n = sum(e["bytes"] for e in plan["entries"] if e["device"] == device and e["kind"] == kind)
            assert not n or any(f"{n:,} bytes" in s for s in spoken), (device, kind, n)
    for a in plan["advice"]:
        assert any(a["cost"] in t for t in p.text), a
    assert "http" not in page.read_text().replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    return "".join(p.text)


n = 0
with tempfile.TemporaryDirectory() as name:
    root = pathlib.Path(name)
    evil = root / EVIL
    evil.mkdir()
    (evil / "config.json").write_text(json.dumps(CONFIG))
    for arguments in (["llama-3.1-8b", "--gpu", "RTX4090", "--engine", "llama.cpp", "--ram", "64GiB", "--quant", "Q4_K_M"],
                      ["mixtral-8x7b", "--gpu", "RTX4090", "--engine", "llama.cpp", "--ram", "64GiB", "--program", "library"],
                      ["deepseek-v3", "--gpu", "H100x8", "--tp", "8", "--engine", "vllm", "--ram", "64GiB"],
                      ["qwen3-30b-a3b", "--gpu", "RTX4090", "--gpu", "RTX3060", "--gpu", "H100", "--gpu", "A100-80GB", "--engine", "llama.cpp", "--ram", "64GiB"],
                      ["llama-3.1-405b", "--gpu", "H100x16", "--engine", "llama.cpp", "--ram", "64GiB", "--ngl", "40"],
                      [str(evil), "--gpu", "none", "--ram", "64GiB"]):
        text = check(arguments, root)
        n += 1
    assert EVIL in text, "the name is shown as it is"
    bad = subprocess.run([PROGRAM, "plan", "llama-3.1-8b", "--gpu", "H100", "--svg", root / "no" / "x.svg"], capture_output=True, text=True)
    assert bad.returncode == 1 and bad.stderr.startswith("hwledger: ") and "\n" not in bad.stderr.strip(), bad
print(f"{n + 1} reports, 0 failed")
