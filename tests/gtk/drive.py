#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive.py DESKTOP HWLEDGER FAKE_NVML: the whole planner by keyboard, read back through AT-SPI; every figure against `hwledger plan --json`."""
import json, os, pathlib, re, shlex, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import figures
from screen import Screen

DESKTOP, HWLEDGER, FAKE_NVML = sys.argv[1:4]
HOME = pathlib.Path(os.environ["HOME"])
done = []
QUANT, KV = (5, "Q4_K_M"), (2, "q8_0")


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


def same(screen, plan, what):
    """Verdict, gauge, every class and every device, to the byte. Waits: what is slower than a frame comes from a thread."""
    want = {"totals": figures.totals(plan), "gauge": figures.gauge(plan), "bars": figures.bars(plan),
            "verdict": (figures.word(plan), f"{figures.percent(figures.fullest(plan))} %")}
    seen = {}

    def check():
        seen.update(screen.figures())
        return seen == want

    try:
        screen.until(check, what, 30)
    except AssertionError:
        wrong = [f"{k}: want {want[k]}, seen {seen.get(k)}" for k in want if seen.get(k) != want[k]]
        raise AssertionError(f"{what}: " + "; ".join(wrong)) from None
    done.append(what)


def words(args):
    return [w for k, v in args.items() for one in (v if isinstance(v, list) else [v]) for w in (f"--{k}", one)]


def agree(screen, model, args, what):
    same(screen, plan_of([model, *words(args)]), what)


def pick(screen, down):
    """A choice in the list of a drop-down that has the focus."""
    screen.key("space")
    time.sleep(0.25)
    screen.key(*["Down"] * down, "Return")


FORMATS = ["JSON document", "Command line", "Engine's command line", "Web page", "Picture (SVG)", "Plan file"]


def open_export(screen):
    screen.key("ctrl+shift+e")
    preview = screen.get("text", "Preview")
    time.sleep(0.2)
    return preview


def close_export(screen):
    screen.key("Escape")
    screen.until(lambda: not screen.has("text", "Preview"), "the dialog to close")


def command_of(screen):
    """The export's document and its command line, read from the preview."""
    preview = open_export(screen)
    document = json.loads(screen.text_of(preview))
    pick(screen, 1)
    text = screen.until(lambda: (t := screen.text_of(preview)).startswith("hwledger plan") and t, "the command line")
    close_export(screen)
    return shlex.split(text)[1:], document


def export(screen):
    """What is copied and what is saved is what the preview shows; the saved plan asks the same question."""
    preview = open_export(screen)
    pick(screen, 1)
    text = screen.until(lambda: (t := screen.text_of(preview)).startswith("hwledger plan") and t, "the command line")
    screen.tab_to("push button", "Copy")
    screen.key("space")
    close_export(screen)
    screen.key("ctrl+d")
    field = screen.tab_to("text", "Add by memory")  # over the list, which is one stop
    screen.key("ctrl+v")
    screen.until(lambda: screen.text_of(field) == text, f"what was copied: {text}")
    screen.key("ctrl+a", "Delete", "Escape")
    screen.until(lambda: not screen.has("list", "Accelerators"), "the dialog to close")
    done.append("copy")

    path = HOME / "saved.hwplan"
    preview = open_export(screen)
    pick(screen, 5)
    text = screen.until(lambda: (t := screen.text_of(preview)).startswith("[Plan]") and t, "the plan file")
    screen.tab_to("push button", "Save …")
    screen.key("space")
    screen.until(lambda: screen.has("file chooser", ".*") or screen.has("dialog", "Save") or screen.has("filler", "Save"), "the file dialog")
    time.sleep(0.5)
    screen.key("ctrl+a")
    screen.type(str(path))
    screen.key("Return")
    screen.until(path.exists, "the saved file")
    assert path.read_text() == text, "what was saved is not what was shown"
    close_export(screen)
    done.append("save")
    return path


