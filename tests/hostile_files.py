#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile_files.py HWLEDGER: broken and odd inputs give exit 1 and one line on stderr that names the file, at once."""
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile

LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 32000, "hidden_size": 64, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128, "max_position_embeddings": 2048,
         "tie_word_embeddings": False, "torch_dtype": "float16"}


def gguf(n_tensors=0, n_kv=0, body=b"", version=3):
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_kv) + body


def files(root):
    """Yields (name, path)."""
    def put(name, data):
        p = root / name
        p.parent.mkdir(exist_ok=True)
        p.write_bytes(data)
        return name, p

    yield "missing", root / "missing.gguf"
    yield put("empty.gguf", b"")
    yield put("magic.gguf", b"GGUF")
    yield put("notgguf.gguf", b"ELF\x7f" * 100)
    yield put("version.gguf", gguf(version=99))
    yield put("many-tensors.gguf", gguf(n_tensors=2**63))
    yield put("many-keys.gguf", gguf(n_kv=2**62))
    yield put("long-key.gguf", gguf(n_kv=1, body=struct.pack("<Q", 2**64 - 1) + b"x"))
    yield put("no-arch.gguf", gguf())
    yield put("escape\x1b[31m.gguf", b"no")
    for name, text in (("cut", '{"model_type": "llama", '), ("array", "[]"), ("number", "7"), ("nothing", "{}"), ("binary", "\x00\x01"),
                       ("deep", '{"a":' * 5000 + "1" + "}" * 5000), ("unknown", '{"model_type": "no_such_family_at_all"}')):
        yield put(f"{name}/config.json", text.encode())
    for key, value in (("hidden_size", -1), ("num_hidden_layers", 10**18), ("vocab_size", "many"), ("num_attention_heads", 0),
                       ("intermediate_size", 2**63), ("hidden_size", 1.5), ("num_key_value_heads", [2])):
        yield put(f"{key}-{str(value)[:4]}/config.json", json.dumps({**LLAMA, key: value}).encode())
    yield put("st/model.safetensors", struct.pack("<Q", 2**63) + b"{}")
    yield put("st2/model.safetensors", struct.pack("<Q", 10) + b"{not json}")
    os.mkfifo(root / "fifo.gguf")
    yield "fifo", root / "fifo.gguf"
    (root / "folder").mkdir()
    yield "folder without config", root / "folder"


def cut_while_read(exe, home):
    """What the kernel sends when a mapped file is cut, sent to a command that runs: a line and exit 1, no crash."""
    p = subprocess.Popen([exe, "watch", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"HOME": home})
    p.stdout.readline()
    p.send_signal(signal.SIGBUS)
    err = p.communicate(timeout=20)[1].decode("utf-8", "replace").splitlines()
    return p.returncode == 1 and len(err) == 1 and "cut short" in err[0] or print(f"SIGBUS: exit {p.returncode}, stderr {err[:3]}")


def main():
    exe = sys.argv[1]
    n = bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        for name, path in files(pathlib.Path(tmp)):
            target = path.parent if path.name == "config.json" else path
            for command in (["inspect", str(target)], ["plan", str(target), "--gpu-memory", "8GiB", "--json"]):
                n += 1
                try:
                    r = subprocess.run([exe, *command], capture_output=True, timeout=20, env={"HOME": tmp})
                except subprocess.TimeoutExpired:
                    bad += 1
                    print(f"{name}: {command[0]} hangs")
                    continue
                lines = r.stderr.decode("utf-8", "replace").splitlines()
                why = [] if r.returncode == 1 else [f"exit {r.returncode}"]
                if len(lines) != 1 or not lines[0].startswith("hwledger: "):
                    why.append(f"stderr {lines[:3]}")
                if b"\x1b" in r.stderr:
                    why.append("an escape reaches the terminal")
                if r.stdout:
                    why.append("stdout is not empty")
                bad += bool(why)
                if why:
                    print(f"{name}: {command[0]}: {'; '.join(why)}")
        n += 1
        bad += not cut_while_read(exe, tmp)
    print(f"{n} inputs, {bad} answered wrongly")
    sys.exit(bool(bad))


main()
