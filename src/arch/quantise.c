/* SPDX-License-Identifier: Apache-2.0 */
/* What a quantisation stores for each linear weight, as a table: a form is a list of parts, a part a name, a type and a shape.
 * Shapes as written by AutoGPTQ 0.7, AutoAWQ 0.2, compressed-tensors 0.10, bitsandbytes 0.45, ModelOpt 0.31, MLX-LM 0.25 and the
 * released checkpoints of DeepSeek-V3 (fp8 blocks) and gpt-oss (MXFP4). */
#include "arch/quantise.h"

#include "arch/quant_config.h"
#include "base/status.h"
#include "base/str.h"

#include <hwledger/device.h>

#include <string.h>
#include <strings.h>

enum form {
    FORM_NONE, FORM_FP8, FORM_FP8_CHANNEL, FORM_FP8_BLOCK, FORM_INT8, FORM_GPTQ, FORM_AWQ, FORM_PACK, FORM_BNB4, FORM_BNB4_NESTED,
    FORM_BNB8, FORM_MXFP4, FORM_MXFP4_EXPERTS, FORM_MXFP8, FORM_NVFP4, FORM_NVFP4_CT, FORM_MLX,
    FORM_FP4_EXPERTS, FORM_MIXED
};

/* Shapes over out, in, bits, group size and block. P = 32 / bits elements of an I32. */
enum shape { S_FULL, S_SCALAR, S_ONE, S_TWO, S_OUT, S_OUT_1, S_IN, S_BLOCK, S_ROWS_PACKED, S_COLS_PACKED, S_GROUPS_OUT, S_GROUPS_OUT_PACKED,
    S_OUT_COLS_PACKED, S_OUT_GROUPS, S_OUT_PACKED_GROUPS, S_FLAT_HALF, S_FLAT_64, S_FLAT_16384, S_16, S_256, S_HALF,
    S_MX_BLOCKS, S_OUT_COLS_BITS };

enum when { ALWAYS, IF_ZERO, IF_ORDER };
#define MODEL_TYPE "" /* the type that the plain weight has */

struct part {
    uint8_t form;
    const char *suffix; /* instead of ".weight" */
    uint8_t part;       /* enum hwl_part */
    const char *dtype;
    uint8_t shape, when;
};