def choose_model(screen, name):
    screen.key("ctrl+m")
    screen.get("entry", "Search models")
    time.sleep(0.3)
    screen.type(name)
    time.sleep(0.5)
    screen.key("Return")
    screen.until(lambda: not screen.has("entry", "Search models"), "the chooser to close")


def step(screen, label, option, keys, model, args):
    """A slider by keyboard; after each key the figures are those of the command line."""
    for key in keys:
        slider = screen.tab_to("slider", label)
        before = slider.get_value_iface().get_current_value()
        screen.key(key)
        screen.until(lambda: screen.slider_value(label) != before, f"{label} to move with {key}", 10)
        args[option] = f"{screen.slider_value(label):.2f}" if option == "gpu-memory-utilization" else str(int(screen.slider_value(label)))
        agree(screen, model, args, f"{label} {key}")


def choose(screen, label, option, down, value, model, args):
    """A choice of the settings by keyboard."""
    screen.tab_to("combo box", label)
    pick(screen, down)
    args[option] = value
    agree(screen, model, args, f"{label} {value}")


LLAMA = [("Context", "ctx", ["Right", "Page_Up", "Left"]), ("Sequences", "concurrency", ["Right", "Page_Up", "Home"]),
         ("Layers on GPU", "ngl", ["Left", "Page_Down", "Home", "End"]), ("Experts on host", "n-cpu-moe", ["Right", "Page_Up", "Left"]),
         ("Physical batch", "ubatch", ["Right", "Page_Up", "Left"]), ("Reserve", "reserve", ["Right", "Page_Up"])]
VLLM = [("Context", "ctx", ["Page_Up", "Left"]), ("Sequences", "concurrency", ["Right"]), ("Tensor parallel", "tp", ["Right", "Left"]),
        ("Utilisation", "gpu-memory-utilization", ["Left", "Page_Down"]), ("Step sequences", "max-seqs", ["Page_Down"]), ("Reserve", "reserve", ["Right"])]


def more(screen):
    screen.tab_to("push button", "More settings")
    screen.key("space")
    screen.until(lambda: screen.has("push button", "Fewer settings"), "more settings")


def llama_cpp(screen, model, args):
    for row in LLAMA:
        step(screen, *row, model, args)
    more(screen)
    choose(screen, "Flash attention", "flash-attn", 2, "on", model, args)
    step(screen, "Logical batch", "batch", ["Page_Down", "Right"], model, args)
    choose(screen, "Split mode", "split-mode", 3, "none", model, args)


def server():
    """An engine that takes its share and fills it."""
    model, args = "llama-3.1-8b", {"gpu": ["H100-80GB", "H100-80GB"], "ram": "64G", "engine": "vllm", "ctx": "32768"}
    screen = Screen(DESKTOP, plan_file("server.hwplan", model, ["gpu=H100-80GB", "gpu=H100-80GB"], {"engine": "vllm", "ctx": "32768"}))
    agree(screen, model, args, "vLLM")
    for row in VLLM:
        step(screen, *row, model, args)
    more(screen)
    step(screen, "Pipeline", "pp", ["Right"], model, args)
    step(screen, "Step tokens", "max-batched-tokens", ["Page_Up"], model, args)
    screen.tab_to("check box", "Eager mode.*")
    screen.key("space")
    same(screen, plan_of([model, *words(args), "--enforce-eager"]), "Eager mode")
    pins(screen, 2, "Utilisation")
    screen.close()


