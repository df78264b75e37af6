#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""collect_config_defaults.py > data/config_defaults.csv: whole-number and truth defaults of transformers' configuration
classes that say something about shapes. Run by hand when transformers moves; needs transformers."""
import dataclasses
import re
import transformers
from transformers import CONFIG_MAPPING, PreTrainedConfig

DROP = re.compile(r"token_id|^(return_dict|output_(attentions|hidden|router)|use_cache|chunk_size_feed|is_encoder|initializer|transformers_version|"
                  r"pretraining_tp|router_(aux|z_loss|jitter|ignore)|norm_topk|rope_theta|problem_type|is_decoder$)|dropout|scale|scaling|_eps")
print(f"# Defaults of the configuration classes of transformers {transformers.__version__} (Apache-2.0), collected by "
      "tools/collect_config_defaults.py.")
print("# PARENT/PART: what the class around it assumes for a part that is given without the key.")
print("model_type,key,value")


def parts(name, cls):
    try:
        whole = cls()
    except Exception:
        return
    for key, part in vars(whole).items():
        if not isinstance(part, PreTrainedConfig):
            continue
        try:
            given = getattr(cls(**{key: {"model_type": part.model_type}}), key)
            alone = type(given)()
        except Exception:
            continue
        fields = vars(given)
        differs = [k for k in fields if fields[k] != vars(alone).get(k)]
        for k, v in fields.items():
            heads = fields.get("num_attention_heads")
            if k == "head_dim" and differs and v and heads and v * heads != fields.get("hidden_size"):
                print(f"{name}/{key},{k},{int(v)}")
            elif isinstance(v, (int, bool)) and v >= 0 and not k.startswith("_") and not DROP.search(k) and v != vars(alone).get(k):
                print(f"{name}/{key},{k},{int(v)}")


for name in sorted(CONFIG_MAPPING.keys()):
    try:
        cls = CONFIG_MAPPING[name]
    except Exception:
        continue
    parts(name, cls)
    for f in dataclasses.fields(cls):
        v = f.default
        if not isinstance(v, (int, bool)) or v < 0 or DROP.search(f.name):
            continue
        key = f.name
        print(f"{name},{key},{int(v)}")
        for old, new in (getattr(cls, "attribute_map", None) or {}).items():
            if new == key:
                print(f"{name},{old},{int(v)}")