static const struct part parts[] = {
    {FORM_FP8, ".weight", HWL_PART_WEIGHT, "F8_E4M3", S_FULL, ALWAYS},
    {FORM_FP8, ".weight_scale", HWL_PART_SCALE, "F32", S_SCALAR, ALWAYS},
    {FORM_FP8_CHANNEL, ".weight", HWL_PART_WEIGHT, "F8_E4M3", S_FULL, ALWAYS},
    {FORM_FP8_CHANNEL, ".weight_scale", HWL_PART_SCALE, MODEL_TYPE, S_OUT_1, ALWAYS},
    {FORM_FP8_BLOCK, ".weight", HWL_PART_WEIGHT, "F8_E4M3", S_FULL, ALWAYS},
    {FORM_FP8_BLOCK, ".weight_scale_inv", HWL_PART_SCALE, "F32", S_BLOCK, ALWAYS},
    {FORM_INT8, ".weight", HWL_PART_WEIGHT, "I8", S_FULL, ALWAYS},
    {FORM_INT8, ".weight_scale", HWL_PART_SCALE, MODEL_TYPE, S_OUT_1, ALWAYS},
    {FORM_GPTQ, ".qweight", HWL_PART_WEIGHT, "I32", S_ROWS_PACKED, ALWAYS},
    {FORM_GPTQ, ".qzeros", HWL_PART_ZERO, "I32", S_GROUPS_OUT_PACKED, ALWAYS},
    {FORM_GPTQ, ".scales", HWL_PART_SCALE, "F16", S_GROUPS_OUT, ALWAYS},
    {FORM_GPTQ, ".g_idx", HWL_PART_INDEX, "I32", S_IN, ALWAYS},
    {FORM_AWQ, ".qweight", HWL_PART_WEIGHT, "I32", S_COLS_PACKED, ALWAYS},
    {FORM_AWQ, ".qzeros", HWL_PART_ZERO, "I32", S_GROUPS_OUT_PACKED, ALWAYS},
    {FORM_AWQ, ".scales", HWL_PART_SCALE, "F16", S_GROUPS_OUT, ALWAYS},
    {FORM_PACK, ".weight_packed", HWL_PART_WEIGHT, "I32", S_OUT_COLS_PACKED, ALWAYS},
    {FORM_PACK, ".weight_scale", HWL_PART_SCALE, MODEL_TYPE, S_OUT_GROUPS, ALWAYS},
    {FORM_PACK, ".weight_shape", HWL_PART_META, "I64", S_TWO, ALWAYS},
    {FORM_PACK, ".weight_zero_point", HWL_PART_ZERO, "I32", S_OUT_PACKED_GROUPS, IF_ZERO},
    {FORM_PACK, ".weight_g_idx", HWL_PART_INDEX, "I32", S_IN, IF_ORDER},
    {FORM_BNB4, ".weight", HWL_PART_WEIGHT, "U8", S_FLAT_HALF, ALWAYS},
    {FORM_BNB4, ".weight.absmax", HWL_PART_SCALE, "F32", S_FLAT_64, ALWAYS},
    {FORM_BNB4, ".weight.quant_map", HWL_PART_META, "F32", S_16, ALWAYS},
    {FORM_BNB4_NESTED, ".weight", HWL_PART_WEIGHT, "U8", S_FLAT_HALF, ALWAYS},
    {FORM_BNB4_NESTED, ".weight.absmax", HWL_PART_SCALE, "U8", S_FLAT_64, ALWAYS},
    {FORM_BNB4_NESTED, ".weight.nested_absmax", HWL_PART_SCALE, "F32", S_FLAT_16384, ALWAYS},
    {FORM_BNB4_NESTED, ".weight.nested_quant_map", HWL_PART_META, "F32", S_256, ALWAYS},
    {FORM_BNB4_NESTED, ".weight.quant_map", HWL_PART_META, "F32", S_16, ALWAYS},
    {FORM_BNB8, ".weight", HWL_PART_WEIGHT, "I8", S_FULL, ALWAYS},
    {FORM_BNB8, ".SCB", HWL_PART_SCALE, "F32", S_OUT, ALWAYS},
    {FORM_BNB8, ".weight_format", HWL_PART_META, "U8", S_SCALAR, ALWAYS},
    {FORM_MXFP4, ".weight_packed", HWL_PART_WEIGHT, "U8", S_HALF, ALWAYS},
    {FORM_MXFP4, ".weight_scale", HWL_PART_SCALE, "U8", S_OUT_GROUPS, ALWAYS},
    {FORM_MXFP4_EXPERTS, "_blocks", HWL_PART_WEIGHT, "U8", S_MX_BLOCKS, ALWAYS},
    {FORM_MXFP4_EXPERTS, "_scales", HWL_PART_SCALE, "U8", S_OUT_GROUPS, ALWAYS},
    {FORM_FP4_EXPERTS, ".weight", HWL_PART_WEIGHT, "I8", S_HALF, ALWAYS},
    {FORM_FP4_EXPERTS, ".scale", HWL_PART_SCALE, "U8", S_OUT_GROUPS, ALWAYS},
    {FORM_MXFP8, ".weight", HWL_PART_WEIGHT, "F8_E4M3", S_FULL, ALWAYS},
    {FORM_MXFP8, ".weight_scale", HWL_PART_SCALE, "U8", S_OUT_GROUPS, ALWAYS},
    {FORM_NVFP4, ".weight", HWL_PART_WEIGHT, "U8", S_HALF, ALWAYS},
    {FORM_NVFP4, ".weight_scale", HWL_PART_SCALE, "F8_E4M3", S_OUT_GROUPS, ALWAYS},
    {FORM_NVFP4, ".weight_scale_2", HWL_PART_SCALE, "F32", S_SCALAR, ALWAYS},
    {FORM_NVFP4, ".input_scale", HWL_PART_SCALE, "F32", S_SCALAR, ALWAYS},
    {FORM_NVFP4_CT, ".weight_packed", HWL_PART_WEIGHT, "U8", S_HALF, ALWAYS},
    {FORM_NVFP4_CT, ".weight_scale", HWL_PART_SCALE, "F8_E4M3", S_OUT_GROUPS, ALWAYS},
    {FORM_NVFP4_CT, ".weight_global_scale", HWL_PART_SCALE, "F32", S_ONE, ALWAYS},
    {FORM_NVFP4_CT, ".input_global_scale", HWL_PART_SCALE, "F32", S_ONE, ALWAYS},
    {FORM_MLX, ".weight", HWL_PART_WEIGHT, "U32", S_OUT_COLS_BITS, ALWAYS},
    {FORM_MLX, ".scales", HWL_PART_SCALE, MODEL_TYPE, S_OUT_GROUPS, ALWAYS},
    {FORM_MLX, ".biases", HWL_PART_ZERO, MODEL_TYPE, S_OUT_GROUPS, ALWAYS},
};

