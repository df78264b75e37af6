#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The terminal planner in a real terminal (tmux): start, keys, mouse, resize, suspend, figures equal to plan --json, clean end."""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile, time

program = os.path.abspath(sys.argv[1])
if not shutil.which("tmux") or not os.path.exists(program + "-tui"):
    print("skipped: no tmux, or no hwledger-tui")
    sys.exit(77)
ARGS = ["mixtral-8x7b", "--gpu", "RTX4090", "--ram", "64GiB", "--engine", "llama.cpp", "--quant", "Q4_K_M", "--ctx", "8k", "--program", "library"]
n = 0


class Terminal:
    def __init__(self, width, height, command, folder, **env):
        self.folder = folder
        self.socket = os.path.join(folder, "tmux")
        clean = {k: v for k, v in os.environ.items() if k not in ("TMUX", "NO_COLOR", "COLORFGBG")} | {"LANG": "C.UTF-8", "HOME": folder}
        words = " ".join(f"{k}={v}" for k, v in env.items())
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                  f"{words} {command}; echo code=$?; exec sleep 30", env=clean)

    def tmux(self, *args, env=None):
        return subprocess.run(["tmux", "-S", self.socket, *args], capture_output=True, text=True, env=env, check=True, cwd=self.folder).stdout

    def screen(self, colours=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait(self, text, seconds=20):
        end = time.time() + seconds
        while time.time() < end:
            s = self.screen()
            if re.search(text, s):
                return s
            time.sleep(0.05)
        raise AssertionError(f"no {text!r} in\n{self.screen()}")

    def keys(self, *keys):
        for k in keys:
            self.tmux("send-keys", k)

    def click(self, x, y):
        self.tmux("send-keys", "-l", f"\033[M {chr(33 + x)}{chr(33 + y)}\033[M#{chr(33 + x)}{chr(33 + y)}")  # kmous of screen-256color

    def end(self):
        self.tmux("kill-server")


def plan(*more):
    return json.loads(subprocess.run([program, "plan", *ARGS, *more, "--json"], capture_output=True, text=True).stdout)


def headline(p):
    d = max(p["devices"], key=lambda d: d["kind"] == "gpu")
    return re.escape(f"{d['used_bytes'] / 2**30:.2f} of {d['usable_bytes'] / 2**30:.2f} GiB")


def passed():
    global n
    n += 1


command = f"{program} tui " + " ".join(ARGS)
with tempfile.TemporaryDirectory() as folder:
    t = Terminal(100, 30, command, folder, TERM="screen-256color")
    try:
        t.wait("DOES NOT FIT x  " + headline(plan()))
        s = t.wait(r"1 expert layers on host")
        passed()
        assert "\033[" in t.screen(True)
        t.keys("M-1")  # advice
        t.wait("FITS, TIGHT !  " + headline(plan("--n-cpu-moe", "6")))
        t.wait("advice 1 used")
        passed()
        t.keys("u")
        t.wait("DOES NOT FIT x  " + headline(plan()))
        passed()
        t.keys("4", "k", "Enter")  # a typed context
        t.wait("  4,096")
        t.wait(headline(plan("--ctx", "4k")))
        passed()
        t.keys("q")
        s = t.wait("code=0")
        passed()
    finally:
        t.end()
with tempfile.TemporaryDirectory() as folder:
    t = Terminal(100, 30, f"{program} tui --ascii " + " ".join(ARGS), folder, TERM="screen-256color", NO_COLOR="1")
    try:
        t.wait("Advice.*\n.*1 ")
        colours = re.findall(r"\033\[[0-9;]*m", t.screen(True))
        assert not any(re.search(r"(^|[\[;])(3[0-7]|4[0-7]|38|48)([;m])", c) for c in colours), colours
        assert t.screen().isascii()
        passed()
        for size in ((40, 12), (120, 40), (20, 5), (80, 24)):  # at any moment
            t.tmux("resize-window", "-x", str(size[0]), "-y", str(size[1]))
            time.sleep(0.2)
        t.wait(r"\+-\[Controls 1-10")
        passed()
        row = next(i for i, line in enumerate(t.screen().splitlines()) if line.startswith("| layers"))
        t.click(3, row)
        t.wait(r"\|>layers")
        passed()
        t.keys("m")
        t.wait("Search:")
        for c in "llama-3.1-8b":
            t.keys(c)
        t.wait("Search: llama-3.1-8b")
        t.keys("Enter")
        t.wait("FITS ok")
        assert "llama-3.1-8b Q4_K_M" in t.screen()
        passed()
        t.keys("d")
        t.wait("this machine")
        for c in "6000":
            t.keys(c)
        t.keys("Escape")
        time.sleep(0.3)  # Esc and a letter at once would be Alt and the letter
        t.keys("w", "Enter")
        t.wait("written: hwledger-plan")
        t.keys("q")
        t.wait("code=0")
        passed()
    finally:
        t.end()
    saved = json.loads((pathlib.Path(folder) / "hwledger-plan.json").read_text())
    assert saved["schema"] == "hwledger.plan/1" and saved["model"]["name"] == "llama-3.1-8b"
# a disk that takes five seconds: keys and figures go on, Esc leaves it, what is read to its end is shown
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 512, "num_hidden_layers": 3, "num_attention_heads": 8,
          "num_key_value_heads": 8, "intermediate_size": 1024, "vocab_size": 1000, "max_position_embeddings": 2048, "torch_dtype": "float16"}
