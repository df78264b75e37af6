#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sglang_old_truth.py WHEEL MODELS ROWS [RELEASE]: rows of tests/data/sglang/pools.txt of SGLang 0.4.6 to 0.5.15, on a CPU.

As sglang_truth.py for the releases whose ModelRunner sizes the pools itself: their ServerArgs, ModelConfig and
ModelRunner.init_memory_pool run; pools, the card and the other ranks are stand-ins. WHEEL: the folder of an unpacked wheel, with
transformers as old as the release (4.57 to 0.5.11, 5.12 from 0.5.12 on) on the path. MODELS, ROWS: as there."""
import ast, contextlib, glob, importlib.abc, importlib.machinery, inspect, io, json, logging, os, pathlib, re, sys, types, warnings
from unittest.mock import MagicMock

WHEEL, MODELS, ROWS = sys.argv[1:4]
RELEASE = sys.argv[4] if len(sys.argv) > 4 else pathlib.Path(WHEEL).name.lstrip("s")
NUMBER = tuple(int(x) for x in re.findall(r"\d+", RELEASE)[:3])
sys.path.insert(0, WHEEL)
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
warnings.simplefilter("ignore")
SOURCE = pathlib.Path(WHEEL) / "sglang" / "srt"
RUNNER = (SOURCE / "model_executor" / "model_runner.py").read_text()
WORKER = (SOURCE / "managers" / "tp_worker.py").read_text()
HAS_WARMUP_FLAG = "skip-server-warmup" in (SOURCE / "server_args.py").read_text()


class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)

    def __iter__(cls):
        return iter(())


class Base(metaclass=Meta):
    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


class Stub(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = Meta(name, (Base,), {}) if name[:1].isupper() and not name.isupper() else MagicMock(name=name)
        if isinstance(value, MagicMock):
            value.__name__ = value.__qualname__ = name
            value.__module__ = self.__name__
        setattr(self, name, value)
        return value


# Packages that only kernels and the server want, and modules of SGLang that only serve requests.
PACKAGES = set("""sgl_kernel flashinfer vllm triton deep_gemm torchvision compressed_tensors torchao xgrammar outlines uvloop fastapi
    uvicorn zmq aiohttp IPython decord openai gguf cuda tvm_ffi mooncake nixl aiter flash_attn quack starlette soundfile av""".split())
MODULES = """entrypoints.openai.protocol parser.reasoning_parser function_call layers.moe.fused_moe_triton layers.moe.ep_moe
    layers.attention.triton_ops layers.attention.fla layers.attention.mamba.ops lora layers.sampler layers.quantization.awq_triton
    batch_invariant_ops constrained model_loader.loader models""".split()
MODULES = ["sglang.srt." + m for m in MODULES] + ["sglang.jit_kernel", "sglang.kernels"]


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        known = name.split(".")[0] in PACKAGES or any(name == m or name.startswith(m + ".") for m in MODULES)
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
            if not top or top == "sglang" or top in PACKAGES:
                raise
            PACKAGES.add(top)
            if "MR" not in globals():
                for k in [k for k in sys.modules if k.startswith("sglang")]:
                    del sys.modules[k]


import msgspec.msgpack
import torch, torch._dynamo, torch._inductor.config, torch._inductor.utils
import torch._library.infer_schema as schema

sys.meta_path.insert(0, Finder())
decoder = msgspec.msgpack.Decoder


def lenient(*args, **kwargs):
    try:
        return decoder(*args, **kwargs)
    except TypeError:
        return None


msgspec.msgpack.Decoder = lenient
ROW = {"total_mib": 81559, "cc": [9, 0]}
nothing = lambda *a, **k: None
decorates = lambda *a, **k: (lambda f: f)
torch.compile = lambda *a, **k: a[0] if a and callable(a[0]) else (lambda f: f)
for n in ("register_fake", "register_autograd", "register_kernel", "register_vmap", "custom_op"):
    setattr(torch.library, n, decorates)
for n in ("define", "impl", "_register_fake"):
    setattr(torch.library.Library, n, nothing)
torch.library.infer_schema = schema.infer_schema = lambda *a, **k: "() -> ()"
for n in ("sglang", "sgl_kernel", "vllm", "transformers"):
    setattr(torch.ops, n, MagicMock())
torch._C._cpu._is_amx_tile_supported = lambda: False
with contextlib.suppress(ImportError):
    import triton.runtime.cache as cache
    for n in ("default_cache_dir", "default_dump_dir", "default_override_dir"):
        setattr(cache, n, getattr(cache, n, lambda *a: ""))
torch.version.cuda = "12.9"
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 64
torch.cuda.current_device = lambda: 0
torch.cuda.get_device_capability = lambda *a: tuple(ROW["cc"])
torch.cuda.get_device_name = lambda *a: "NVIDIA"
torch.cuda.get_device_properties = lambda *a: types.SimpleNamespace(total_memory=ROW["total_mib"] << 20, major=ROW["cc"][0], minor=ROW["cc"][1],
                                                                   multi_processor_count=132, name="NVIDIA", gcnArchName="")


def load():
    import sglang.srt.model_executor.model_runner


stubbed(load)
import sglang.srt.model_executor.model_runner as MR
import sglang.srt.server_args as SA
from sglang.srt.configs.model_config import AttentionArch, ModelConfig
from sglang.srt.distributed.utils import get_pp_indices
from sglang.srt.server_args import prepare_server_args
from sglang.srt.speculative.spec_info import SpeculativeAlgorithm
from transformers import AutoConfig, DeepseekV3Config, PretrainedConfig

try:
    import sglang.srt.model_executor.model_runner_kv_cache_mixin as MX
except ImportError:
    MX = None
if NUMBER < (0, 5, 5) and hasattr(ModelConfig, "_verify_quantization"):
    ModelConfig._verify_quantization = lambda self: None
ENVIRONMENT = dict(os.environ)
for name, base in (("kimi_k2", DeepseekV3Config), ("minimax_m2", PretrainedConfig)):
    with contextlib.suppress(Exception):
        AutoConfig.register(name, type("C_" + name, (base,), {"model_type": name}))


def replace(name, value):
    for n, m in list(sys.modules.items()):
        if n.startswith("sglang") and m is not None and name in getattr(m, "__dict__", {}):
            setattr(m, name, value)


def card(cc):
    """What SGLang's probes say of a CUDA card of that compute capability."""
    major, sm = cc[0], cc[0] * 10 + cc[1]
    facts = {"is_cuda": True, "is_sm90_supported": major == 9, "is_sm100_supported": major == 10, "is_sm120_supported": major == 12,
             "is_sm110_supported": major == 11, "is_sm100_or_sm110_supported": major in (10, 11), "is_blackwell": major in (10, 12),
             "is_blackwell_supported": major in (10, 12), "is_hopper_with_cuda_12_3": major == 9, "is_flashinfer_available": True,
             "is_fa3_supported": True, "is_triton_kernels_available": True, "get_device_sm": sm, "get_device_capability": tuple(cc),
             "get_nvgpu_memory_capacity": float(ROW["total_mib"]), "get_device_memory_capacity": ROW["total_mib"], "get_device_name": "NVIDIA"}
    for n in ("is_hip", "is_npu", "is_xpu", "is_hpu", "is_cpu", "is_musa", "is_mps", "cpu_has_amx_support", "is_mnnvl_fabric_available", "is_remote_url"):
        facts[n] = False
    for n, v in facts.items():
        replace(n, lambda *a, v=v, **k: v)