/* First row whose method (and format, unless "") fits. */
static const struct {
    const char *method, *format;
    uint8_t form;
    uint32_t bits, group; /* where the configuration does not say */
} forms[] = {
    {"gptq", "", FORM_GPTQ, 4, 0},
    {"auto-round", "", FORM_GPTQ, 4, 128},
    {"awq", "", FORM_AWQ, 4, 128},
    {"mxfp4", "", FORM_MXFP4_EXPERTS, 4, 32},
    {"compressed-tensors", "float-quantized", FORM_FP8, 8, 0},
    {"compressed-tensors", "naive-quantized", FORM_FP8, 8, 0},
    {"compressed-tensors", "int-quantized", FORM_INT8, 8, 0},
    {"compressed-tensors", "pack-quantized", FORM_PACK, 4, 0},
    {"compressed-tensors", "nvfp4-pack-quantized", FORM_NVFP4_CT, 4, 16},
    {"compressed-tensors", "mxfp4-pack-quantized", FORM_MXFP4, 4, 32},
    {"bitsandbytes", "", FORM_BNB4, 4, 0},
    {"modelopt", "nvfp4", FORM_NVFP4, 4, 16},
    {"modelopt", "mxfp8", FORM_MXFP8, 8, 32},
    {"modelopt", "awq", FORM_AWQ, 4, 128},
    {"modelopt", "mixed", FORM_MIXED, 0, 0},
    {"modelopt", "fp8", FORM_FP8, 8, 0},
    {"modelopt", "fp8-channel", FORM_FP8_CHANNEL, 8, 0},
    {"modelopt", "fp8-block", FORM_FP8_BLOCK, 8, 0},
    {"fp8", "", FORM_FP8, 8, 0},
    {"fbgemm_fp8", "", FORM_FP8_CHANNEL, 8, 0},
    {"mlx", "", FORM_MLX, 4, 64},
};

static enum form form_of(struct hwl_quant *q)
{
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        uint64_t n = strlen(forms[i].method);
        if (strncmp(q->method, forms[i].method, n) != 0 || (q->method[n] && q->method[n] != '_') ||
            (*forms[i].format && strcmp(forms[i].format, q->format) != 0))
            continue;
        q->bits = q->bits ? q->bits : forms[i].bits;
        q->group_size = q->group_size ? q->group_size : forms[i].group;
        if (forms[i].form == FORM_MIXED && !q->n_layers) /* it does not say which modules */
            return FORM_NONE;
        if (forms[i].form == FORM_FP8 && q->block[0] && q->block[1])
            return FORM_FP8_BLOCK;
        if (forms[i].form == FORM_FP8 && q->per_channel)
            return FORM_FP8_CHANNEL;
        if (forms[i].form == FORM_BNB4)
            return q->bits == 8 ? FORM_BNB8 : q->nested ? FORM_BNB4_NESTED : FORM_BNB4;
        return (enum form)forms[i].form;
    }
    return FORM_NONE;
}

