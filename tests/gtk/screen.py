# SPDX-License-Identifier: Apache-2.0
"""The desktop as a person at keyboard and screen reader has it: widgets by role and name, keys, figures as they are said."""
import os, re, subprocess, time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi

WAIT = 60


class Screen:
    def __init__(self, program, *args):
        self.known = {}
        self.process = subprocess.Popen([program, *args], stdout=subprocess.DEVNULL)
        self.app = self.until(self.find_app, "the program on the accessibility bus")
        self.until(lambda: self.app.get_child_count(), "a window")
        self.focus()

    def find_app(self):
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            app = desktop.get_child_at_index(i)
            if app and app.get_process_id() == self.process.pid:
                return app
        return None

    def until(self, check, what, wait=WAIT):
        end = time.time() + wait
        while time.time() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the program ended with {self.process.returncode}, waiting for {what}")
            try:
                found = check()
            except Exception:  # a widget may go while it is asked
                found = None
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not seen in {wait} s: {what}")

    def walk(self, node=None):
        node = node or self.app
        yield node
        if node.get_role_name() in ("page tab list", "scroll bar"):  # hundreds of widgets that nothing asks for
            return
        for i in range(node.get_child_count()):
            child = node.get_child_at_index(i)
            if child:
                yield from self.walk(child)

    def all(self, role=None, name=None):
        for node in self.walk():
            try:
                if role and node.get_role_name() != role:
                    continue
                if name and not re.fullmatch(name, node.get_name() or ""):
                    continue
            except Exception:
                continue
            yield node

    def get(self, role, name, keep=False):
        """keep: a widget that stays as long as the window; walking the whole tree takes its time."""
        if (role, name) not in self.known:
            node = self.until(lambda: next(self.all(role, name), None), f"{role} {name}")
            if not keep:
                return node
            self.known[role, name] = node
        return self.known[role, name]

    def has(self, role, name):
        return next(self.all(role, name), None) is not None

    def texts(self):
        return [n.get_name() for n in self.all("label")]

    def reads(self, path):
        """Whether the program has the file mapped."""
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as maps:
            return any(line.rstrip().endswith(str(path)) for line in maps)

    def focus(self):
        subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--pid", str(self.process.pid), "windowactivate", "--sync"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)

    def key(self, *keys):
        for key in keys:
            subprocess.run(["xdotool", "key", "--clearmodifiers", key], check=True, timeout=20)

    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "15", text], check=True, timeout=60)

    def close(self):
        if self.process.poll() is None:
            self.key("ctrl+q")
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("the program did not end with Ctrl+Q")
        if self.process.returncode:
            raise AssertionError(f"the program ended with {self.process.returncode}")

    # figures

    def children(self, node):
        return [c for i in range(node.get_child_count()) if (c := node.get_child_at_index(i))]

    def gauge(self):
        bar = self.get("level bar", "Memory used", keep=True)
        return int(bar.get_value_iface().get_current_value()), int(bar.get_value_iface().get_maximum_value())

    def totals(self):
        """{class: bytes} as the legend says them."""
        found = {}
        for child in self.children(self.get("table", "Classes of memory.*", keep=True)):
            m = re.match(r"([A-Za-z ]+), ([\d,]+) bytes", child.get_name())
            found[m.group(1)] = int(m.group(2).replace(",", ""))
        return found

    def verdict(self):
        """The mark, the word, the sentence and the share, in the order in which they are read."""
        if "verdict" not in self.known:
            self.known["verdict"] = [n for n in self.walk(self.get("panel", "Verdict", keep=True)) if n.get_role_name() == "label"][:4]
        return [n.get_name() for n in self.known["verdict"]]

    def bars(self):
        """What is said of the bar of every device."""
        return [(n.get_name().split(",")[0], n.get_description()) for n in self.walk(self.get("panel", "Memory", keep=True).get_child_at_index(1))
                if n.get_role_name() == "image"]

    def figures(self):
        mark, word, _, share = self.verdict()
        return {"totals": self.totals(), "gauge": self.gauge(), "verdict": (word, share), "bars": self.bars()}

    def slider(self, name):
        return self.get("slider", name, keep=True)

    def focused(self, node):
        node.clear_cache()
        return node.get_state_set().contains(Atspi.StateType.FOCUSED)

    def focus_is(self):
        return [(n.get_role_name(), n.get_name()) for n in self.all() if n.get_state_set().contains(Atspi.StateType.FOCUSED)]

    def tab_to(self, role, name, key="Tab"):
        """Moves with Tab alone: whatever is needed must be reached so. Of several that fit, the one that the focus comes to first."""
        self.get(role, name, keep=role == "slider")
        nodes = [self.slider(name)] if role == "slider" else list(self.all(role, name))
        for rest in [0.02] * 70 + [0.2] * 70:  # a second round for a machine that is slow to answer
            for node in nodes:
                if self.focused(node):
                    return node
            self.key(key)
            time.sleep(rest)
        raise AssertionError(f"{key} does not reach {role} {name}; the focus is on {self.focus_is()}")

    def slider_value(self, name):
        return self.slider(name).get_value_iface().get_current_value()

    def text_of(self, node):
        text = node.get_text_iface()
        return text.get_text(0, text.get_character_count())  # -1 for the end is understood by views, not by entries