class Pool:
    """Stands in for every pool; what it was asked for is kept."""
    made = []

    def __init__(self, *args, **kwargs):
        Pool.made.append((type(self).__name__, kwargs))
        self.size = args[0] if args else kwargs.get("size")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


for module in (MR, MX):
    for n in list(vars(module)) if module else []:
        if n.endswith(("Pool", "PoolFP4", "Allocator")) and inspect.isclass(getattr(module, n)):
            kept = ("quant_block_size", "index_k_with_scale_buffer_dtype", "rope_storage_dtype")
            setattr(module, n, type(n, (Pool,), {k: getattr(getattr(module, n), k) for k in kept if hasattr(getattr(module, n), k)}))


def windows_of(mc):
    c = mc.hf_text_config
    if getattr(c, "layer_types", None):
        return [t == "sliding_attention" for t in c.layer_types]
    pattern = getattr(c, "sliding_window_pattern", None) or getattr(c, "_sliding_window_pattern", None)
    return [bool(pattern and (i + 1) % pattern) for i in range(c.num_hidden_layers)]


CLASSES = {}


def class_has_window(name):
    """Has that class of the release, or one that it is made of, a get_attention_sliding_window_size?"""
    if not CLASSES:
        for f in glob.glob(str(SOURCE / "models" / "*.py")):
            for node in ast.parse(open(f, encoding="utf-8-sig").read()).body:
                if isinstance(node, ast.ClassDef):
                    own = any(isinstance(b, ast.FunctionDef) and b.name == "get_attention_sliding_window_size" for b in node.body)
                    CLASSES[node.name] = own, [ast.unparse(b) for b in node.bases]
    own, bases = CLASSES.get(name, (False, []))
    return own or any(class_has_window(b) for b in bases)