static bool is_expert(const struct hwl_tensor *t)
{
    return t->role == HWL_ROLE_EXP_GATE || t->role == HWL_ROLE_EXP_UP || t->role == HWL_ROLE_EXP_DOWN || t->role == HWL_ROLE_EXP_GATE_UP;
}

/* The linear layers that the tool kits quantise. Routers, heads, norms, embeddings and towers stay, in all of them. */
static bool is_linear(const struct hwl_tensor *t, enum form form)
{
    if (t->part != HWL_PART_WEIGHT || t->n_dims < 2 || t->tied || t->buffer || !t->elements)
        return false;
    const bool expert = is_expert(t);
    switch ((enum hwl_role)t->role) {
    case HWL_ROLE_EXP_GATE: case HWL_ROLE_EXP_UP: case HWL_ROLE_EXP_DOWN: case HWL_ROLE_EXP_GATE_UP:
    case HWL_ROLE_ATTN_Q: case HWL_ROLE_ATTN_K: case HWL_ROLE_ATTN_V: case HWL_ROLE_ATTN_QKV: case HWL_ROLE_ATTN_OUT:
    case HWL_ROLE_ATTN_GATE: case HWL_ROLE_ATTN_Q_A: case HWL_ROLE_ATTN_Q_B: case HWL_ROLE_ATTN_KV_A: case HWL_ROLE_ATTN_KV_B:
    case HWL_ROLE_ATTN_K_B: case HWL_ROLE_ATTN_V_B: case HWL_ROLE_CROSS_Q: case HWL_ROLE_CROSS_K: case HWL_ROLE_CROSS_V:
    case HWL_ROLE_CROSS_OUT: case HWL_ROLE_FFN_GATE: case HWL_ROLE_FFN_UP: case HWL_ROLE_FFN_DOWN: case HWL_ROLE_FFN_GATE_UP:
    case HWL_ROLE_SHEXP_GATE: case HWL_ROLE_SHEXP_UP: case HWL_ROLE_SHEXP_DOWN: case HWL_ROLE_SHEXP_GATE_UP: case HWL_ROLE_SSM_IN:
    case HWL_ROLE_SSM_OUT:
        break;
    case HWL_ROLE_INDEXER: /* DeepSeek-V3.2: wq_b and wk, but not the projection of the weights; V4: no compressor either */
        return form != FORM_MXFP4_EXPERTS && !strstr(t->name, "norm") &&
               (form == FORM_MLX || (!strstr(t->name, "weights_proj") && !strstr(t->name, "kv_proj") && !strstr(t->name, "gate_proj")));
    case HWL_ROLE_TOK_EMBD: case HWL_ROLE_OUTPUT: case HWL_ROLE_ROUTER: case HWL_ROLE_SHEXP_ROUTER: case HWL_ROLE_POS_EMBD:
    case HWL_ROLE_TYPE_EMBD: case HWL_ROLE_PER_LAYER_EMBD: case HWL_ROLE_EMBD_PROJ: case HWL_ROLE_SSM_X: case HWL_ROLE_SSM_DT:
    case HWL_ROLE_SSM_BETA:
        return form == FORM_MLX; /* every nn.Linear and nn.Embedding */
    case HWL_ROLE_SSM_GATE: /* of gated delta nets it is one matrix with in_proj_qkv to the engines, so stored as that is */
        if (form != FORM_MLX && !strstr(t->name, "in_proj_z"))
            return false;
        break;
    default:
        return false;
    }
    return form != FORM_MXFP4_EXPERTS || expert;
}

