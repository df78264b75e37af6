#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oracle_inventory.py CONFIG.json: parameter names and shapes that transformers builds from it on the meta device, as JSON
{"total", "parameters": [[name, shape, tied to or null]]}. For truth data; needs torch and transformers."""
import json
import sys


def build(config):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, CONFIG_MAPPING
    import transformers
    config = dict(config)
    cfg = CONFIG_MAPPING[config.pop("model_type")](**config) if not hasattr(config, "to_dict") else config
    arch = (config.get("architectures") or [None])[0]
    with torch.device("meta"):
        cls = getattr(transformers, arch, None) if arch else None
        model = cls._from_config(cfg) if cls else AutoModelForCausalLM.from_config(cfg)
    model.tie_weights()
    seen, rows, total = {}, [], 0
    for name, p in model.named_parameters(remove_duplicate=False):
        tied = seen.get(id(p))
        seen.setdefault(id(p), name)
        total += 0 if tied else p.numel()
        rows.append([name, list(p.shape), tied])
    return {"total": total, "parameters": rows}


if __name__ == "__main__":
    json.dump(build(json.load(open(sys.argv[1]))), sys.stdout)