def model_config(sa):
    if hasattr(ModelConfig, "from_server_args"):
        return ModelConfig.from_server_args(sa)
    alias = {"model_override_args": "json_model_override_args", "path": "model_path"}
    names = {k: alias.get(k, k) for k in inspect.signature(ModelConfig.__init__).parameters if k != "self"}
    return ModelConfig(**{k: getattr(sa, v) for k, v in names.items() if hasattr(sa, v)})


def before_pools(r, sa, mc, model):
    """What ModelRunner.initialize does between load and pools, as the release has it."""
    if re.search(r"if \(\s*not self\.server_args\.disable_hybrid_swa_memory", RUNNER):
        classes = mc.hf_config.architectures
        if not sa.disable_hybrid_swa_memory and r.sliding_window_size and classes and not any("Llama4" in x for x in classes):
            r.is_hybrid = mc.is_hybrid = r.is_hybrid_swa = mc.is_hybrid_swa = True
    if "model detected, disable radix cache" in RUNNER:
        if ("mamba2_config" in RUNNER and r.mamba2_config) or (NUMBER < (0, 5, 4) and getattr(r, "is_hybrid_gdn", False)):
            sa.disable_radix_cache = True
    n = max(mc.num_hidden_layers, getattr(mc, "num_attention_layers", 0) or 0)
    r.start_layer, r.end_layer = getattr(model, "start_layer", 0), getattr(model, "end_layer", n)
    r.num_effective_layers = r.end_layer - r.start_layer
    if NUMBER >= (0, 5, 7) and "self.model_config.full_attention_layer_ids = full_attention_layer_ids" in RUNNER:
        for name in ("swa_attention_layer_ids", "full_attention_layer_ids"):
            ids = getattr(mc, name, None) or []
            setattr(mc, name, [i for i in range(r.start_layer, r.end_layer + 1) if i in ids])
    if hasattr(MR.ModelRunner, "configure_kv_cache_dtype"):
        r.configure_kv_cache_dtype()


