/* SPDX-License-Identifier: Apache-2.0 */
/* llama-quantize's choice of types as rows: mixture x kind of tensor x condition -> type, first row that matches.
 * Facts from llama.cpp 0c1e57098, src/llama-quant.cpp (tensor_get_category, llama_tensor_get_type, tensor_type_fallback,
 * tensor_allows_quantization); checked tensor by tensor against the real library's chooser (tests/data/llamacpp/quantised.csv). */
#include "engine/llamacpp/quant_rules.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ft {
    F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q8_0 = 7, Q5_0 = 8, Q5_1 = 9, Q2_K = 10, Q3_K_S = 11, Q3_K_M = 12, Q3_K_L = 13, Q4_K_S = 14,
    Q4_K_M = 15, Q5_K_S = 16, Q5_K_M = 17, Q6_K = 18, IQ2_XXS = 19, IQ2_XS = 20, Q2_K_S = 21, IQ3_XS = 22, IQ3_XXS = 23, IQ1_S = 24,
    IQ4_NL = 25, IQ3_S = 26, IQ3_M = 27, IQ2_S = 28, IQ2_M = 29, IQ4_XS = 30, IQ1_M = 31, BF16 = 32, TQ1_0 = 36, TQ2_0 = 37, MXFP4 = 38,
    Q1_0 = 40, Q2_0 = 41
};

/* X(name, other name or "", type of most matrices), in the order of messages. */
#define MIXTURES(X) \
    X(F32, "F32", "", HWL_DTYPE_F32) \
    X(F16, "F16", "", HWL_DTYPE_F16) \
    X(BF16, "BF16", "", HWL_DTYPE_BF16) \
    X(Q8_0, "Q8_0", "", HWL_DTYPE_Q8_0) \
    X(Q6_K, "Q6_K", "", HWL_DTYPE_Q6_K) \
    X(Q5_K_M, "Q5_K_M", "Q5_K", HWL_DTYPE_Q5_K) \
    X(Q5_K_S, "Q5_K_S", "", HWL_DTYPE_Q5_K) \
    X(Q5_1, "Q5_1", "", HWL_DTYPE_Q5_1) \
    X(Q5_0, "Q5_0", "", HWL_DTYPE_Q5_0) \
    X(Q4_K_M, "Q4_K_M", "Q4_K", HWL_DTYPE_Q4_K) \
    X(Q4_K_S, "Q4_K_S", "", HWL_DTYPE_Q4_K) \
    X(Q4_1, "Q4_1", "", HWL_DTYPE_Q4_1) \
    X(Q4_0, "Q4_0", "", HWL_DTYPE_Q4_0) \
    X(IQ4_NL, "IQ4_NL", "", HWL_DTYPE_IQ4_NL) \
    X(IQ4_XS, "IQ4_XS", "", HWL_DTYPE_IQ4_XS) \
    X(MXFP4, "MXFP4_MOE", "MXFP4", HWL_DTYPE_MXFP4) \
    X(Q3_K_L, "Q3_K_L", "", HWL_DTYPE_Q3_K) \
    X(Q3_K_M, "Q3_K_M", "Q3_K", HWL_DTYPE_Q3_K) \
    X(Q3_K_S, "Q3_K_S", "", HWL_DTYPE_Q3_K) \
    X(IQ3_M, "IQ3_M", "", HWL_DTYPE_IQ3_S) \
    X(IQ3_S, "IQ3_S", "", HWL_DTYPE_IQ3_S) \
    X(IQ3_XS, "IQ3_XS", "", HWL_DTYPE_IQ3_S) \
    X(IQ3_XXS, "IQ3_XXS", "", HWL_DTYPE_IQ3_XXS) \
    X(Q2_K, "Q2_K", "", HWL_DTYPE_Q2_K) \
    X(Q2_K_S, "Q2_K_S", "", HWL_DTYPE_Q2_K) \
    X(IQ2_M, "IQ2_M", "", HWL_DTYPE_IQ2_S) \
    X(IQ2_S, "IQ2_S", "", HWL_DTYPE_IQ2_XS) \
    X(IQ2_XS, "IQ2_XS", "", HWL_DTYPE_IQ2_XS) \
    X(IQ2_XXS, "IQ2_XXS", "", HWL_DTYPE_IQ2_XXS) \
    X(TQ2_0, "TQ2_0", "", HWL_DTYPE_TQ2_0) \
    X(TQ1_0, "TQ1_0", "", HWL_DTYPE_TQ1_0) \
    X(IQ1_M, "IQ1_M", "", HWL_DTYPE_IQ1_M) \
    X(IQ1_S, "IQ1_S", "", HWL_DTYPE_IQ1_S)

