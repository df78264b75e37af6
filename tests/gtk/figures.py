# SPDX-License-Identifier: Apache-2.0
"""What the window must show of a plan, taken from its JSON document alone."""

LABELS = {"weights": "weights", "KV cache": "kv_cache", "state": "recurrent_state", "compute": "compute", "output": "output", "overhead": "overhead"}
WORDS = ["Fits", "Tight", "Very tight", "Does not fit"]


def totals(plan):
    return {label: plan["totals"][kind] for label, kind in LABELS.items() if any(e["kind"] == kind for e in plan["entries"])}


def fullest(plan):
    """The device that the verdict hangs on, as the headline chooses it."""
    used = [d for d in plan["devices"] if d["used_bytes"]]
    gpus = [d for d in used if d["kind"] != "cpu" or d["verdict"] == "exceeds"] or used
    return max(gpus, key=lambda d: d["used_bytes"] / d["usable_bytes"])


def gauge(plan):
    d = fullest(plan)
    return d["used_bytes"], max(d["usable_bytes"], d["used_bytes"])


def level(device):
    """Green to 80 %, yellow to 95 %, red above, and does not fit."""
    used, usable = device["used_bytes"], device["usable_bytes"]
    return 3 if used > usable else 2 if used > usable - usable // 20 else 1 if used > usable - usable // 5 else 0


def word(plan):
    return WORDS[3 if plan["verdict"] == "exceeds" else max(level(d) for d in plan["devices"] if d["used_bytes"])]


def percent(device):
    return -(-device["used_bytes"] * 100 // device["usable_bytes"])


def classes(plan, device):
    """{kind: bytes} of one device."""
    found = {}
    for e in plan["entries"]:
        if e["device"] == device["id"]:
            found[e["kind"]] = found.get(e["kind"], 0) + e["bytes"]
    return {k: n for k, n in found.items() if n}


def bars(plan):
    """A bar for each run of devices alike: its id, and what it is said to hold."""
    rows, last = [], None
    for d in plan["devices"]:
        key = d["kind"], d["name"], d["usable_bytes"], d["used_bytes"], classes(plan, d)
        if rows and key == last and d["kind"] != "cpu":
            rows[-1][1] = d
            continue
        last = key
        rows.append([d, d])
    said = []
    for first, end in rows:
        if first["kind"] == "cpu" and not first["used_bytes"]:
            continue
        number = end["id"].removeprefix("gpu")
        name = first["id"] if first is end else f"{first['id']}-{number} each"
        own = classes(plan, first)
        parts = [f"{label} {own[kind]:,} bytes" for label, kind in LABELS.items() if kind in own]
        said.append((name, ", ".join([*parts, f"in all {first['used_bytes']:,} of {first['usable_bytes']:,} bytes"])))
    return said