struct packer {
    struct hwl_quant q;
    enum form form;
    const char *arch;
    struct hwl_arena *arena;
    struct hwl_tensor *list;
    uint64_t n, cap;
    uint16_t plain; /* type of the plain weights */
    hwl_error *error;
    bool overflow;
};

static hwl_status nomem(struct packer *p)
{
    return hwl_fail(p->error, HWL_E_NOMEM, "out of memory");
}

static struct hwl_tensor *append(struct packer *p, const struct hwl_tensor *t)
{
    struct hwl_tensor *list = hwl_arena_grow(p->arena, p->list, &p->cap, p->n + 1, sizeof *list);
    if (!list)
        return NULL;
    p->list = list;
    list[p->n] = *t;
    return &list[p->n++];
}

static unsigned dims_of(const struct packer *p, enum shape shape, uint64_t out, uint64_t in, uint64_t dims[3])
{
    const uint64_t bits = p->q.bits ? p->q.bits : 4, pack = 32 / bits ? 32 / bits : 1;
    const uint64_t g = p->q.group_size && p->q.group_size < in ? p->q.group_size : in, groups = hwl_div_ceil(in, g ? g : 1);
    const uint64_t b0 = p->q.block[0] ? p->q.block[0] : 128, b1 = p->q.block[1] ? p->q.block[1] : 128;
    uint64_t flat = out * in; /* checked by the caller */
    switch (shape) {
    case S_FULL: dims[0] = out; dims[1] = in; return 2;
    case S_SCALAR: return 0;
    case S_ONE: dims[0] = 1; return 1;
    case S_TWO: dims[0] = 2; return 1;
    case S_OUT: dims[0] = out; return 1;
    case S_OUT_1: dims[0] = out; dims[1] = 1; return 2;
    case S_IN: dims[0] = in; return 1;
    case S_BLOCK: dims[0] = hwl_div_ceil(out, b0); dims[1] = hwl_div_ceil(in, b1); return 2;
    case S_ROWS_PACKED: dims[0] = hwl_div_ceil(in * bits, 32); dims[1] = out; return 2;
    case S_COLS_PACKED: dims[0] = in; dims[1] = hwl_div_ceil(out * bits, 32); return 2;
    case S_GROUPS_OUT: dims[0] = groups; dims[1] = out; return 2;
    case S_GROUPS_OUT_PACKED: dims[0] = groups; dims[1] = hwl_div_ceil(out * bits, 32); return 2;
    case S_OUT_COLS_PACKED: dims[0] = out; dims[1] = hwl_div_ceil(in, pack); return 2;
    case S_OUT_COLS_BITS: dims[0] = out; dims[1] = hwl_div_ceil(in * bits, 32); return 2;
    case S_OUT_GROUPS: dims[0] = out; dims[1] = groups; return 2;
    case S_OUT_PACKED_GROUPS: dims[0] = hwl_div_ceil(out, pack); dims[1] = groups; return 2;
    case S_FLAT_HALF: dims[0] = hwl_div_ceil(flat, 2); dims[1] = 1; return 2;
    case S_FLAT_64: dims[0] = hwl_div_ceil(flat, 64); return 1;
    case S_FLAT_16384: dims[0] = hwl_div_ceil(hwl_div_ceil(flat, 64), 256); return 1;
    case S_16: dims[0] = 16; return 1;
    case S_256: dims[0] = 256; return 1;
    case S_HALF: dims[0] = out; dims[1] = hwl_div_ceil(in, 2); return 2;
    case S_MX_BLOCKS: dims[0] = out; dims[1] = hwl_div_ceil(in, 32); dims[2] = 16; return 3;
    }
    return 0;
}

static const char *part_name(struct hwl_arena *arena, const char *name, const char *suffix)
{
    uint64_t n = strlen(name);
    if (hwl_str_ends(hwl_str_of(name), ".weight"))
        n -= 7;
    return hwl_arena_printf(arena, "%.*s%s", (int)n, name, suffix);
}