#define ROW(id, name, other, dtype) {name, other, id, dtype},
#define WORD(id, name, other, dtype) " " name
static const struct {
    const char *name, *other;
    int ftype;
    enum hwl_dtype dtype;
} mixtures[] = {MIXTURES(ROW)};
#define N_MIXTURES (sizeof mixtures / sizeof *mixtures)

int hwl_lc_ftype(const char *name)
{
    for (size_t i = 0; i < N_MIXTURES; i++)
        if (hwl_text_eq_nocase(mixtures[i].name, name) || (*mixtures[i].other && hwl_text_eq_nocase(mixtures[i].other, name)))
            return mixtures[i].ftype;
    return -1;
}

enum hwl_dtype hwl_lc_ftype_default(int ftype)
{
    size_t i = 0;
    while (i + 1 < N_MIXTURES && mixtures[i].ftype != ftype)
        i++;
    return mixtures[i].dtype;
}

const char *hwl_lc_ftype_list(void)
{
    static const char list[] = MIXTURES(WORD);
    return list + 1; /* behind the first space */
}

/* ---- kinds of tensors ---- */

enum category { TOKEN, OUTPUT, QKV, KV_B, V, K, Q, OUT, UP, GATE, DOWN, OTHER };

static bool has(struct hwl_str s, const char *part)
{
    return memmem(s.p, (size_t)s.n, part, strlen(part)) != NULL;
}

static enum category category_of(struct hwl_str name)
{
    static const struct {
        const char *part;
        enum category category;
    } parts[] = {{"attn_qkv.weight", QKV}, {"attn_kv_b.weight", KV_B},    {"attn_v.weight", V}, {"attn_k.weight", K},
                 {"attn_q.weight", Q},     {"attn_output.weight", OUT},   {"ffn_up", UP},       {"ffn_gate", GATE},
                 {"ffn_down", DOWN}};
    if (hwl_str_eq(name, "output.weight"))
        return OUTPUT;
    if (hwl_str_eq(name, "token_embd.weight") || hwl_str_eq(name, "per_layer_token_embd.weight"))
        return TOKEN;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (has(name, parts[i].part))
            return parts[i].category;
    return OTHER;
}

bool hwl_lc_may_quantise(const struct hwl_gguf_tensor *t)
{
    static const char *const never[] = {
        "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d",
        "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight", "time_mix_w0.weight",
        "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight", "time_mix_a0.weight",
        "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight", "time_mix_decay_w1.weight",
        "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight", ".position_embd", "sam.pos_embd", "sam.neck.",
        "sam.net_", ".rel_pos", ".patch_embd", ".patch_merger", "a.rvq.codebook", "mm.a.code_embd"};
    uint64_t dims = 4;
    while (dims > 1 && t->dims[dims - 1] == 1)
        dims--;
    if (dims < 2 || !hwl_str_ends(t->name, "weight") || hwl_str_eq(t->name, "position_embd.weight") || hwl_str_eq(t->name, "token_types.weight"))
        return false;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (has(t->name, never[i]))
            return false;
    return true;
}

/* ---- rules ---- */

