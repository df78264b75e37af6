#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""transformers_truth.py act|cache MODELS.jsonl [NAME ...] [--layers 6] [--sizes 1024x1,512x2] [--dump]
Peak of all storages of one forward pass over the meta device, less weights, buffers and cache, as rows of
tests/data/transformers/activations.txt. MODELS.jsonl: lines with "name" and "config" (data/models/models.jsonl).
SDPA is counted as a kernel that makes its output, tokens first, and one fp32 a row. --dump: what lives at the peak and
where it was made.
cache: what the caches of all layers hold behind a pass, as rows of caches.txt. Needs torch and transformers."""
import argparse
import inspect
import json
import sys
import traceback
import warnings
import weakref

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Storages(TorchDispatchMode):
    def __init__(self, where):
        super().__init__()
        self.live, self.now, self.peak, self.where, self.at_peak, self.known = {}, 0, 0, where, [], set()

    def add(self, tensor, note=None):
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self.live or key in self.known:
            return
        size = storage.nbytes()
        if self.where and note is None:
            frames = [f for f in traceback.extract_stack() if "/transformers/" in f.filename]
            note = " < ".join(f"{f.filename.rsplit('/', 1)[1]}:{f.lineno} {f.line}" for f in reversed(frames[-2:]))
        self.live[key] = (size, note, tuple(tensor.shape), str(tensor.dtype)[6:])
        self.now += size
        weakref.finalize(storage, self.drop, key)
        if self.now > self.peak:
            self.peak = self.now
            if self.where:
                self.at_peak = sorted(self.live.values(), key=lambda x: -x[0])

    def drop(self, key):
        row = self.live.pop(key, None)
        if row:
            self.now -= row[0]

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device.type == "meta":
            return 1  # a number that the device would be asked for
        out = func(*args, **(kwargs or {}))
        for t in tree_leaves(out):
            if isinstance(t, torch.Tensor):
                self.add(t)
        return out


class Numbers(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device.type == "meta":
            return 1
        return func(*args, **(kwargs or {}))


class Kernels(TorchFunctionMode):
    """Attention as a kernel: output with tokens before heads, one fp32 a row beside it."""
    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.nn.functional.scaled_dot_product_attention:
            q, k, v = args[:3]
            b, h, s = q.shape[:3]
            out = torch.empty(b, s, h, v.shape[-1], dtype=q.dtype, device=q.device)
            torch.empty(b, h, s, dtype=torch.float32, device=q.device)
            return out.transpose(1, 2)
        return func(*args, **kwargs)


def build(config, layers, attention, dtype):
    import transformers
    from transformers import AutoModel, AutoModelForCausalLM, CONFIG_MAPPING
    config = json.loads(json.dumps(config))
    config.pop("quantization_config", None)
    model_type = config.pop("model_type")
    kinds = next((v for v in (config.get("text_config") or config, config) for v in [v.get("layer_types") or
                  v.get("layers_block_type")] if isinstance(v, list)), None)
    if kinds:  # as deep as it takes to meet every kind of layer
        layers = max([layers] + [kinds.index(k) + 1 for k in set(kinds)])
    for part in [config] + [v for v in config.values() if isinstance(v, dict)]:
        for key in ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers", "decoder_layers", "depth"):
            if isinstance(part.get(key), int) and part[key] > layers:
                part[key] = layers
        for key in ("layer_types", "layers_block_type", "mlp_layer_types", "hybrid_override_pattern", "compress_ratios",
                    "mlp_only_layers", "layers_types"):
            if isinstance(part.get(key), (list, str)):
                part[key] = part[key][:layers]
    cfg = CONFIG_MAPPING[model_type](**config)
    arch = (config.get("architectures") or [None])[0]
    cls = getattr(transformers, arch, None) if arch else None
    if arch and arch.endswith(("ForMaskedLM", "ForSequenceClassification")):
        cls = AutoModel._model_mapping[type(cfg)]
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        how = {"attn_implementation": attention} if attention else {}
        model = cls._from_config(cfg, dtype=dtype, **how) if cls else \
            AutoModelForCausalLM.from_config(cfg, dtype=dtype, **how)
    return model.eval()


def measure(model, length, sequences, where):
    from transformers import DynamicCache
    mode = Storages(where)
    for t in list(model.parameters()) + list(model.buffers()):
        mode.known.add(t.untyped_storage()._cdata)
    ids = torch.zeros(sequences, length, dtype=torch.long, device="meta")
    mode.known.add(ids.untyped_storage()._cdata)
    kwargs = {"input_ids": ids}
    names = inspect.signature(model.forward).parameters
    text = getattr(model.config, "get_text_config", lambda: model.config)()
    causal = getattr(text, "use_cache", False) and not getattr(model.config, "is_encoder_decoder", False)
    if "logits_to_keep" in names:
        kwargs["logits_to_keep"] = 1
    with mode, Kernels(), torch.no_grad(), torch.device("meta"):
        out = model(**kwargs, **({"use_cache": True} if causal else {}))
    cache = getattr(out, "past_key_values", None)
    return mode, tensors_of(cache if cache is not None else getattr(out, "cache_params", None))


def tensors_of(cache):
    total, seen = 0, set()
    def walk(o, depth=0):
        nonlocal total
        if isinstance(o, torch.Tensor):
            s = o.untyped_storage()
            if s._cdata not in seen:
                seen.add(s._cdata)
                total += o.numel() * o.element_size()  # a window's view may keep more than itself alive
        elif isinstance(o, (list, tuple)):
            for x in o:
                walk(x, depth + 1)
        elif isinstance(o, dict):
            for x in o.values():
                walk(x, depth + 1)
        elif hasattr(o, "__dict__") and depth < 6:
            for x in vars(o).values():
                walk(x, depth + 1)
    walk(cache)
    return total


def held(model, length, sequences, fixed):
    """Bytes of a cache behind a pass: DynamicCache of length tokens, or StaticCache of that length."""
    from transformers import StaticCache
    ids = torch.zeros(sequences, 16 if fixed else length, dtype=torch.long, device="meta")
    given = {"past_key_values": StaticCache(config=model.config, max_cache_len=length)} if fixed else {}
    with Numbers(), Kernels(), torch.no_grad(), torch.device("meta"):
        out = model(input_ids=ids, use_cache=True, **given)
    cache = getattr(out, "past_key_values", None)
    return tensors_of(cache if cache is not None else getattr(out, "cache_params", None))


def main():
    a = argparse.ArgumentParser()
    a.add_argument("what", choices=["act", "cache"])
    a.add_argument("models")
    a.add_argument("names", nargs="*")
    a.add_argument("--layers", type=int, default=6)
    a.add_argument("--sizes", default="1024x1,512x2")
    a.add_argument("--attention", default="sdpa,eager")
    a.add_argument("--dump", action="store_true")
    a = a.parse_args()
    for line in open(a.models):
        row = json.loads(line)
        name = row.get("name") or row["id"]
        if a.names and name not in a.names:
            continue
        for fixed in ([False, True] if a.what == "cache" else []):
            for size in a.sizes.split(","):
                length, sequences = map(int, size.split("x"))
                try:
                    model = build(row["config"], 1000, None, torch.bfloat16)
                    print(f"cache {name} {'static' if fixed else 'dynamic'} {length} {sequences} "
                          f"{held(model, length, sequences, fixed)}", flush=True)
                except Exception as e:
                    print(f"# {name} {fixed} {size}: {type(e).__name__} {str(e)[:150]!r}", file=sys.stderr)
        for attention in (a.attention.split(",") if a.what == "act" else []):
            try:
                model = build(row["config"], a.layers, attention, torch.bfloat16)
            except Exception as e:
                print(f"# {name} {attention}: {type(e).__name__} {str(e)[:90]!r}", file=sys.stderr)
                continue
            for size in a.sizes.split(","):
                length, sequences = map(int, size.split("x"))
                try:
                    try:
                        mode, cache = measure(model, length, sequences, a.dump)
                    except ValueError as e:  # only the first layers, and none of them with attention
                        if "only contain" not in str(e):
                            raise
                        model = build(row["config"], 1000, attention, torch.bfloat16)
                        mode, cache = measure(model, length, sequences, a.dump)
                except Exception as e:
                    print(f"# {name} {attention} {size}: {type(e).__name__} {str(e)[:150]!r}", file=sys.stderr)
                    continue
                print(f"act {name} {attention} {length} {sequences} {mode.peak - cache} "
                      f"{getattr(model.config.get_text_config(), 'num_hidden_layers', 0)}", flush=True)
                if a.dump:
                    for size, note, shape, dtype in mode.at_peak[:40]:
                        print(f"    {size / 1048576:9.2f} MiB {dtype} {list(shape)}  {note}")


main()
