#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive.py DESKTOP HWLEDGER: the whole planner by keyboard, read back through AT-SPI; every figure against `hwledger plan --json`."""
import json, os, pathlib, shlex, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from screen import Screen

DESKTOP, HWLEDGER = sys.argv[1:3]
HOME = pathlib.Path(os.environ["HOME"])
LABELS = {"weights": "weights", "KV cache": "kv_cache", "state": "recurrent_state", "compute": "compute", "output": "output", "overhead": "overhead"}
done = []


def plan_file(name, model, gpus, settings):
    lines = ["[Plan]", "Version=1", *([f"Model={model}"] if model else []), "[Devices]", "Detected=false", f"GPUs={';'.join(gpus)};", "RAM=64G", "[Settings]"]
    path = HOME / name
    path.write_text("\n".join(lines + [f"{k}={v}" for k, v in settings.items()]) + "\n")
    return str(path)


def cli(args):
    out = subprocess.run([HWLEDGER, *args], capture_output=True, text=True, timeout=120, check=False)
    assert out.stdout, f"{args}: {out.stderr}"
    return json.loads(out.stdout)


def plan_of(args):
    return cli(["plan", *args, "--json"])


def fullest(plan):
    """The device that the verdict hangs on, as the headline chooses it."""
    used = [d for d in plan["devices"] if d["used_bytes"]]
    gpus = [d for d in used if d["kind"] != "cpu" or d["verdict"] == "exceeds"] or used
    return max(gpus, key=lambda d: d["used_bytes"] / d["usable_bytes"])


def same(screen, plan, what):
    """The gauge and every class, to the byte. Waits: what is slower than a frame comes from a thread."""
    want = {k: plan["totals"][v] for k, v in LABELS.items() if any(e["kind"] == v for e in plan["entries"])}
    d = fullest(plan)
    gauge = (d["used_bytes"], max(d["usable_bytes"], d["used_bytes"]))
    seen = {}

    def check():
        seen.update(totals=screen.totals(), gauge=screen.gauge())
        return seen["totals"] == want and seen["gauge"] == gauge

    try:
        screen.until(check, what, 30)
    except AssertionError:
        raise AssertionError(f"{what}: want {want} {gauge}, seen {seen}") from None
    done.append(what)


def command_of(screen):
    """The export's command line, read from its preview."""
    screen.key("ctrl+shift+e")
    preview = screen.get("text", "Preview")
    document = json.loads(preview.get_text_iface().get_text(0, -1))
    time.sleep(0.3)
    screen.key("space")
    time.sleep(0.3)
    screen.key("Down", "Return")
    text = screen.until(lambda: (t := preview.get_text_iface().get_text(0, -1)).startswith("hwledger plan") and t, "the command line")
    screen.key("Escape")
    screen.until(lambda: not screen.has("text", "Preview"), "the dialog to close")
    return shlex.split(text)[1:], document


def choose_model(screen, name):
    screen.key("ctrl+m")
    screen.get("entry", "Search models")
    time.sleep(0.3)
    screen.type(name)
    time.sleep(0.5)
    screen.key("Return")
    screen.until(lambda: not screen.has("entry", "Search models"), "the chooser to close")


ROWS = {"Context": "ctx", "Sequences": "concurrency", "Layers on GPU": "ngl", "Physical batch": "ubatch", "Reserve": "reserve"}
KEYS = {"Layers on GPU": ["Left", "Page_Down", "Home", "End"]}


def sliders(screen, model, base):
    """Every slider by keyboard; after each key the figures are those of the command line."""
    args = dict(base)
    for label, option in ROWS.items():
        for key in KEYS.get(label, ["Right", "Page_Up", "Left"]):
            slider = screen.tab_to("slider", label)
            before = slider.get_value_iface().get_current_value()
            screen.key(key)
            screen.until(lambda: screen.slider_value(label) != before, f"{label} to move with {key}", 10)
            args[option] = str(int(screen.slider_value(label)))
            same(screen, plan_of([model, *words(args)]), f"{label} {key}")
    return args


def words(args):
    return [w for k, v in args.items() for w in (f"--{k}", v)]


def advice(screen, gpu):
    """A plan that does not fit: the first advice is used, proved by the command line, and taken back."""
    before = screen.totals(), screen.gauge()
    screen.until(lambda: screen.has("push button", "Use: .*"), "advice")
    time.sleep(0.3)
    screen.key("alt+1")
    screen.until(lambda: (screen.totals(), screen.gauge()) != before, "the advice to show")
    args, document = command_of(screen)
    plan = cli([*args, "--json"])
    same(screen, plan, f"advice: {' '.join(args)}")
    for key in plan:
        assert key == "advice" or plan[key] == document[key], f"export differs in {key}"
    done.append("export")
    screen.key("ctrl+z")
    screen.until(lambda: (screen.totals(), screen.gauge()) == before, "undo")
    done.append("undo")