enum condition {
    ALWAYS,
    GQA4,          /* at least 4 query heads share a key head */
    GQA4_OR_EXP4,  /* that, or at least 4 experts */
    EXP8,          /* exactly 8 experts */
    FALCON,
    FALCON_MORE,   /* falcon, and a layer that gets more bits */
    FALCON_16TH,   /* falcon, first sixteenth of the layers */
    NOT_FALCON,
    NOT_FALCON_EXP8,
    NOT_FALCON_8TH,
    EIGHTH,        /* first eighth of the layers */
    SIXTEENTH,
    MIDDLE,        /* neither the first nor the last eighth */
    MORE,          /* first and last eighth and every third layer between */
    EXP8_MORE,
    FIRST2,
    FIRST4,
    EXPERTS        /* a matrix of several experts */
};

#define M(x) ((uint64_t)1 << (x))
#define IQ12 (M(IQ2_XXS) | M(IQ2_XS) | M(IQ1_S) | M(IQ2_S) | M(IQ2_M) | M(IQ1_M))
#define IQ2SM (M(IQ2_S) | M(IQ2_M))
#define ANY (~(uint64_t)0)
#define C(x) (1u << (x))
#define EVERY (~0u)
#define ATTN_V (C(V) | C(QKV) | C(KV_B))

struct rule {
    uint64_t mixtures;
    unsigned categories;
    enum condition when;
    enum hwl_dtype type; /* HWL_DTYPE_NONE: the mixture's own */
};

/* The output matrix, and the embedding where it serves as one. */
static const struct rule output_rules[] = {
    {M(MXFP4), C(OUTPUT) | C(TOKEN), ALWAYS, HWL_DTYPE_Q8_0},
    {ANY, C(OUTPUT) | C(TOKEN), FALCON, HWL_DTYPE_Q8_0},
    {IQ12 | M(IQ3_XXS), C(OUTPUT) | C(TOKEN), ALWAYS, HWL_DTYPE_Q5_K},
    {M(Q8_0), C(OUTPUT) | C(TOKEN), ALWAYS, HWL_DTYPE_NONE},
    {ANY, C(OUTPUT) | C(TOKEN), ALWAYS, HWL_DTYPE_Q6_K},
};