def devices():
    """The chooser of devices: by the catalogue, by memory, several, fewer, host memory; each at once in the plan."""
    model, args = "llama-3.2-1b", {"gpu": "RTX4090", "ram": "64G", "engine": "llama.cpp", "ctx": "8192"}
    screen = Screen(DESKTOP, plan_file("devices.hwplan", model, ["gpu=RTX4090"], {"engine": "llama.cpp", "ctx": "8192"}))
    agree(screen, model, args, "devices")
    screen.key("ctrl+d")
    screen.get("entry", "Search accelerators")
    time.sleep(0.3)
    base = [model, "--engine", "llama.cpp", "--ctx", "8192"]
    screen.type("h100 80gb")
    time.sleep(0.3)
    screen.key("Return")
    screen.get("push button", "Remove .*H100.*")
    name = screen.get("push button", "Remove .*H100.*").get_name().removeprefix("Remove ")
    same(screen, plan_of([*base, "--ram", "64G", "--gpu", "RTX4090", "--gpu", name]), "a device of the catalogue")
    screen.tab_to("push button", re.escape(f"One more {name}"), "shift+Tab")
    screen.key("space")
    screen.until(lambda: len(list(screen.all("push button", re.escape(f"Remove {name}")))) == 2, "one more device")
    same(screen, plan_of([*base, "--ram", "64G", "--gpu", "RTX4090", "--gpu", name, "--gpu", name]), "one more of it")
    screen.tab_to("push button", "Remove RTX4090")
    screen.key("space")
    same(screen, plan_of([*base, "--ram", "64G", "--gpu", name, "--gpu", name]), "a device removed")
    screen.tab_to("text", "Add by memory", "shift+Tab")
    screen.type("12G/10Gx2")
    screen.key("Return")
    gpus = ["--gpu", name, "--gpu", name, "--gpu-memory", "12G/10Gx2"]
    same(screen, plan_of([*base, "--ram", "64G", *gpus]), "devices by memory")
    screen.tab_to("text", "Host memory", "shift+Tab")
    screen.key("ctrl+a")
    screen.type("32G/20G")
    screen.key("Return")
    same(screen, plan_of([*base, "--ram", "32G/20G", *gpus]), "host memory")
    screen.tab_to("text", "Add by memory")
    screen.key("ctrl+a")
    screen.type("nonsense")
    screen.key("Return")
    screen.until(lambda: any("nonsense" in t for t in screen.texts()), "what is wrong with the size")
    same(screen, plan_of([*base, "--ram", "32G/20G", *gpus]), "a size that is none")
    screen.key("Escape")
    screen.until(lambda: not screen.has("list", "Accelerators"), "the dialog to close")
    screen.close()


def advice(screen, gpu):
    """A plan that does not fit: the first advice is used, proved by the command line, and taken back."""
    before = screen.figures()
    screen.until(lambda: screen.has("push button", "Use: .*"), "advice")
    time.sleep(0.3)
    screen.key("alt+1")
    screen.until(lambda: screen.totals() != before["totals"], "the advice to show")
    args, document = command_of(screen)
    plan = cli([*args, "--json"])
    same(screen, plan, f"advice: {' '.join(args)}")
    for key in plan:
        assert key == "advice" or plan[key] == document[key], f"export differs in {key}: {plan[key]} {document[key]}"
    done.append("export")
    screen.key("ctrl+z")
    screen.until(lambda: screen.figures() == before, "undo")
    done.append("undo")


def pins(screen, n, slider="Context"):
    """Plans side by side, up to four; their bytes are those that were shown, their differences those from the first."""
    seen = []
    for i in range(n):
        screen.tab_to("slider", slider)
        before = screen.totals()
        screen.key("Page_Down" if i % 2 else "Page_Up" if i else "Left")
        screen.until(lambda: screen.totals() != before, f"{slider} to move")
        time.sleep(0.3)
        seen.append(screen.totals())
        screen.key("ctrl+p")
        time.sleep(0.2)
    screen.key("ctrl+3")
    for i, totals in enumerate(seen):
        panel = screen.get("panel", f"Plan {i + 1}: .*")
        said = [n.get_name() for n in screen.walk(panel) if n.get_role_name() == "panel"]
        for label, count in [*totals.items(), ("all", sum(totals.values()))]:
            if count:
                assert any(t.startswith(f"{label} {count:,} bytes") for t in said), f"plan {i + 1}: {label} {count:,} bytes is not among {said}"
        if i and totals != seen[0]:
            assert any(re.search(r"bytes, [+−]", t) for t in said), f"plan {i + 1}: no difference among {said}"
    assert not screen.has("panel", f"Plan {n + 1}: .*")
    screen.key("ctrl+1")
    done.append(f"compare {n}")


