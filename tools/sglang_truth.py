#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sglang_truth.py WHEEL MODELS ROWS [RELEASE]: rows of tests/data/sglang/pools.txt from SGLang's own code, on a CPU.

WHEEL: the folder of an unpacked wheel (0.5.18 or newer), with the Python packages that its modules need beside it on the path;
what is not installed becomes a stub. MODELS: folders with a config.json, named owner--name. ROWS: a file of JSON lines,
{"model": folder, "args": [...], "total_mib": as nvidia-smi says, "cc": [9, 0], "n_gpus": 1, "pre": GiB, "post": GiB}.
Argument resolution, model shapes, pool configurators and the request limit are SGLang's; only what it asks of the card and of
other ranks is answered from the row. A draft model is written DRAFT:folder."""
import ast, importlib.abc, importlib.machinery, inspect, json, os, pathlib, sys, types, warnings
from unittest.mock import MagicMock

WHEEL, MODELS, ROWS = sys.argv[1:4]
RELEASE = sys.argv[4] if len(sys.argv) > 4 else pathlib.Path(WHEEL).name.lstrip("s")
sys.path.insert(0, WHEEL)
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
warnings.simplefilter("ignore")


class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


class Base(metaclass=Meta):
    def __init__(self, *args, **kwargs):
        pass


class Stub(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = Meta(name, (Base,), {}) if name[:1].isupper() else MagicMock(name=name)
        setattr(self, name, value)
        return value


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    # modules of SGLang that only serve requests
    names = {"sglang.srt.entrypoints.openai.protocol", "sglang.srt.parser.reasoning_parser"}

    def find_spec(self, name, path=None, target=None):
        known = name in self.names or name.split(".")[0] in self.names
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None

    def create_module(self, spec):
        m = Stub(spec.name)
        m.__path__, m.__version__, m.__file__ = [], "99.0", "stub"
        return m

    def exec_module(self, module):
        pass


def stubbed(call):
    """call(), with every package that is missing replaced by a stub."""
    while True:
        try:
            return call()
        except ModuleNotFoundError as e:
            top = (e.name or "").split(".")[0]
            if not top or top == "sglang" or top in Finder.names:
                raise
            Finder.names.add(top)
            if "sglang.srt.mem_cache.kv_cache_configurator" not in sys.modules:
                for k in [k for k in sys.modules if k.startswith("sglang")]:
                    del sys.modules[k]


sys.meta_path.insert(0, Finder())
import torch

ROW = {"total_mib": 81559, "cc": [9, 0]}
torch.version.cuda = "12.9"
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 64
torch.cuda.current_device = lambda: 0
torch.cuda.get_device_capability = lambda *a: tuple(ROW["cc"])
torch.cuda.get_device_name = lambda *a: "NVIDIA"
torch.cuda.get_device_properties = lambda *a: types.SimpleNamespace(total_memory=ROW["total_mib"] << 20, major=ROW["cc"][0], minor=ROW["cc"][1],
                                                                   multi_processor_count=132, name="NVIDIA", gcnArchName="")


def load():
    import sglang.srt.mem_cache.kv_cache_configurator, sglang.srt.model_executor.pool_configurator
    return sys.modules


stubbed(load)
import logging
from sglang.srt import runtime_context as RC
from sglang.srt.configs.load_config import LoadConfig
from sglang.srt.configs.model_config import AttentionArch, ModelConfig
from sglang.srt.distributed.utils import get_pp_indices
from sglang.srt.mem_cache import kv_cache_configurator as KC, kv_cache_dtype as KD
from sglang.srt.model_executor import pool_configurator as PC
from sglang.srt.model_executor.model_runner_components import layer_setup, spec_aux_hidden_state
from sglang.srt.server_args import prepare_server_args
from sglang.srt.speculative.spec_info import SpeculativeAlgorithm

ENVIRONMENT = dict(os.environ)


def replace(name, value):
    for n, m in list(sys.modules.items()):
        if n.startswith("sglang") and m is not None and name in getattr(m, "__dict__", {}):
            setattr(m, name, value)


def card(cc):
    """What SGLang's probes say of a CUDA card of that compute capability."""
    major, sm = cc[0], cc[0] * 10 + cc[1]
    facts = {"is_cuda": ("is_cuda", True), "is_sm90": ("is_sm90_supported", major == 9), "is_sm100": ("is_sm100_supported", major == 10),
             "is_sm100_or_sm110": ("is_sm100_or_sm110_supported", major in (10, 11)), "is_sm110": ("is_sm110_supported", major == 11),
             "is_sm120": ("is_sm120_supported", major == 12), "is_blackwell": ("is_blackwell_supported", major in (10, 12)),
             "is_hopper_with_cuda_12_3": ("is_hopper_with_cuda_12_3", major == 9), "has_flashinfer": ("is_flashinfer_available", True),
             "device_sm": ("get_device_sm", sm), "device_capability": ("get_device_capability", tuple(cc))}
    no = {f: False for f in ("is_hip", "is_npu", "is_xpu", "is_musa", "is_mps", "has_amx")}
    known = set(RC._PLATFORM_PROBES) | set(RC._PLATFORM_VALUES)
    RC._PLATFORM._install(**{k: v for k, v in {**{k: v for k, (_, v) in facts.items()}, **no}.items() if k in known})
    for probe, value in facts.values():
        replace(probe, lambda *a, v=value, **k: v)
    replace("get_device_memory_capacity", lambda *a, **k: ROW["total_mib"])


