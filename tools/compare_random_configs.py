#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_random_configs.py HWLEDGER N SEED MODEL_TYPE...: N varied small configurations of each type, parameters of `hwledger inspect`
against transformers on the meta device. Run by hand; needs torch and transformers. Exit 1 on any difference."""
import dataclasses
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from oracle_inventory import build
from transformers import CONFIG_MAPPING

FLAGS = ("bias", "tie_word", "qk_norm", "qk_layernorm", "parallel", "new_decoder", "multi_query", "use_sliding", "layer_norm_before")


def vary(fields, model_type):
    config = {"model_type": model_type}
    for key in ("num_hidden_layers", "n_layer", "n_layers", "num_layers"):
        if key in fields:
            config[key] = random.choice([2, 3, 5])
            break
    for key, value in fields.items():
        if isinstance(value, bool) and any(f in key for f in FLAGS) and random.random() < .5:
            config[key] = random.random() < .5
    heads = fields.get("num_attention_heads")
    if "num_key_value_heads" in fields and isinstance(heads, int) and random.random() < .5:
        config["num_key_value_heads"] = random.choice([n for n in (1, 2, 4, 8, heads) if heads % n == 0])
    if "head_dim" in fields and random.random() < .5:
        config["head_dim"] = random.choice([32, 64, 256])
    for key in ("hidden_size", "n_embd", "intermediate_size"):
        if isinstance(fields.get(key), int) and random.random() < .5:
            config[key] = 2 * fields[key]
    if "first_k_dense_replace" in fields and random.random() < .5:
        config["first_k_dense_replace"] = random.choice([0, 1, 2])
    return config


def main():
    program, n, seed, types = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    random.seed(seed)
    same = differs = refused = 0
    folder = pathlib.Path(tempfile.mkdtemp())
    for model_type in types:
        fields = {f.name: f.default for f in dataclasses.fields(CONFIG_MAPPING[model_type])}
        for _ in range(n):
            config = vary(fields, model_type)
            try:
                want = build(config)["total"]
            except Exception:  # transformers itself refuses this mix
                refused += 1
                continue
            (folder / "config.json").write_text(json.dumps(config))
            run = subprocess.run([program, "inspect", str(folder), "--json"], capture_output=True, text=True, check=False)
            got = json.loads(run.stdout)["parameters"] if run.returncode == 0 else None
            same += got == want
            if got != want:
                differs += 1
                print(json.dumps(config), got, want, run.stderr.strip())
    print(f"{same} equal, {differs} differ, {refused} refused by transformers")
    sys.exit(differs > 0)


if __name__ == "__main__":
    main()