slow = os.environ.get("FAKE_SLOW", "")
sanitised = b"__asan_init" in pathlib.Path(program + "-tui").read_bytes()  # it wants to be loaded first
if os.path.exists(slow) and not sanitised:
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder, "slow-model")
        model.mkdir()
        (model / "config.json").write_text(json.dumps(CONFIG))
        os.mkfifo(pathlib.Path(folder, "pipe.gguf"))
        t = Terminal(100, 30, command, folder, TERM="screen-256color", LD_PRELOAD=slow)
        try:
            t.wait("DOES NOT FIT x")
            for round in range(2):
                t.keys("m")
                t.wait("Search:")
                t.tmux("send-keys", "-l", "./slow-model")
                t.wait("Search: ./slow-model")
                t.keys("Enter")
                start = time.time()
                t.wait(r"reading ./slow-model: 0 %  \(Esc leaves it\)", 2)
                t.keys("Left")
                t.wait("  7,168" if round else "  7,680", 2)
                t.keys("Tab", "BTab")
                t.wait(r"\[Controls", 2)
                assert time.time() - start < 4.5, "the keys waited for the disk"
                if not round:
                    t.keys("Escape")
                    t.wait("DOES NOT FIT x", 2)
                    assert time.time() - start < 4.5 and "reading" not in t.screen()
            t.wait("FITS ok", 40)
            assert "slow-model" in t.screen().splitlines()[0]
            passed()
            t.keys("m")
            t.wait("Search:")
            t.tmux("send-keys", "-l", "./pipe.gguf")
            t.keys("Enter")
            t.wait("not a regular file but a FIFO", 5)
            assert "FITS ok" in t.screen()  # the last plan stays
            passed()
            t.keys("v")
            t.wait("against the quantisation", 5)
            t.keys("Escape")
            time.sleep(0.3)  # with a letter at once it would be Alt
            t.keys("q")
            t.wait("code=0", 3)
            passed()
        finally:
            t.end()
# answers that take long are worked out beside the keys: charts open at once, the slider moves on, q does not wait
with tempfile.TemporaryDirectory() as folder:
    t = Terminal(100, 30, f"{program} tui deepseek-v3 --gpu RTX4090x8 --ram 512GiB --engine llama.cpp --ctx 8k", folder, TERM="screen-256color")
    try:
        t.wait("DOES NOT FIT x", 30)
        t.keys("v")
        t.wait("Charts", 3)
        t.tmux("send-keys", "Escape", "Right")  # at once: both count
        t.wait("  9,216", 3)
        assert "Charts" not in t.screen()
        t.keys("q")
        t.wait("code=0", 3)
        passed()
    finally:
        t.end()
# without a terminal: the table, or a word why not
table = subprocess.run([program, "tui", *ARGS], capture_output=True, text=True, stdin=subprocess.DEVNULL)
assert table.returncode == 3 and table.stdout.startswith("DOES NOT FIT"), table
passed()
none = subprocess.run([program, "tui"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
assert none.returncode == 2 and none.stderr.startswith("hwledger: "), none
passed()
print(f"{n} steps, 0 failed")