def compare(screen):
    """Two plans side by side, their bytes those that were shown."""
    seen = []
    for key in ["Page_Up", "Page_Down"]:
        screen.tab_to("slider", "Context")
        before = screen.totals()
        screen.key(key)
        screen.until(lambda: screen.totals() != before, f"the context to move with {key}")
        seen.append(screen.totals()["KV cache"])
        screen.key("ctrl+p")
        time.sleep(0.3)
    screen.key("ctrl+3")
    for n in seen:
        screen.until(lambda: screen.has("panel", rf"KV cache {n:,} bytes.*"), f"a column with {n:,} bytes of cache")
    screen.key("ctrl+1")
    done.append("compare")


def explain(screen):
    """A class opens: its entries add up to the figure that is shown."""
    weights = screen.totals()["weights"]
    screen.tab_to("table cell", "weights, .*")
    screen.key("F2")
    screen.until(lambda: any(t.endswith(f"in all, {weights:,} bytes") for t in screen.texts()), "the entries behind the weights")
    screen.key("Escape")
    screen.until(lambda: not screen.has("list", "Entries"), "the dialog to close")
    done.append("explain")


def bad_file(screen, path):
    """One clear message, and the plan stays."""
    before = screen.totals(), screen.gauge()
    choose_model(screen, path.name)
    screen.until(lambda: any(path.name in t and "Reading" not in t for t in screen.texts()), "a message about the broken file")
    assert (screen.totals(), screen.gauge()) == before, "the plan changed with a file that cannot be read"
    done.append("bad file")


def main():
    broken = HOME / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\0\0\0" + b"\xff" * 64)
    recent = HOME / "state" / "hwledger"
    recent.mkdir(parents=True)
    (recent / "recent").write_text(str(broken))

    base = {"gpu": "RTX4090", "ram": "64G", "engine": "llama.cpp", "quant": "Q4_K_M", "ctx": "8192"}
    given = {k: v for k, v in base.items() if k not in ("gpu", "ram")}
    screen = Screen(DESKTOP, plan_file("first.hwplan", None, ["gpu=RTX4090"], given))
    choose_model(screen, "llama-3.1-8b")
    del base["quant"]  # a type chosen for one model does not go with another
    same(screen, plan_of(["llama-3.1-8b", *words(base)]), "model chosen")
    args = sliders(screen, "llama-3.1-8b", base)
    explain(screen)
    bad_file(screen, broken)
    compare(screen)
    args["ctx"] = str(int(screen.slider_value("Context")))
    screen.close()

    # the plan is remembered, without being told
    screen = Screen(DESKTOP)
    same(screen, plan_of(["llama-3.1-8b", *words(args)]), "remembered")
    screen.close()

    screen = Screen(DESKTOP, plan_file("over.hwplan", "qwen3-30b-a3b", ["gpu=RTX3060-12GB"],
                                       {"engine": "llama.cpp", "quant": "Q4_K_M", "ctx": "16384", "fit": "off"}))
    over = ["qwen3-30b-a3b", "--gpu", "RTX3060-12GB", "--ram", "64G", "--engine", "llama.cpp", "--quant", "Q4_K_M", "--ctx", "16384", "--fit", "off"]
    same(screen, plan_of(over), "does not fit")
    assert screen.has("label", "Does not fit")
    advice(screen, "RTX3060-12GB")
    screen.close()

    screen = Screen(DESKTOP, plan_file("server.hwplan", "llama-3.1-8b", ["gpu=H100-80GB", "gpu=H100-80GB"], {"engine": "vllm", "ctx": "32768"}))
    server = {"gpu": "H100-80GBx2", "ram": "64G", "engine": "vllm", "ctx": "32768"}
    same(screen, plan_of(["llama-3.1-8b", *words(server)]), "vLLM")
    for label, option, key in [("Utilisation", "gpu-memory-utilization", "Left"), ("Tensor parallel", "tp", "Right")]:
        slider = screen.tab_to("slider", label)
        before = slider.get_value_iface().get_current_value()
        screen.key(key)
        screen.until(lambda: screen.slider_value(label) != before, f"{label} to move")
        server[option] = f"{screen.slider_value(label):g}"
        same(screen, plan_of(["llama-3.1-8b", *words(server)]), f"{label} {key}")
    screen.close()
    assert len(done) >= 20, done
    print(f"{len(done)} passed: {', '.join(done)}")


main()