CLASSES = {}


def class_has_window(name):
    """Has that class of the release, or one that it is made of, a get_attention_sliding_window_size?"""
    if not CLASSES:
        for f in (pathlib.Path(WHEEL) / "sglang" / "srt" / "models").glob("*.py"):
            for node in ast.parse(f.read_text(encoding="utf-8-sig")).body:
                if isinstance(node, ast.ClassDef):
                    own = any(isinstance(b, ast.FunctionDef) and b.name == "get_attention_sliding_window_size" for b in node.body)
                    CLASSES[node.name] = own, [ast.unparse(b) for b in node.bases]
    own, bases = CLASSES.get(name, (False, []))
    return own or any(class_has_window(b) for b in bases)


def window_of(mc):
    """resolve_sliding_window_size: those methods leave out the token itself."""
    window = getattr(mc, "sliding_window_size", None)
    return window - 1 if window and class_has_window(mc.hf_config.architectures[0]) else window


def run(row):
    ROW.update(row)
    for k in set(os.environ) - set(ENVIRONMENT):
        del os.environ[k]
    os.environ.update(ENVIRONMENT)
    RC.reset_context()
    card(row["cc"])
    logging.disable(logging.CRITICAL)
    args = [a.replace("DRAFT:", MODELS + "/") for a in row["args"]]
    sa = prepare_server_args(["--model-path", f"{MODELS}/{row['model']}", "--device", "cuda", "--skip-server-warmup", *args])
    sa.resolve_once()
    RC.publish(sa, role="scheduler")
    parallel, schedule, graph, spec = RC.get_parallel(), RC.get_schedule(), RC.get_exec().graph.cuda_graph_config, RC.get_spec()
    off = lambda backend: str(backend).split(".")[-1].lower() == "disabled"
    out = {"fraction": schedule.mem_fraction_static, "chunk": max(schedule.chunked_prefill_size, 0), "page": schedule.page_size, "max_bs": graph.decode.max_bs,
           "n_decode": 0 if off(graph.decode.backend) else len(graph.decode.bs), "n_prefill": 0 if off(graph.prefill.backend) else len(graph.prefill.bs)}
    mc = ModelConfig.from_server_args(sa)
    algorithm = SpeculativeAlgorithm.from_string(spec.speculative_algorithm)
    aux = spec_aux_hidden_state.resolve_spec_aux_hidden_state_config(server_args=sa, model_config=mc, spec_algorithm=algorithm, is_draft_worker=False)
    quant = types.SimpleNamespace(kv_cache_quant_algo=None)
    if mc.quantization and getattr(mc.hf_config, "quantization_config", None) is not None:
        from sglang.srt.model_loader.weight_utils import get_quant_config
        quant.kv_cache_quant_algo = getattr(get_quant_config(mc, LoadConfig(load_format="dummy"), {}), "kv_cache_quant_algo", None)
    asked = RC.get_model().kv_cache_dtype
    name, dtype = KD.configure_kv_cache_dtype(server_args_kv_cache_dtype=asked, model=types.SimpleNamespace(quant_config=quant), model_dtype=mc.dtype, is_draft_worker=False,
                                              is_dflash=algorithm.is_dflash_family(), speculative_draft_attention_backend=spec.speculative_draft_attention_backend)
    pp = parallel.pp_size

    def stage(i):
        first, end = get_pp_indices(mc.num_hidden_layers, i, pp)
        model = types.SimpleNamespace(start_layer=first, end_layer=end) if pp > 1 else types.SimpleNamespace()
        known = {"model": model, "model_config": mc, "is_draft_worker": False, "spec_algorithm": algorithm}
        known = {k: v for k, v in known.items() if k in inspect.signature(layer_setup.resolve_layer_indices).parameters}
        sizes = types.SimpleNamespace(pp_size=pp, tp_size=parallel.tp_size, attn_dp_size=parallel.attn_dp_size, attn_tp_size=parallel.attn_tp_size)
        kw = dict(device="cuda", gpu_id=0, ps=sizes, attn_dp_size=parallel.attn_dp_size, pp_size=pp, pp_group=types.SimpleNamespace(rank_in_group=i, world_size=pp), model=model, model_config=mc,
                  server_args=sa, kv_cache_dtype=dtype, kv_cache_dtype_str=name if name is not None else asked, model_dtype=mc.dtype, page_size=schedule.page_size,
                  sliding_window_size=window_of(mc), spec_algorithm=algorithm, is_draft_worker=False, post_capture_kv_active=False, spec_aux_config=aux,
                  draft_parallel_layout=None, is_hybrid_swa=mc.is_hybrid_swa, is_hybrid_swa_compress=getattr(mc, "is_hybrid_swa_compress", False),
                  use_mla_backend=mc.attention_arch == AttentionArch.MLA, layer_info=layer_setup.resolve_layer_indices(**known),
                  forward_stream=None, req_to_token_pool=None, token_to_kv_pool_allocator=None, memory_pool_config=None, draft_model_idx=None)
        return KC.KVCacheConfigurator(**{k: v for k, v in kw.items() if k in KC.KVCacheConfigurator.__dataclass_fields__})
    parallel.override_permanently(world_group=types.SimpleNamespace(cpu_group=None), launch_world_size=parallel.tp_size * pp, pp_rank=0, tp_rank=0, attn_tp_rank=0, attn_dp_rank=0)
    replace("get_world_group", lambda: types.SimpleNamespace(cpu_group=None, world_size=parallel.tp_size * pp))
    KC.get_available_gpu_memory = lambda *a, **k: row["post"]
    stages = [stage(i) for i in range(pp)]
    rest = stages[0]._profile_available_bytes(row["pre"])
    if stages[0].mambaish_config is not None:
        out["states"] = schedule.max_mamba_cache_size
    limit = schedule.max_total_tokens or (1 << 62)
    least = min(min(PC.create_memory_pool_configurator(k).calculate_pool_sizes(rest, schedule.page_size).max_total_num_tokens, limit) for k in stages)
    torch.distributed.all_reduce = lambda t, **k: t.fill_(min(t.item(), least))
    cfg = stages[0].config_from_budget(rest)
    cfg.max_running_requests = stages[0].resolve_max_num_reqs(cfg.max_total_num_tokens)
    cfg = PC.create_memory_pool_configurator(stages[0]).finalize_with_max_running_requests(cfg)
    return {**out, "tokens": cfg.max_total_num_tokens, "window": cfg.swa_max_total_num_tokens, "requests": cfg.max_running_requests,
            "c4_state": cfg.c4_state_pool_size or None, "c128_state": cfg.c128_state_pool_size or None}


# Failures that mean that the server would not start for want of memory; others are this harness's or the row's.
REFUSALS = ("leave no GPU memory", "cannot hold even one", "Not enough GPU memory", "leaves no room", "too small to serve", "Not enough memory", "greater than the derived")


def main():
    for line in open(ROWS):
        row = json.loads(line)
        try:
            figures = stubbed(lambda: run(row))
        except (Exception, SystemExit) as e:
            if not any(r in str(e) for r in REFUSALS):
                print(f"{row['model']} {' '.join(row['args'])}: {e}", file=sys.stderr)
                continue
            figures = {"refused": 1}
        id_of = lambda folder: folder.replace("--", "/").lstrip("@")
        args = " ".join(id_of(a[6:]) if a.startswith("DRAFT:") else a for a in row["args"])
        print(f"row {id_of(row['model'])} {RELEASE} {row['cc'][0] * 10 + row['cc'][1]} {row['n_gpus']} {row['total_mib']} {row['pre']} {row['post']} " +
              " ".join(f"{k}={v}" for k, v in figures.items() if v is not None) + (f" -- {args}" if args else ""), flush=True)


main()