static const struct rule rules[] = {
    {M(MXFP4), EVERY, EXPERTS, HWL_DTYPE_MXFP4},
    {M(MXFP4), EVERY, ALWAYS, HWL_DTYPE_Q8_0},

    {M(IQ2_XXS) | M(IQ2_XS) | M(IQ1_S) | M(IQ1_M), C(TOKEN), ALWAYS, HWL_DTYPE_Q2_K},
    {IQ2SM | M(IQ3_XXS), C(TOKEN), ALWAYS, HWL_DTYPE_IQ3_S},
    {M(TQ1_0) | M(TQ2_0) | M(Q2_0), C(TOKEN), ALWAYS, HWL_DTYPE_Q4_K},
    {ANY, C(TOKEN), ALWAYS, HWL_DTYPE_NONE},

    /* 1 and 2 bit mixtures have a scheme of their own */
    {IQ12, ATTN_V, GQA4_OR_EXP4, HWL_DTYPE_Q4_K},
    {IQ2SM, ATTN_V, ALWAYS, HWL_DTYPE_IQ3_S},
    {IQ12, ATTN_V, ALWAYS, HWL_DTYPE_Q2_K},
    {IQ12, C(K), EXP8, HWL_DTYPE_Q4_K},
    {IQ2SM, C(DOWN), EIGHTH, HWL_DTYPE_IQ3_S},
    {IQ12, C(DOWN), EIGHTH, HWL_DTYPE_Q2_K},
    {IQ12, C(OUT), EXP8, HWL_DTYPE_Q5_K},
    {M(IQ1_S) | M(IQ1_M), C(OUT), ALWAYS, HWL_DTYPE_IQ2_XXS},
    {IQ2SM, C(OUT), ALWAYS, HWL_DTYPE_IQ3_S},
    {IQ12, EVERY, ALWAYS, HWL_DTYPE_NONE},

    {M(Q2_K), ATTN_V, GQA4, HWL_DTYPE_Q4_K},
    {M(Q2_K), ATTN_V, ALWAYS, HWL_DTYPE_Q3_K},
    {M(Q2_K_S) | M(IQ3_XXS) | M(IQ3_XS) | M(IQ3_S), ATTN_V, GQA4, HWL_DTYPE_Q4_K},
    {M(IQ3_XXS), ATTN_V, ALWAYS, HWL_DTYPE_IQ3_S},
    {M(IQ3_M), ATTN_V, ALWAYS, HWL_DTYPE_Q4_K},
    {M(Q3_K_M), ATTN_V, FIRST2, HWL_DTYPE_Q5_K},
    {M(Q3_K_M), ATTN_V, ALWAYS, HWL_DTYPE_Q4_K},
    {M(Q3_K_L), ATTN_V, ALWAYS, HWL_DTYPE_Q5_K},
    {M(IQ4_NL) | M(IQ4_XS), ATTN_V, GQA4, HWL_DTYPE_Q5_K},
    {M(Q4_K_M) | M(Q5_K_M), ATTN_V, MORE, HWL_DTYPE_Q6_K},
    {M(Q4_K_S), ATTN_V, FIRST4, HWL_DTYPE_Q5_K},

    {ANY, C(K), EXP8, HWL_DTYPE_Q8_0},
    {M(IQ3_XS), C(K) | C(Q), ALWAYS, HWL_DTYPE_IQ3_XXS},
    {M(IQ3_XXS), C(K) | C(Q), ALWAYS, HWL_DTYPE_IQ2_S},

    {M(Q2_K), C(DOWN), ALWAYS, HWL_DTYPE_Q3_K},
    {M(Q2_K_S), C(DOWN), EIGHTH, HWL_DTYPE_Q4_K},
    {M(IQ3_XXS), C(DOWN), EIGHTH, HWL_DTYPE_Q4_K},
    {M(IQ3_XXS), C(DOWN), ALWAYS, HWL_DTYPE_Q3_K},
    {M(Q3_K_M), C(DOWN), SIXTEENTH, HWL_DTYPE_Q5_K},
    {M(Q3_K_M), C(DOWN), NOT_FALCON, HWL_DTYPE_Q4_K},
    {M(Q3_K_M), C(DOWN), FALCON_MORE, HWL_DTYPE_Q4_K},
    {M(IQ3_M), C(DOWN), EIGHTH, HWL_DTYPE_Q4_K},
    {M(IQ3_M), C(DOWN), EXP8_MORE, HWL_DTYPE_Q4_K},
    {M(Q3_K_L), C(DOWN), FALCON, HWL_DTYPE_Q4_K},
    {M(Q3_K_L), C(DOWN), ALWAYS, HWL_DTYPE_Q5_K},
    {M(Q4_K_M), C(DOWN), FALCON_16TH, HWL_DTYPE_Q6_K},
    {M(Q4_K_M), C(DOWN), FALCON_MORE, HWL_DTYPE_Q5_K},
    {M(Q4_K_M), C(DOWN), FALCON, HWL_DTYPE_Q4_K},
    {M(Q4_K_M) | M(Q5_K_M), C(DOWN), MORE, HWL_DTYPE_Q6_K},
    {M(IQ4_NL) | M(IQ4_XS), C(DOWN), EIGHTH, HWL_DTYPE_Q5_K},
    {M(Q4_K_S), C(DOWN), NOT_FALCON_8TH, HWL_DTYPE_Q5_K},

    {M(Q2_K) | M(IQ3_XS) | M(IQ3_XXS) | M(Q3_K_S) | M(Q3_K_M) | M(IQ4_NL) | M(Q4_K_S) | M(Q4_K_M) | M(IQ3_S) | M(IQ3_M) | M(IQ4_XS), C(OUT),
     NOT_FALCON_EXP8, HWL_DTYPE_Q5_K},
    {ANY, C(OUT), NOT_FALCON_EXP8, HWL_DTYPE_NONE},
    {M(Q3_K_L), C(OUT), FALCON, HWL_DTYPE_Q4_K},
    {ANY, C(OUT), FALCON, HWL_DTYPE_NONE},
    {M(Q2_K), C(OUT), ALWAYS, HWL_DTYPE_Q3_K},
    {M(IQ3_XXS), C(OUT), ALWAYS, HWL_DTYPE_IQ3_S},
    {M(Q3_K_M) | M(IQ3_M), C(OUT), ALWAYS, HWL_DTYPE_Q4_K},
    {M(Q3_K_L), C(OUT), ALWAYS, HWL_DTYPE_Q5_K},

    {M(IQ3_XS), C(GATE) | C(UP), MIDDLE, HWL_DTYPE_IQ3_XXS},
};