def explain(screen):
    """A class opens: its entries add up to the figure that is shown."""
    weights = screen.totals()["weights"]
    # the list is one stop, at the class where the focus was last; within it the arrows move
    screen.tab_to("table cell", ".* bytes, .*")
    cell = screen.get("table cell", "weights, .*")
    screen.key("Home")
    screen.until(lambda: screen.focused(cell), "the first class to have the focus", 10)
    screen.key("F2")
    screen.until(lambda: any(t.endswith(f"in all, {weights:,} bytes") for t in screen.texts()), "the entries behind the weights")
    screen.key("Escape")
    screen.until(lambda: not screen.has("list", "Entries"), "the dialog to close")
    done.append("explain")


def bad_file(screen, path):
    """One clear message, and the plan stays."""
    before = screen.figures()
    choose_model(screen, path.name)
    screen.until(lambda: any(path.name in t and "Reading" not in t for t in screen.texts()), "a message about the broken file")
    assert screen.figures() == before, "the plan changed with a file that cannot be read"
    done.append("bad file")


def result_file():
    """A document of `hwledger plan --json` opens: its question is asked again. One without it is said to be one."""
    args = ["llama-3.1-8b", "--gpu", "RTX4090x2", "--gpu-memory", "24G/20G", "--ram", "64G", "--engine", "llama.cpp", "--lora", "8", "--lora", "16x2",
            "--override-tensor", r"blk\.1\..*=CPU", "--no-mmap", "--json", "--", "-c", "16384", "-ub", "256"]
    document = cli(["plan", *args])
    path = HOME / "result.json"
    path.write_text(json.dumps(document))
    screen = Screen(DESKTOP, str(path))
    same(screen, document, "a document opened")
    screen.close()
    del document["request"]
    path.write_text(json.dumps(document))
    screen = Screen(DESKTOP, str(path))
    screen.until(lambda: any("does not hold what was asked" in t and ".hwplan" in t for t in screen.texts()), "what the document is", 20)
    screen.close()
    done.append("a document without its question")