static hwl_status pack_one(struct packer *p, const struct hwl_tensor *t)
{
    /* A stack of experts in one tensor is as many matrices. */
    uint64_t stack = 1, out, in, one;
    for (unsigned d = 0; d + 2 < t->n_dims; d++)
        if (!hwl_mul(&stack, stack, t->dims[d]))
            return hwl_fail(p->error, HWL_E_OVERFLOW, "a shape overflows 64 bits");
    out = t->dims[t->n_dims - 2];
    in = t->dims[t->n_dims - 1];
    if (p->form == FORM_MXFP4_EXPERTS) { /* gpt-oss holds its plain experts as [in, out] */
        uint64_t swap = out;
        out = in;
        in = swap;
    }
    if (!hwl_mul(&one, out, in) || !hwl_mul(&one, one, 32))
        return hwl_fail(p->error, HWL_E_OVERFLOW, "a shape overflows 64 bits");
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct part *row = &parts[i];
        if (row->form != p->form || (row->when == IF_ZERO && !p->q.zero_point) || (row->when == IF_ORDER && !p->q.desc_act))
            continue;
        struct hwl_tensor *e = append(p, t);
        if (!e)
            return nomem(p);
        e->part = row->part;
        e->dtype = *row->dtype ? (uint16_t)hwl_dtype_of_name(row->dtype) : p->plain;
        e->offset = HWL_UNKNOWN;
        e->elements = row->part == HWL_PART_WEIGHT ? t->elements : 0;
        e->name = part_name(p->arena, t->name, row->suffix);
        uint64_t dims[3], elements = stack;
        unsigned n = dims_of(p, (enum shape)row->shape, out, in, dims), k = 0;
        memset(e->dims, 0, sizeof e->dims);
        if (stack > 1)
            e->dims[k++] = stack;
        for (unsigned d = 0; d < n && k < 5; d++) {
            e->dims[k++] = dims[d];
            if (!hwl_mul(&elements, elements, dims[d]))
                return hwl_fail(p->error, HWL_E_OVERFLOW, "a shape overflows 64 bits");
        }
        e->n_dims = (uint8_t)k;
        uint64_t bytes;
        if (!e->name)
            return nomem(p);
        if (!hwl_dtype_row((enum hwl_dtype)e->dtype, elements, &bytes) || !hwl_mul(&e->bytes, bytes, t->count ? t->count : 1))
            return hwl_fail(p->error, HWL_E_OVERFLOW, "a shape overflows 64 bits");
    }
    return HWL_OK;
}

/* mlx_lm 0.32.2: routers that quant_predicate keeps at 8 bits, and those that are bare arrays (MoEGate), never quantised. */
static const char mlx_router_8bit[] = "gemma4 gemma4_text gpt_oss granitemoe granitemoehybrid jamba kimi_linear lfm2_moe minimax minimax_m2 "
    "qwen3_5_moe qwen3_5_moe_text qwen3_moe qwen3_vl_moe qwen3_vl_moe_text qwen3_next afmoe bailing_moe";
static const char mlx_router_plain[] = "deepseek deepseek_v2 deepseek_v3 deepseek_v32 kimi_k2 kimi_k25 kimi_vl dots1 exaone_moe glm4_moe "
    "glm4_moe_lite glm_moe_dsa mimo_v2_flash nemotron_h";

/* quantize_model of mlx_lm/utils.py leaves rows that do not divide into groups. */
static bool mlx_takes(const struct packer *p, const struct hwl_tensor *t)
{
    if (p->form != FORM_MLX)
        return true;
    if (p->q.group_size && t->dims[t->n_dims - 1] % p->q.group_size)
        return false;
    return t->role != HWL_ROLE_ROUTER || !hwl_words_have(mlx_router_plain, p->arch);
}