def runner(sa, mc, spec, stage):
    """A ModelRunner of that stage as it stands when its pools are made."""
    r = object.__new__(MR.ModelRunner)
    pp = getattr(sa, "pp_size", 1)
    first, end = get_pp_indices(mc.num_hidden_layers, stage, pp)
    window, windows = getattr(mc.hf_text_config, "sliding_window", None), windows_of(mc)
    has = class_has_window(mc.hf_config.architectures[0]) and any(windows)
    attention = lambda w: types.SimpleNamespace(attn=types.SimpleNamespace(sliding_window_size=window - 1 if w else -1))
    layers = [types.SimpleNamespace(layer_id=i, self_attn=attention(w)) for i, w in enumerate(windows)]
    model = types.SimpleNamespace(model=types.SimpleNamespace(layers=layers))
    if pp > 1:
        model.start_layer, model.end_layer = first, end
    if has:
        model.get_attention_sliding_window_size = lambda: window - 1
    dp = sa.dp_size if sa.enable_dp_attention else 1
    sizes = types.SimpleNamespace(tp_size=sa.tp_size, pp_size=pp, attn_dp_size=dp, attn_tp_size=sa.tp_size // dp)
    known = dict(model_config=mc, mem_fraction_static=sa.mem_fraction_static, device="cuda", gpu_id=0, tp_rank=0, tp_size=sa.tp_size, pp_rank=stage, pp_size=pp,
                 dp_size=sa.dp_size, server_args=sa, is_draft_worker=False, is_generation=mc.is_generation, is_multimodal=getattr(mc, "is_multimodal", False),
                 spec_algorithm=spec, page_size=getattr(sa, "page_size", 1), req_to_token_pool=None, token_to_kv_pool_allocator=None, model=model, dtype=mc.dtype,
                 use_mla_backend=mc.attention_arch == AttentionArch.MLA, attention_chunk_size=getattr(mc, "attention_chunk_size", None), ps=sizes,
                 is_multimodal_chunked_prefill_supported=getattr(mc, "is_multimodal_chunked_prefill_supported", True), memory_pool_config=None,
                 enable_hisparse=False, dcp_size=getattr(sa, "dcp_size", 1) or 1, dcp_rank=0, attn_cp_size=1, post_capture_kv_active=False, forward_stream=None,
                 _linear_attn_registry_cache=getattr(MR, "_UNSET", None), remote_instance_transfer_engine=None, draft_model_idx=None,
                 moe_ep_size=getattr(sa, "ep_size", 1), moe_ep_rank=0, is_hybrid=getattr(mc, "is_hybrid", None),
                 is_hybrid_swa=getattr(mc, "is_hybrid_swa", False), is_hybrid_swa_compress=getattr(mc, "is_hybrid_swa_compress", False))
    for k, v in known.items():
        with contextlib.suppress(AttributeError):
            setattr(r, k, v)
    if hasattr(MR.ModelRunner, "model_specific_adjustment"):
        r.model_specific_adjustment()
    r.sliding_window_size = None
    hybrid = r.is_hybrid or r.is_hybrid_swa
    if has:
        r.sliding_window_size = window - 1
    elif hybrid and getattr(mc, "attention_chunk_size", None):
        r.sliding_window_size = mc.attention_chunk_size
    elif r.is_hybrid_swa and getattr(mc, "sliding_window_size", None):
        r.sliding_window_size = mc.sliding_window_size
    r.dtype = mc.dtype
    before_pools(r, sa, mc, model)
    return r


def run(row):
    ROW.clear()
    ROW.update(row)
    for k in set(os.environ) - set(ENVIRONMENT):
        del os.environ[k]
    os.environ.update(ENVIRONMENT)
    card(row["cc"])
    args = [a.replace("DRAFT:", MODELS + "/") for a in row["args"]]
    quiet = ["--skip-server-warmup"] if HAS_WARMUP_FLAG else []
    sa = prepare_server_args(["--model-path", f"{MODELS}/{row['model']}", "--device", "cuda", *quiet, *args])
    logging.disable(logging.CRITICAL)
    announce = getattr(MR, "set_global_server_args_for_scheduler", None) or getattr(SA, "set_global_server_args_for_scheduler", nothing)
    announce(sa)
    mc = model_config(sa)
    spec = SpeculativeAlgorithm.from_string(sa.speculative_algorithm)
    pp, dp = getattr(sa, "pp_size", 1), sa.dp_size if sa.enable_dp_attention else 1
    world = types.SimpleNamespace(world_size=sa.tp_size * pp, cpu_group=None)
    for name, value in (("get_world_group", world), ("get_attention_tp_size", sa.tp_size // dp), ("get_attention_dp_size", dp), ("get_attention_cp_size", 1),
                        ("get_attention_cp_group", types.SimpleNamespace(world_size=1)), ("get_available_gpu_memory", row["post"])):
        replace(name, lambda *a, v=value, **k: v)
    with contextlib.suppress(Exception):
        import sglang.srt.layers.dp_attention as D
        D._ATTN_TP_SIZE, D._ATTN_TP_RANK, D.get_attention_tp_size = sa.tp_size // dp, 0, lambda: sa.tp_size // dp
    import sglang.srt.distributed.parallel_state as PS
    PS._TP = types.SimpleNamespace(world_size=sa.tp_size, rank_in_group=0)

    def make(stage, reduce):
        Pool.made = []
        torch.distributed.all_reduce = reduce
        r = runner(sa, mc, spec, stage)
        asked = inspect.signature(r.init_memory_pool).parameters
        more = [sa.max_running_requests, sa.max_total_tokens] if "max_num_reqs" in asked else []
        if "server_args" in asked and "pre_model_load_memory" not in asked and list(asked)[1] == "server_args":
            more = [sa]
        r.init_memory_pool(row["pre"], *more)
        return r
    resolved = {k: v for k, v in vars(sa).items() if isinstance(v, (int, float, str, bool, type(None)))}
    seen = []
    for stage in range(pp if pp > 1 else 0):
        make(stage, lambda t, **k: seen.append(t.item()))
        for k, v in resolved.items():
            with contextlib.suppress(Exception):
                object.__setattr__(sa, k, v)
    r = make(0, lambda t, **k: t.fill_(min([t.item(), *seen])))
    slots = [k for n, k in Pool.made if "Req" in n][0]
    size = slots.get("size")
    if hasattr(r, "max_running_requests"):
        requests = r.max_running_requests
    else:
        limit = re.search(r"self\.max_running_requests = min\((.*?)\n        \)", WORKER, re.S)
        asked, divided = sa.max_running_requests, dp if limit and "dp_size" in limit.group(1) else 1
        requests = min(r.max_total_num_tokens // 2 if asked is None else asked // divided, size)
    sizes = None
    with contextlib.suppress(Exception):
        import sglang.srt.model_executor.cuda_graph_runner as CG
        r.req_to_token_pool = types.SimpleNamespace(size=size)
        sizes = CG.get_batch_sizes_to_capture(r)[0]
    out = {"fraction": r.mem_fraction_static, "chunk": max(sa.chunked_prefill_size or 0, 0), "page": getattr(sa, "page_size", 1),
           "max_bs": sa.cuda_graph_max_bs if NUMBER >= (0, 5, 2) else None, "captured": 0 if sa.disable_cuda_graph else len(sizes) if sizes else None}
    if getattr(sa, "piecewise_cuda_graph_tokens", None) is not None:
        on = not getattr(sa, "disable_piecewise_cuda_graph", False) and getattr(sa, "enable_piecewise_cuda_graph", True)
        out["n_prefill"] = len(sa.piecewise_cuda_graph_tokens) if on else 0
    if getattr(r, "mambaish_config", None) is not None or getattr(r, "is_hybrid_gdn", False):
        out["states"] = getattr(sa, "max_mamba_cache_size", None) or slots.get("mamba_size") or size
    return {**out, "tokens": r.max_total_num_tokens, "window": getattr(r, "swa_max_total_num_tokens", None), "requests": requests,
            "c4_state": getattr(r, "c4_state_pool_size", None) or None, "c128_state": getattr(r, "c128_state_pool_size", None) or None}


# Failures that mean that the server would not start for want of memory; others are this harness's or the row's.
REFUSALS = ("leave no GPU memory", "cannot hold even one", "Not enough", "leaves no room", "too small to serve", "greater than the derived", "is zero")


def main():
    for line in open(ROWS):
        row = json.loads(line)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                figures = stubbed(lambda: run(row))
        except (Exception, SystemExit) as e:
            if not any(r in str(e) for r in REFUSALS):
                print(f"{row['model']} {' '.join(row['args'])}: {type(e).__name__}: {e}", file=sys.stderr)
                continue
            figures = {"refused": 1}
        id_of = lambda folder: folder.replace("--", "/").lstrip("@")
        args = " ".join(id_of(a[6:]) if a.startswith("DRAFT:") else a for a in row["args"])
        print(f"row {id_of(row['model'])} {RELEASE} {row['cc'][0] * 10 + row['cc'][1]} {row['n_gpus']} {row['total_mib']} {row['pre']} {row['post']} " +
              " ".join(f"{k}={v}" for k, v in figures.items() if v is not None) + (f" -- {args}" if args else ""), flush=True)


main()