/* What the conditions look at. */
struct state {
    int ftype;
    bool falcon, tied, is_70b;
    uint64_t n_experts, gqa, n_layers, n_wv;
    uint64_t seen_wv, seen_down, seen_gate, seen_up;
};

static bool more_bits(uint64_t i, uint64_t n)
{
    return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
}

static bool holds(enum condition when, const struct state *s, uint64_t i, uint64_t n, bool experts)
{
    switch (when) {
    case ALWAYS: return true;
    case GQA4: return s->gqa >= 4;
    case GQA4_OR_EXP4: return s->gqa >= 4 || s->n_experts >= 4;
    case EXP8: return s->n_experts == 8;
    case FALCON: return s->falcon;
    case FALCON_MORE: return s->falcon && more_bits(i, n);
    case FALCON_16TH: return s->falcon && i < n / 16;
    case NOT_FALCON: return !s->falcon;
    case NOT_FALCON_EXP8: return !s->falcon && s->n_experts == 8;
    case NOT_FALCON_8TH: return !s->falcon && i < n / 8;
    case EIGHTH: return i < n / 8;
    case SIXTEENTH: return i < n / 16;
    case MIDDLE: return i >= n / 8 && i < 7 * n / 8;
    case MORE: return more_bits(i, n);
    case EXP8_MORE: return s->n_experts == 8 && more_bits(i, n);
    case FIRST2: return i < 2;
    case FIRST4: return i < 4;
    case EXPERTS: return experts;
    }
    return false;
}

static enum hwl_dtype match(const struct rule *table, size_t rows, const struct state *s, enum category c, uint64_t i, uint64_t n, bool experts,
                            enum hwl_dtype own)
{
    for (size_t r = 0; r < rows; r++)
        if ((table[r].mixtures & M(s->ftype)) && (table[r].categories & C(c)) && holds(table[r].when, s, i, n, experts))
            return table[r].type == HWL_DTYPE_NONE ? own : table[r].type;
    return own;
}