/* A tensor of a checkpoint that says of each module how it is quantised. */
static hwl_status pack_own(struct packer *p, const struct hwl_tensor *t)
{
    const struct hwl_quant_layer *l = is_linear(t, FORM_NVFP4) ? hwl_quant_layer_of(&p->q, t->name) : NULL;
    if (!l)
        return append(p, t) ? HWL_OK : nomem(p);
    const struct hwl_quant all = p->q;
    p->q.format = l->format;
    p->q.bits = l->bits;
    p->q.group_size = l->group_size;
    p->q.per_channel = strcmp(l->format, "fp8-channel") == 0;
    p->q.block[0] = p->q.block[1] = strcmp(l->format, "fp8-block") == 0 ? 128 : 0;
    p->plain = t->dtype;
    p->form = form_of(&p->q);
    const hwl_status status = p->form == FORM_NONE || p->form == FORM_MIXED
                                  ? hwl_fail_at(p->error, HWL_E_UNSUPPORTED, "", HWL_NO_OFFSET, "quantized_layers",
                                                "how a module %.80s stores weights is not known here", l->format)
                                  : pack_one(p, t);
    p->q = all;
    p->form = FORM_MIXED;
    return status;
}

static hwl_status pack_all(struct packer *p, const struct hwl_tensor *tensors, uint64_t n)
{
    p->form = form_of(&p->q);
    if (p->form == FORM_NONE)
        return hwl_fail_at(p->error, HWL_E_UNSUPPORTED, "", HWL_NO_OFFSET, "quantization_config",
                           "how %s%s%s stores weights is not known here, and there are no weights to look at", p->q.method,
                           *p->q.format ? " " : "", p->q.format);
    for (uint64_t i = 0; i < n; i++) {
        const struct hwl_tensor *t = &tensors[i];
        const uint32_t bits = p->q.bits;
        if (p->form == FORM_MIXED) {
            HWL_TRY(pack_own(p, t));
        } else if (is_linear(t, p->form) && !hwl_quant_skips(&p->q, t->name) && mlx_takes(p, t)) {
            p->plain = t->dtype;
            if (p->form == FORM_MLX && (t->role == HWL_ROLE_ROUTER || t->role == HWL_ROLE_SHEXP_ROUTER))
                p->q.bits = hwl_words_have(mlx_router_8bit, p->arch) ? 8 : bits;
            const enum form form = p->form;
            const uint32_t group = p->q.group_size;
            if (p->q.experts && *p->q.experts && is_expert(t)) {
                const bool nvfp4 = strcmp(p->q.experts, "nvfp4") == 0;
                p->form = nvfp4 ? FORM_NVFP4 : FORM_FP4_EXPERTS;
                p->q.group_size = nvfp4 ? 16 : 32;
            }
            const hwl_status status = pack_one(p, t);
            p->form = form;
            p->q.group_size = group;
            p->q.bits = bits;
            HWL_TRY(status);
        } else if (!append(p, t)) {
            return nomem(p);
        }
    }
    return HWL_OK;
}

hwl_status hwl_quant_pack(struct hwl_model *model, const struct hwl_quant *quant, hwl_error *error)
{
    struct packer p = {.q = *quant, .arch = model->arch, .arena = &model->arena, .error = error};
    HWL_TRY(pack_all(&p, model->tensors, model->n_tensors));
    model->logical = model->tensors;
    model->n_logical = model->n_tensors;
    model->tensors = p.list;
    model->n_tensors = p.n;
    model->cap_tensors = p.cap;
    model->quant = p.q;
    return HWL_OK;
}