def reading():
    """A read that is cancelled stops and leaves the plan; a window that closes meanwhile leaves nothing behind."""
    slow = HOME / "slow.gguf"
    key = b"general.architecture"
    entry = b"".join(len(k).to_bytes(8, "little") + k + (4).to_bytes(4, "little") + b"\0\0\0\0" for k in (b"k%d" % i for i in range(300)))
    slow.write_bytes(b"GGUF\x03\0\0\0" + (1).to_bytes(8, "little") + (301).to_bytes(8, "little") + len(key).to_bytes(8, "little") + key
                     + (8).to_bytes(4, "little") + (5).to_bytes(8, "little") + b"llama" + entry + b"\0" * 64)
    (HOME / "state" / "hwledger" / "recent").write_text(str(slow))
    screen = Screen(DESKTOP, "--rest", "100", plan_file("small.hwplan", "llama-3.2-1b", ["gpu=RTX4090"], {"engine": "llama.cpp", "ctx": "8192"}))
    screen.until(screen.totals, "a plan")
    before = screen.figures()
    choose_model(screen, slow.name)
    screen.until(lambda: any(t == "Reading slow.gguf" for t in screen.texts()), "what is read")
    screen.until(lambda: screen.reads(slow), "the file to be open")
    screen.tab_to("push button", "Cancel")
    screen.key("space")
    screen.until(lambda: not any(t == "Reading slow.gguf" for t in screen.texts()), "the reading to be over")
    screen.until(lambda: not screen.reads(slow), "the file to be let go", 5)
    assert screen.figures() == before
    done.append("cancel")
    choose_model(screen, slow.name)
    screen.until(lambda: screen.reads(slow), "the file to be open again")
    begin = time.time()
    screen.close()
    assert time.time() - begin < 10, "the window waited for a reader that nobody wants"
    done.append("closed while reading")


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
        # without a model: what the machine does, and no plan beside it
        (HOME / "state" / "hwledger" / "last.hwplan").unlink()
        screen = Screen(DESKTOP)
        screen.get("push button", "Choose a model")
        screen.key("ctrl+4")
        screen.until(lambda: screen.has("image", re.escape(spoken(gpus[0]))), "a device, without a model", 20)
        screen.until(lambda: screen.has("list item", rf"process {server.pid} .* on cpu: measured [\d,]+ bytes, planned [\d,]+ bytes, .*"), "a process", 30)
        assert not any("The plan" in t for t in screen.texts()), "a plan is spoken of that is not there"
        screen.key("ctrl+1")
        screen.get("push button", "Choose a model")
        screen.close()
        done.append("monitor without a model")
        screen = Screen(DESKTOP, plan_file("machine.hwplan", "llama-3.1-8b", [], {"engine": "llama.cpp", "ctx": "8192"}))
        screen.until(screen.totals, "a plan")
        screen.key("ctrl+4")
        for d in gpus:
            screen.until(lambda: screen.has("image", re.escape(spoken(d))), spoken(d), 20)
        host = devices[-1]
        screen.until(lambda: screen.has("image", rf"cpu: [\d,]+ bytes used, .* of {host['total_bytes']:,} bytes .*"), "the host", 30)
        screen.until(lambda: screen.has("list item", r"process 4711 .* on gpu0: measured 536,870,912 bytes"), "a process", 30)
        screen.until(lambda: screen.has("list item", r"process 4712 .* on gpu0: measured unknown"), "a process whose memory nobody tells", 30)
        row = screen.get("list item", rf"process {server.pid} .* on cpu: measured [\d,]+ bytes, planned [\d,]+ bytes, .*, engine llama.cpp")
        assert re.search(r"planned [1-9]", row.get_name()), row.get_name()
        # where the plan has bytes and the driver sees none
        screen.until(lambda: screen.has("list item", rf"process {server.pid} .* on gpu0: measured unknown, planned [1-9].*"), "planned on a GPU", 30)
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

    args = {"gpu": ["RTX4090", "RTX4090"], "ram": "64G", "engine": "llama.cpp", "ctx": "8192"}
    given = {"engine": "llama.cpp", "ctx": "8192", "quant": "Q4_K_M"}
    screen = Screen(DESKTOP, plan_file("first.hwplan", None, ["gpu=RTX4090", "gpu=RTX4090"], given))
    choose_model(screen, "qwen3-30b")
    agree(screen, "qwen3-30b-a3b", args, "model chosen")  # a type chosen for one model does not go with another
    choose(screen, "Quantisation", "quant", *QUANT, "qwen3-30b-a3b", args)
    choose(screen, "KV type", "kv-type", *KV, "qwen3-30b-a3b", args)
    llama_cpp(screen, "qwen3-30b-a3b", args)
    explain(screen)
    bad_file(screen, broken)
    pins(screen, 4)
    args["ctx"] = str(int(screen.slider_value("Context")))
    agree(screen, "qwen3-30b-a3b", args, "after the comparison")
    saved = export(screen)
    screen.close()

    # the plan is remembered, without being told; and the saved one opens
    for file in [[], [str(saved)]]:
        screen = Screen(DESKTOP, *file)
        agree(screen, "qwen3-30b-a3b", args, "opened" if file else "remembered")
        screen.close()

    screen = Screen(DESKTOP, plan_file("over.hwplan", "qwen3-30b-a3b", ["gpu=RTX3060-12GB"],
                                       {"engine": "llama.cpp", "quant": "Q4_K_M", "ctx": "16384", "fit": "off"}))
    over = ["qwen3-30b-a3b", "--gpu", "RTX3060-12GB", "--ram", "64G", "--engine", "llama.cpp", "--quant", "Q4_K_M", "--ctx", "16384", "--fit", "off"]
    same(screen, plan_of(over), "does not fit")
    assert screen.verdict()[:2] == ["✕", "Does not fit"]
    advice(screen, "RTX3060-12GB")
    screen.close()

    server()
    devices()
    reading()
    result_file()
    monitor()
    assert len(done) >= 60, done
    print(f"{len(done)} passed: {', '.join(done)}")


main()
