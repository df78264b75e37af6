#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive.py DESKTOP HWLEDGER FAKE_NVML: the whole planner by keyboard, read back through AT-SPI; every figure against `hwledger plan --json`."""
import json, os, pathlib, re, shlex, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from screen import Screen

DESKTOP, HWLEDGER, FAKE_NVML = sys.argv[1:4]
HOME = pathlib.Path(os.environ["HOME"])
LABELS = {"weights": "weights", "KV cache": "kv_cache", "state": "recurrent_state", "compute": "compute", "output": "output", "overhead": "overhead"}
done = []


def plan_file(name, model, gpus, settings):
    lines = ["[Plan]", "Version=1", *([f"Model={model}"] if model else []), "[Devices]", f"Detected={'false' if gpus else 'true'}",
             *([f"GPUs={';'.join(gpus)};"] if gpus else []), "RAM=64G", "[Settings]"]
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


def result_file():
    """A document of `hwledger plan --json` is said to be one: it is no model, and the question is not in it."""
    path = HOME / "result.json"
    path.write_text(json.dumps(plan_of(["llama-3.1-8b", "--gpu", "RTX4090"])))
    screen = Screen(DESKTOP, str(path))
    screen.until(lambda: any("hwledger.plan/1" in t and ".hwplan" in t for t in screen.texts()), "what the document is", 20)
    screen.close()
    done.append("result file")


def spoken(device):
    """What the page says of a device of `hwledger watch --json`, but for what moves between two looks at the host."""
    def size(n):
        return "unknown" if n is None else f"{n:,} bytes"

    used, free, total, reserved = (device[k + "_bytes"] for k in ("used", "free", "total", "reserved"))
    text = f"{device['id']}: {size(used)} used" + (f", {size(reserved)} reserved by the driver" if reserved else "")
    text += f", {size(free)} free of {size(total)} ({-(-used * 100 // total)} %)"
    figures = []
    if device["busy_percent"] is not None:
        figures.append(f"busy {device['busy_percent']} %")
    if device["temperature_millidegrees"] is not None:
        figures.append(f"{device['temperature_millidegrees'] // 1000} C")
    if device["power_milliwatts"] is not None:
        limit = device["power_limit_milliwatts"]
        figures.append(f"{device['power_milliwatts'] // 1000}" + (f" of {limit // 1000}" if limit is not None else "") + " W")
    return "  ".join([text, *figures])


def monitor():
    """The machine with a driver of ours: devices as `hwledger watch` has them, and an engine's process against its plan."""
    driver, module = HOME / "driver", HOME / "module"
    driver.mkdir()
    module.mkdir()
    (driver / "libnvidia-ml.so.1").symlink_to(pathlib.Path(FAKE_NVML).resolve())
    os.environ["LD_LIBRARY_PATH"] = str(driver)
    # Python takes -m as llama-server does: to the monitor this is a server with a model
    (module / "qwen3-30b-a3b.py").write_text("import time\ntime.sleep(600)\n")
    server = subprocess.Popen(["llama-server", "-m", "qwen3-30b-a3b", "-c", "4096"], executable="/usr/bin/python3", env={"PYTHONPATH": str(module)})
    try:
        devices = cli(["watch", "--count", "1", "--json"])["devices"]
        gpus = [d for d in devices if d["id"] != "cpu"]
        assert len(gpus) == 2 and gpus[0]["used_bytes"] == 1 << 30, devices
        screen = Screen(DESKTOP, plan_file("machine.hwplan", "llama-3.1-8b", [], {"engine": "llama.cpp", "ctx": "8192"}))
        screen.until(screen.totals, "a plan")
        screen.key("ctrl+4")
        for d in gpus:
            screen.until(lambda: screen.has("image", re.escape(spoken(d))), spoken(d), 20)
        host = devices[-1]
        screen.until(lambda: screen.has("image", rf"cpu: [\d,]+ bytes used, .* of {host['total_bytes']:,} bytes .*"), "the host", 10)
        screen.until(lambda: screen.has("list item", r"process 4711 .* on gpu0: measured 536,870,912 bytes"), "a process", 10)
        screen.until(lambda: screen.has("list item", r"process 4712 .* on gpu0: measured unknown"), "a process whose memory nobody tells", 10)
        row = screen.get("list item", rf"process {server.pid} .* on cpu: measured [\d,]+ bytes, planned [\d,]+ bytes, .*, engine llama.cpp")
        assert re.search(r"planned [1-9]", row.get_name()), row.get_name()
        # where the plan has bytes and the driver sees none
        screen.until(lambda: screen.has("list item", rf"process {server.pid} .* on gpu0: measured unknown, planned [1-9].*"), "planned on a GPU", 10)
        assert any(re.fullmatch(r"The plan takes .* here; .* would be left\.", t) for t in screen.texts()), "the plan beside the machine"
        assert f"Process {server.pid} against its plan: qwen3-30b-a3b" in screen.texts()
        screen.key("ctrl+1")
        screen.close()
    finally:
        server.kill()
        server.wait()
        del os.environ["LD_LIBRARY_PATH"]
    done.append("monitor")


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
    result_file()
    monitor()
    assert len(done) >= 22, done
    print(f"{len(done)} passed: {', '.join(done)}")


main()