static const struct preset {
    const char *type, *also; /* the name, and what servers call the same */
    struct hwl_quant q;
} presets[] = {
    {"fp8", "fp8_per_tensor fp8_e4m3", {.method = "fp8", .format = "", .bits = 8}},
    {"fp8-block", "fp8_per_block", {.method = "fp8", .format = "", .bits = 8, .block = {128, 128}}},
    {"fp8-channel", "fp8_per_channel ptpc_fp8", {.method = "compressed-tensors", .format = "float-quantized", .bits = 8, .per_channel = true}},
    {"int8", "experts_int8", {.method = "compressed-tensors", .format = "int-quantized", .bits = 8, .per_channel = true}},
    {"w8a8", "", {.method = "compressed-tensors", .format = "int-quantized", .bits = 8, .per_channel = true}},
    {"w4a16", "", {.method = "compressed-tensors", .format = "pack-quantized", .bits = 4, .group_size = 128}},
    {"awq", "awq_marlin", {.method = "awq", .format = "", .bits = 4, .group_size = 128, .zero_point = true}},
    {"gptq", "gptq_marlin", {.method = "gptq", .format = "", .bits = 4, .group_size = 128, .zero_point = true}},
    {"nvfp4", "modelopt_fp4", {.method = "modelopt", .format = "nvfp4", .bits = 4, .group_size = 16}},
    {"mxfp4", "", {.method = "compressed-tensors", .format = "mxfp4-pack-quantized", .bits = 4, .group_size = 32}},
    {"mxfp8", "", {.method = "modelopt", .format = "mxfp8", .bits = 8, .group_size = 32}},
    {"nf4", "bitsandbytes bnb4", {.method = "bitsandbytes", .format = "nf4", .bits = 4}},
    {"bnb8", "", {.method = "bitsandbytes", .format = "", .bits = 8}},
    {"mlx2", "2bit", {.method = "mlx", .format = "", .bits = 2, .group_size = 64}},
    {"mlx3", "3bit", {.method = "mlx", .format = "", .bits = 3, .group_size = 64}},
    {"mlx4", "4bit", {.method = "mlx", .format = "", .bits = 4, .group_size = 64}},
    {"mlx5", "5bit", {.method = "mlx", .format = "", .bits = 5, .group_size = 64}},
    {"mlx6", "6bit", {.method = "mlx", .format = "", .bits = 6, .group_size = 64}},
    {"mlx8", "8bit", {.method = "mlx", .format = "", .bits = 8, .group_size = 64}},
};

hwl_status hwl_quantise(const struct hwl_model *model, const char *type, struct hwl_arena *arena, struct hwl_model **out,
                        hwl_error *error)
{
    const struct preset *row = NULL;
    for (unsigned i = 0; i < sizeof presets / sizeof *presets && !row; i++)
        if (strcasecmp(type, presets[i].type) == 0 || hwl_words_have(presets[i].also, type))
            row = &presets[i];
    if (!row)
        return hwl_fail(error, HWL_E_USAGE,
                        "no weight type %s for models of this form: fp8, fp8-block, fp8-channel, int8, w4a16, awq, gptq, nvfp4, mxfp4, mxfp8, "
                        "nf4, bnb8, mlx2, mlx3, mlx4, mlx5, mlx6 or mlx8", type);
    if (model->is_gguf)
        return hwl_fail(error, HWL_E_USAGE, "a GGUF does not take the weight type %s", type);
    bool packed = model->quant.method && *model->quant.method;
    if (packed && !model->logical)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "the weights are stored as %s already", model->quant.method);
    struct packer p = {.q = row->q, .arch = model->arch, .arena = arena, .error = error};
    HWL_TRY(pack_all(&p, packed ? model->logical : model->tensors, packed ? model->n_logical : model->n_tensors));
    struct hwl_model *copy = HWL_NEW(arena, struct hwl_model);
    if (!copy)
        return nomem(&p);
    *copy = *model;
    copy->arena = (struct hwl_arena){0};
    copy->owned = NULL;
    copy->release = NULL;
    copy->tensors = p.list;
    copy->n_tensors = p.n;
    copy->cap_tensors = p.cap;
    copy->quant = p.q;
    *out = copy;
    return HWL_OK;
}
