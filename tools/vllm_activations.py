#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vllm_activations.py ORACLE_FOLDER MODE MODEL[:TP] ...: rows of tests/data/vllm/activations.txt.

Runs vLLM's own model classes (0.33.0, installed) on PyTorch's meta device and counts every storage from its creation to its end.
MODE: compiled, eager, or tower (Qwen's, Gemma 3's and LLaVA's). ORACLE_FOLDER holds the stand-ins that let vLLM plan without a card
(fake.py, harness.py) and the configurations. -v: what lives at the widest points.

compiled: chains of pointwise operations and reductions are one kernel; what only such a kernel reads has no memory; what a piece
between two mixers is given lives until it returns; a kernel writes over an input of the same size that dies with it; while it is
timed the cache is flushed by a buffer of 50 MiB."""
import sys, os
sys.path.insert(0, sys.argv[1])
import fake, torch, weakref, gc
import vllm.utils.torch_utils as tu
IMPL = {}
_orig = tu.direct_register_custom_op
def reg(op_name, op_func, *a, **k):
    IMPL[op_name] = op_func
    return _orig(op_name, op_func, *a, **k)
tu.direct_register_custom_op = reg
import vllm.utils
if hasattr(vllm.utils, "direct_register_custom_op"): vllm.utils.direct_register_custom_op = reg
import harness as h
import triton
from triton.runtime.jit import JITFunction
from triton.runtime.autotuner import Autotuner, Heuristics
JITFunction.run = lambda self, *a, **k: None
Autotuner.run = lambda self, *a, **k: None
Heuristics.run = lambda self, *a, **k: None
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from vllm.ir.op import IrOp
from vllm.forward_context import set_forward_context
from vllm.config import set_current_vllm_config

MB = 1 << 20
def up(n): return (n + 511) // 512 * 512

_mm = h.MetaMode.__torch_function__
def _nopin(self, func, types, args=(), kwargs=None):
    if kwargs: kwargs.pop("pin_memory", None)
    return _mm(self, func, types, args, kwargs)
h.MetaMode.__torch_function__ = _nopin
class _Dev:
    def __init__(self, *a, **k): pass
    def __enter__(self): return self
    def __exit__(self, *a): return False
torch.cuda.device = _Dev
torch.Tensor.pin_memory = lambda self, *a, **k: self
_lib = torch.library.Library("vact", "DEF")
_lib.define("all_reduce(Tensor x) -> Tensor"); _lib.define("all_gather(Tensor x, int n, int dim) -> Tensor")
_lib.define("reduce_scatter(Tensor x, int n, int dim) -> Tensor")
_lib.impl("all_reduce", lambda x: torch.empty_like(x), "Meta")
def _ag(x, n, dim):
    s = list(x.shape); s[dim] *= n
    return x.new_empty(s)
def _rs(x, n, dim):
    s = list(x.shape); s[dim] //= n
    return x.new_empty(s)
_lib.impl("all_gather", _ag, "Meta"); _lib.impl("reduce_scatter", _rs, "Meta")
def _all_gather(self, x, dim=-1):
    if self.world_size == 1: return x
    n = self.world_size
    if dim < 0: dim += x.dim()
    o = torch.ops.vact.all_gather(x, n, 0)
    return o.reshape((n,) + tuple(x.shape)).movedim(0, dim).reshape(tuple(x.shape[:dim]) + (n * x.shape[dim],) + tuple(x.shape[dim + 1:]))
G = fake.FakeGroup
G.all_reduce = lambda self, x: x if self.world_size == 1 else torch.ops.vact.all_reduce(x)
G.all_gather = _all_gather
G.gather = lambda self, x, dst=0, dim=-1: _all_gather(self, x, dim)
G.reduce_scatter = lambda self, x, dim=-1: x if self.world_size == 1 else torch.ops.vact.reduce_scatter(x, self.world_size, dim % x.dim())

class Node:
    __slots__ = ("name", "ins", "outs", "kind", "comp", "inner", "left", "group", "region", "mut")

EXTERN = {"mm", "addmm", "bmm", "baddbmm", "convolution", "_scaled_mm", "topk", "sort", "_scaled_dot_product_flash_attention",
          "_scaled_dot_product_efficient_attention", "_scaled_dot_product_attention_math", "cumsum", "multinomial", "matmul", "linear", "dot", "mv",
          "scaled_dot_product_attention", "_scaled_dot_product_flash_attention_for_cpu"}
SPLIT = {"unified_attention", "unified_attention_with_output", "unified_mla_attention", "unified_mla_attention_with_output",
         "mamba_mixer2", "mamba_mixer", "short_conv", "linear_attention", "plamo2_mamba_mixer", "gdn_attention_core", "gdn_attention", "olmo_hybrid_gdn_full_forward",
         "kda_attention", "sparse_attn_indexer", "rocm_aiter_sparse_attn_indexer", "gdn_attention_core_xpu", "unified_kv_cache_update", "unified_mla_kv_cache_update"}

class Tracker(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.live = {}      # id -> (bytes, label)
        self.now = self.peak = 0
        self.snap = None
        self.seq = 0
        self.ids = {}       # storage python id -> serial
        self.size = {}
        self.label = {}
        self.nodes = []
        self.death = {}
        self.compiled = 0
        self.compiled_cuda = False  # C++ kernels for what has one: enforce_eager
        self.opaque = 0
        self.stack = []
        self.phase = "?"
        self.phase_peak = {}
        self.unknown = {}
        self.base = set(); self.regions = {}

    def know(self, t):
        s = t.untyped_storage()
        k = s._cdata
        if k in self.ids: return self.ids[k]
        self.seq += 1
        n = self.seq
        self.ids[k] = n
        self.size[n] = 0 if t.device.type not in ("meta", "cuda") else up(s.nbytes())
        weakref.finalize(s, self.dead, k, n)
        return n

    def ignore(self, t):
        """weights and persistent buffers"""
        n = self.know(t)
        self.base.add(n)
        self.size[n] = 0
        return n

    def alloc(self, t, label):
        s = t.untyped_storage(); k = s._cdata
        if k in self.ids: return self.ids[k], False
        n = self.know(t)
        b = self.size[n]
        self.label[n] = (label, tuple(t.shape), str(t.dtype)[6:])
        self.live[n] = b
        self.now += b
        if self.now > self.peak:
            self.peak = self.now
            self.snap = dict(self.live)
        p = self.phase_peak.get(self.phase, (0, None))
        if self.now > p[0]: self.phase_peak[self.phase] = (self.now, dict(self.live))
        for f in self.stack:
            f[2].add(n); f[1] += b
            f[0] = max(f[0], f[1])
        return n, True

    def dead(self, k, n):
        if self.ids.get(k) == n: del self.ids[k]
        if n in self.live:
            for f in self.stack:
                if n in f[2]: f[1] -= self.live[n]; f[2].discard(n)
            self.now -= self.live.pop(n)
        self.death[n] = len(self.nodes)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        ns, name = func._schema.name.split("::")
        base = name
        ins = []
        for a in tree_flatten((args, kwargs))[0]:
            if isinstance(a, torch.Tensor): ins.append(self.know(a))
        frame = None
        if name in ("copy_", "copy") and isinstance(args[0], torch.Tensor) and isinstance(args[1], torch.Tensor) and args[0].device != args[1].device:
            return args[0]
        if name in ("flash_attn_maxseqlen_wrapper", "triton_attn_wrapper", "torch_sdpa_wrapper", "flashinfer_wrapper"):
            out = torch.empty_like(args[0] if args else kwargs["q"])
        elif ns in ("aten", "prims", "prim", "_c10d_functional", "inductor", "profiler", "quantized_decomposed"):
            out = func(*args, **kwargs)
        elif ns == "vllm_ir" and not self.compiled_cuda:
            with self: return IrOp.registry[name].impls["native"].impl_fn(*args, **kwargs)
        elif ns == "vllm_ir":
            impl = IrOp.registry[name].impls.get("vllm_c")
            if impl is None:
                with self: return IrOp.registry[name].impls["native"].impl_fn(*args, **kwargs)
            with self: return impl.func_impl_fn(*args, **kwargs) if func._overloadname != "maybe_inplace" else impl.impl_fn(*args, **kwargs)
        elif ns == "vllm" and name in IMPL:
            frame = [0, 0, set()]
            self.stack.append(frame)
            self.opaque += 1
            try:
                with self:
                    out = IMPL[name](*args, **kwargs)
            finally:
                self.opaque -= 1
                self.stack.pop()
        else:
            try:
                out = func(*args, **kwargs)
            except NotImplementedError:
                if len(func._schema.returns) == 0: out = None
                else:
                    self.unknown[func._schema.name] = self.unknown.get(func._schema.name, 0) + 1
                    raise
            except Exception as e:
                if len(func._schema.returns) == 0: out = None
                else: raise
        outs = []
        fresh = False
        for o in tree_flatten(out)[0]:
            if isinstance(o, torch.Tensor) and o.device.type != "cpu":
                n, new = self.alloc(o, ns + "::" + name)
                fresh |= new
                outs.append(n)
        if not self.opaque:
            nd = Node(); nd.name = ns + "::" + name; nd.ins = ins; nd.outs = outs; nd.comp = self.compiled
            nd.inner = frame[0] if frame else 0
            nd.left = max(0, frame[1] - sum(self.live.get(o, 0) for o in outs if o in frame[2])) if frame and nd.name.split("::")[1].startswith("moe_") else 0
            muts = func._schema.is_mutable
            if ns == "aten" and outs and not fresh and not muts: nd.kind = "view"
            elif name in SPLIT: nd.kind = "split"
            elif ns in ("aten", "prims") and base not in EXTERN: nd.kind = "fuse"
            else: nd.kind = "extern"
            nd.mut = muts
            self.nodes.append(nd)
        return out

def fused(tr, l2=0, verbose=False):
    """Peak of the compiled part: chains of elementwise kernels and reductions are one kernel."""
    N = [n for n in tr.nodes if n.comp and n.kind != "view"]
    if not N: return 0, []
    region = 0
    for n in N:
        if n.kind == "split":
            region += 1; n.region = region; region += 1
        else: n.region = region
    # groups: fusable nodes joined through producers without an extern between
    producer = {}
    consumers = {}
    level = {}
    for i, n in enumerate(N):
        n.group = None
        lv = 0
        for s in n.ins:
            consumers.setdefault(s, []).append(i)
            p = producer.get(s)
            if p is not None and N[p].region == n.region:
                lv = max(lv, level[p] + (0 if N[p].kind == "fuse" and n.kind == "fuse" else 1))
        level[i] = lv
        for s in n.outs: producer.setdefault(s, i) if not (n.mut and s in producer) else producer.__setitem__(s, i)
    # what only later kernels read is worked out inside them
    for i in range(len(N) - 1, -1, -1):
        n = N[i]
        if n.kind != "fuse": continue
        cs = [c for o in n.outs for c in consumers.get(o, []) if c > i]
        big = max([tr.size.get(x, 0) for x in n.ins] + [0])
        if big > max([tr.size.get(o, 0) for o in n.outs] + [0]): continue
        if cs and all(N[c].kind == "fuse" and N[c].region == n.region for c in cs) and not any(tr.death.get(o, 1 << 60) > tr.last_comp for o in n.outs):
            level[i] = max(level[i], min(level[c] for c in cs))
    # union
    par = list(range(len(N)))
    def find(x):
        while par[x] != x: par[x] = par[par[x]]; x = par[x]
        return x
    for i, n in enumerate(N):
        if n.kind != "fuse": continue
        for s in n.ins:
            p = producer.get(s)
            if p is not None and p < i and N[p].kind == "fuse" and N[p].region == n.region and level[p] == level[i]:
                par[find(i)] = find(p)
    # also siblings reading the same tensor at the same level
    read = {}
    for i, n in enumerate(N):
        if n.kind != "fuse": continue
        for s in n.ins:
            k = (s, n.region, level[i])
            if tr.size.get(s, 0) and k in read: par[find(i)] = find(read[k])
            read.setdefault(k, i)
    first_prod = {}
    for i, n in enumerate(N):
        for s in n.outs: first_prod.setdefault(s, i)
    end = len(N)
    escapes = lambda s: tr.death.get(s, 1 << 60) > tr.last_comp
    groups = {}
    for i, n in enumerate(N):
        groups.setdefault(find(i), []).append(i)
    gpos = {}
    for g, m in groups.items():
        if N[m[0]].kind != "fuse": gpos[g] = m[0]; continue
        cons = [c for i in m for s in N[i].outs for c in consumers.get(s, []) if find(c) != g and c > i]
        same = [c for c in cons if N[c].region == N[m[0]].region]
        lastext = [p for i in m for s in N[i].ins for p in [producer.get(s)] if p is not None and find(p) != g and N[p].region == N[m[0]].region and p < i]
        gpos[g] = max([min(m)] + [p for p in lastext]) + 0.5
    order = sorted(groups, key=lambda g: (N[groups[g][0]].region, gpos[g]))
    when = {g: t for t, g in enumerate(order)}
    # buffers
    mat = {}
    for s, i in first_prod.items():
        if not tr.size.get(s): continue
        g = find(i)
        cs = consumers.get(s, [])
        out = [c for c in cs if find(c) != g]
        if N[i].kind != "fuse" or out or escapes(s):
            born = when[g]
            last = max([when[find(c)] for c in cs] + [born])
            lreg = max([N[c].region for c in cs] + [N[i].region])
            # held by the caller until the region that reads it last returns
            if lreg != N[i].region:
                last = max(t for g2, t in when.items() if N[groups[g2][0]].region == lreg)
            if escapes(s): last = len(order)
            mat[s] = (born, last)
    live = {}
    peak = 0; snap = None
    base = 0
    tr.regions = {}
    births = {}; deaths = {}
    for s, (b, d) in mat.items():
        births.setdefault(b, []).append(s); deaths.setdefault(d, []).append(s)
    now = 0
    for t, g in enumerate(order):
        nd = N[groups[g][0]]
        dying = [s for s in deaths.get(t, []) if s in live]
        reuse = []
        if nd.kind == "fuse":
            for s in births.get(t, []):
                for q in dying:
                    # a kernel writes over an input that dies with it, where that was made in this region
                    if q not in reuse and tr.size[q] == tr.size[s] and N[first_prod[q]].region == nd.region:
                        reuse.append(q); break
        for q in reuse: now -= live.pop(q)
        for s in births.get(t, []):
            live[s] = tr.size[s]; now += tr.size[s]
        extra = nd.inner if nd.kind in ("extern", "split") else (l2 if nd.kind == "fuse" else 0)
        outb = sum(tr.size[s] for s in births.get(t, [])) if nd.inner else 0
        tot = now + max(0, extra - outb) if nd.inner else now + extra
        tot += base
        if tr.regions.get(nd.region, (0,))[0] < tot:
            tr.regions[nd.region] = (tot, nd.name, extra, [(tr.label[s], tr.size[s]) for s in live])
        if tot > peak:
            peak = tot; snap = (nd.name, [N[i].name.split("::")[1] for i in groups[g]], extra, [(tr.label[s], tr.size[s]) for s in live])
        base += nd.left
        for s in deaths.get(t, []):
            if s in live: now -= live.pop(s)
    return peak, snap

MB = 1 << 20
def show(snap, tr, n=12):
    for k, b in sorted(snap.items(), key=lambda kv: -kv[1])[:n]:
        if b >= MB: print("#   %9.1f MiB %s" % (b / MB, tr.label[k]))

from vllm.model_executor.layers.activation import SiluAndMul
_native = SiluAndMul.forward_native
CUR = [None]
def _silu(self_or_x, x=None):
    a = self_or_x if x is None else x
    t = CUR[0]
    if t is not None and t.compiled and not t.opaque: return torch.nn.functional.silu(a[..., :a.shape[-1] // 2]) * a[..., a.shape[-1] // 2:]
    o = torch.empty(a.shape[:-1] + (a.shape[-1] // 2,), dtype=a.dtype, device=a.device)
    torch.ops._C.silu_and_mul(o, a)
    return o
SiluAndMul.forward_native = staticmethod(_silu)

class Run:
    def __init__(self, mid, flags, eager=False, tower=False):
        cfg = h.load_facts()[mid]
        fl = dict(flags)
        fl["compilation_config"] = {"mode": 0, "custom_ops": ["all" if eager else "none"]}
        self.vc = vc = h.make_config(h.model_dir(mid, cfg), fl)
        self.model, self.draft = h.build(vc)
        self.T = vc.scheduler_config.max_num_batched_tokens
        self.R = min(vc.scheduler_config.max_num_seqs, self.T)
        self.tr = tr = Tracker()
        tr.compiled_cuda = eager; CUR[0] = tr
        post(self.model, vc)
        for m in (self.model, self.draft):
            if m is None: continue
            for sub in m.modules():
                for t in list(sub.parameters(recurse=False)) + list(sub.buffers(recurse=False)): tr.ignore(t)
                for v in list(vars(sub).values()):
                    if isinstance(v, torch.Tensor): tr.ignore(v)
                if not tower and getattr(sub, "do_not_compile", None) is not None: # towers are not compiled
                    self.flag(sub)
    def flag(self, sub):
        tr = self.tr
        f = sub.forward
        def g(*a, **k):
            tr.compiled += 1
            try: return f(*a, **k)
            finally: tr.compiled -= 1
        sub.forward = g

    def forward(self):
        vc, tr, T = self.vc, self.tr, self.T
        old = torch.get_default_dtype()
        torch.set_default_dtype(vc.model_config.dtype)
        try:
            with h.MetaMode(), torch.device("meta"), set_current_vllm_config(vc):
                ids = torch.empty(T, dtype=torch.int32); tr.ignore(ids)
                shape = (3, T) if vc.model_config.uses_mrope else (T,)
                pos = torch.empty(shape, dtype=torch.int64); tr.ignore(pos)
                with set_forward_context(None, vc, num_tokens=T), torch.no_grad(), tr:
                    tr.phase = "forward"
                    hidden = self.model(ids, pos, None, None)
                    tr.last_comp = len(tr.nodes)
                    del hidden
        finally:
            torch.set_default_dtype(old)
        return self

def post(model, vc):
    """What process_weights_after_loading would set, as far as the forward needs it."""
    for hook in POST: hook(model, vc)
def experts(model, vc):
    with h.MetaMode(), torch.device("meta"), set_current_vllm_config(vc):
        for n, m in model.named_modules():
            q = getattr(m, "quant_method", None)
            if q is None or not hasattr(q, "process_weights_after_loading"): continue
            kind = type(q).__name__
            try: q.process_weights_after_loading(m)
            except Exception as e:
                if kind not in SAID:
                    SAID.add(kind)
                    print(f"# {kind}: {e!r:.120}", file=sys.stderr)
SAID = set()
POST = [experts]

CPU = torch.device("cpu")
def qwen(channels):  # the largest image: 65,536 patches
    return lambda r: {"pixel_values": torch.empty(65536, channels, dtype=r.vc.model_config.dtype), "image_grid_thw": torch.tensor([[1, 256, 256]], device=CPU)}
TOWERS = {"qwen2_vl": qwen(1176), "qwen2_5_vl": qwen(1176), "qwen3_vl": qwen(1536), "qwen3_vl_moe": qwen(1536),
          "gemma3": lambda r: {"pixel_values": torch.empty(32, 3, 896, 896, dtype=torch.bfloat16), "num_patches": torch.ones(32, dtype=torch.int64, device=CPU)},
          "llava": lambda r: {"pixel_values": torch.empty(14, 3, 336, 336, dtype=torch.float16)}}

def tower(r):
    tr, vc = r.tr, r.vc
    old = torch.get_default_dtype()
    torch.set_default_dtype(vc.model_config.dtype)
    try:
        with h.MetaMode(), set_current_vllm_config(vc):
            with torch.device("meta"): given = TOWERS[vc.model_config.hf_config.model_type](r)
            for t in given.values():
                if t.device.type == "meta": tr.alloc(t, "pixels")
            with set_forward_context(None, vc, num_tokens=r.T), torch.no_grad(), tr:
                tr.phase = "encoder"
                r.model.embed_multimodal(**given)
    finally: torch.set_default_dtype(old)
    return tr.phase_peak["encoder"]

def main():
    mode, verbose = sys.argv[2], "-v" in sys.argv
    for name in (x for x in sys.argv[3:] if x != "-v"):
        mid, _, tp = name.partition(":")
        flags = {"max_num_seqs": 16, "max_num_batched_tokens": 8192, "tensor_parallel_size": int(tp or 1)}
        if mode == "tower": flags["max_model_len"] = 4096
        try:
            r = Run(mid, flags, eager=mode == "eager", tower=mode == "tower")
            if mode == "tower":
                peak, snap = tower(r)
            else:
                r.forward()
                peak, snap = r.tr.phase_peak["forward"]
                if mode == "compiled": peak, widest = fused(r.tr, 50 * MB)
        except Exception as e:
            print(f"# {name}: {e!r:.160}", file=sys.stderr)
            continue
        print(mode, mid, tp or 1, r.T, r.R, peak, flush=True)
        if verbose and mode == "compiled":
            print("# at", widest[0])
            for label, b in sorted(widest[3], key=lambda x: -x[1])[:12]:
                if b >= MB: print("#   %9.1f MiB %s" % (b / MB, label))
        elif verbose: show(snap, r.tr)
        del r
        gc.collect()

if __name__ == "__main__":
    main()