/* A row that does not divide takes a type with a smaller block, in the end f16. */
static enum hwl_dtype that_divides(enum hwl_dtype type, uint64_t columns)
{
    static const struct {
        enum hwl_dtype from, to;
    } smaller[] = {
        {HWL_DTYPE_IQ1_S, HWL_DTYPE_IQ4_NL}, {HWL_DTYPE_IQ1_M, HWL_DTYPE_IQ4_NL},   {HWL_DTYPE_IQ2_XXS, HWL_DTYPE_IQ4_NL},
        {HWL_DTYPE_IQ2_XS, HWL_DTYPE_IQ4_NL}, {HWL_DTYPE_IQ2_S, HWL_DTYPE_IQ4_NL},  {HWL_DTYPE_IQ3_XXS, HWL_DTYPE_IQ4_NL},
        {HWL_DTYPE_IQ3_S, HWL_DTYPE_IQ4_NL},  {HWL_DTYPE_IQ4_XS, HWL_DTYPE_IQ4_NL}, {HWL_DTYPE_Q2_K, HWL_DTYPE_Q4_0},
        {HWL_DTYPE_Q3_K, HWL_DTYPE_Q4_0},     {HWL_DTYPE_TQ1_0, HWL_DTYPE_Q4_0},    {HWL_DTYPE_TQ2_0, HWL_DTYPE_Q4_0},
        {HWL_DTYPE_Q4_K, HWL_DTYPE_Q5_0},     {HWL_DTYPE_Q5_K, HWL_DTYPE_Q5_1},     {HWL_DTYPE_Q6_K, HWL_DTYPE_Q8_0},
    };
    if (columns % hwl_dtype(type)->block == 0)
        return type;
    for (size_t i = 0; i < sizeof smaller / sizeof *smaller; i++)
        if (smaller[i].from == type) {
            type = smaller[i].to;
            break;
        }
    return columns % hwl_dtype(type)->block == 0 ? type : HWL_DTYPE_F16;
}

/* "blk.12." -> 12; -1 for tensors of no layer. */
static int64_t layer_of(struct hwl_str name)
{
    if (!hwl_str_starts(name, "blk."))
        return -1;
    int64_t v = 0;
    uint64_t i = 4;
    for (; i < name.n && name.p[i] >= '0' && name.p[i] <= '9' && v < 1000000; i++)
        v = v * 10 + (name.p[i] - '0');
    return i > 4 && i < name.n && name.p[i] == '.' ? v : -1;
}

static enum hwl_dtype choose(struct state *s, const struct hwl_gguf_tensor *t, enum hwl_dtype own)
{
    enum category c = category_of(t->name);
    bool experts = t->dims[2] > 1;
    uint64_t *seen = c == DOWN ? &s->seen_down : c == GATE ? &s->seen_gate : c == UP ? &s->seen_up : NULL;
    uint64_t i = 0, n = s->n_layers;
    if (C(c) & ATTN_V) {
        i = s->seen_wv++;
        n = s->n_wv;
    } else if (seen) {
        /* the 1 and 2 bit mixtures count; the others take the layer from the name where there are experts */
        bool counts = (M(s->ftype) & IQ12) || s->n_experts <= 1;
        int64_t layer = layer_of(t->name);
        i = counts ? *seen : layer >= 0 ? (uint64_t)layer : 0;
        ++*seen;
    }
    enum hwl_dtype type;
    if (c == OUTPUT || (c == TOKEN && s->tied)) {
        type = t->dims[0] % hwl_dtype(own)->block && s->ftype != MXFP4
                   ? HWL_DTYPE_Q8_0
                   : match(output_rules, sizeof output_rules / sizeof *output_rules, s, c, i, n, experts, own);
    } else {
        type = match(rules, sizeof rules / sizeof *rules, s, c, i, n, experts, own);
        if ((C(c) & ATTN_V) && !(M(s->ftype) & (IQ12 | M(MXFP4)))) {
            /* in the 70B model 8 heads share a value matrix: more bits cost little */
            if (s->is_70b && (type == HWL_DTYPE_Q3_K || type == HWL_DTYPE_Q4_K))
                type = HWL_DTYPE_Q5_K;
            if (s->n_experts == 8)
                type = HWL_DTYPE_Q8_0;
        }
    }
    return that_divides(type, t->dims[0]);
}

/* ---- the whole file ---- */

static uint64_t arch_u64(const struct hwl_gguf *g, struct hwl_str arch, const char *suffix, uint64_t def)
{
    char key[160];
    uint64_t v;
    (void)snprintf(key, sizeof key, "%.*s.%s", (int)hwl_min(arch.n, 100), arch.p, suffix);
    return hwl_gguf_array_u64(g, key, 0, &v) ? v : def;
}

static void read_state(const struct hwl_gguf *g, int ftype, struct state *s)
{
    struct hwl_str arch = {"", 0};
    (void)hwl_gguf_str(g, "general.architecture", &arch);
    memset(s, 0, sizeof *s);
    s->ftype = ftype;
    s->falcon = hwl_str_eq(arch, "falcon");
    s->n_experts = arch_u64(g, arch, "expert_count", 0);
    s->n_layers = arch_u64(g, arch, "block_count", 0);
    uint64_t heads = arch_u64(g, arch, "attention.head_count", 0), kv = arch_u64(g, arch, "attention.head_count_kv", heads);
    s->gqa = kv ? heads / kv : 0;
    /* which models count as "70B": by the number of layers (src/models, load_arch_hparams) */
    static const struct {
        const char *arch;
        uint64_t layers;
    } rows[] = {{"llama", 80}, {"qwen2", 80}, {"deci", 80}, {"olmo", 80}, {"jais2", 68}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (hwl_str_eq(arch, rows[i].arch) && s->n_layers == rows[i].layers)
            s->is_70b = i != 0 || heads != kv;
    s->tied = true;
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        enum category c = category_of(g->tensors[i].name);
        s->n_wv += (C(c) & ATTN_V) != 0;
        if (c == OUTPUT)
            s->tied = false;
    }
}

/* The quantiser walks layers in order, names within a layer in byte order. */
static int by_layer(const void *x, const void *y)
{
    const struct hwl_gguf_tensor *a = *(const struct hwl_gguf_tensor *const *)x, *b = *(const struct hwl_gguf_tensor *const *)y;
    int64_t la = layer_of(a->name), lb = layer_of(b->name);
    if (la != lb)
        return la < lb ? -1 : 1;
    uint64_t n = hwl_min(a->name.n, b->name.n);
    int d = memcmp(a->name.p, b->name.p, (size_t)n);
    return d ? d : a->name.n < b->name.n ? -1 : a->name.n > b->name.n;
}

hwl_status hwl_lc_quantise(struct hwl_gguf *gguf, int ftype, struct hwl_arena *arena, hwl_error *error)
{
    struct state s;
    read_state(gguf, ftype, &s);
    struct hwl_gguf_tensor **order = HWL_NEW_ARRAY(arena, struct hwl_gguf_tensor *, gguf->n_tensors);
    if (!order)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (uint64_t i = 0; i < gguf->n_tensors; i++)
        order[i] = &gguf->tensors[i];
    qsort(order, (size_t)gguf->n_tensors, sizeof *order, by_layer);
    enum hwl_dtype own = hwl_lc_ftype_default(ftype);
    struct hwl_ck ck = {false};
    for (uint64_t i = 0; i < gguf->n_tensors; i++) {
        struct hwl_gguf_tensor *t = order[i];
        if (!hwl_lc_may_quantise(t))
            continue;
        enum hwl_dtype type = hwl_dtype(own)->quantised ? choose(&s, t, own) : own;
        uint64_t row;
        if (!hwl_dtype_row(type, t->dims[0], &row))
            return hwl_fail(error, HWL_E_OVERFLOW, "tensor %.*s: its size does not fit 64 bits", (int)hwl_min(t->name.n, 100), t->name.p);
        t->dtype = (uint16_t)type;
        t->bytes = hwl_ck_mul4(&ck, row, t->dims[1], t->dims[2], t->dims[3]);
    }
    uint64_t offset = 0;
    for (uint64_t i = 0; i < gguf->n_tensors; i++) {
        gguf->tensors[i].offset = offset;
        gguf->tensors[i].split = 0;
        offset = hwl_ck_align(&ck, hwl_ck_add(&ck, offset, gguf->tensors[i].bytes), gguf->alignment);
    }
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "the tensors' sizes do not fit 64 bits");
    gguf->n_splits = 1;
    return HWL_OK;
}
