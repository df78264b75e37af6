/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

#include "engine/llamacpp/arch_row.h"

#include <stdio.h>
#include <string.h>

/* Decoders that differ by a few switches only: one row an architecture (src/models of llama.cpp 0c1e57098). Optional norms and
 * biases follow the file's tensors. An architecture without a row is not built here and its plan stays modelled. */

enum {
    LN = 1u << 0,          /* LayerNorm with bias instead of RMS */
    QK_WHOLE = 1u << 1,    /* norms of Q and K before the heads are split */
    SCALE_Q = 1u << 2,     /* scales Q behind the rope */
    SCALE_EMBD = 1u << 3,  /* scales the embeddings */
    POS_EMBD = 1u << 4,    /* adds learned positions */
    NO_ROPE = 1u << 5,
    SKIP_EMBD = 1u << 6,   /* every layer adds the scaled embeddings (Talkie) */
    SOFTCAP = 1u << 7,     /* caps the logits where the file says so */
    LOGIT_SCALE = 1u << 8, /* scales the logits where the file says so */
    RES_SCALE = 1u << 9,   /* scales both branches where the file says so */
    FACTORS = 1u << 10,    /* rope frequency factors of the file */
    LATE_IDS = 1u << 11,   /* output rows are chosen behind the last layer */
    BIAS = 1u << 12,       /* feed-forward biases of the file */
    NORM_W = 1u << 13,     /* expert weights are normalised */
    NORM_W_KEY = 1u << 14, /* likewise where the file says so */
    GATE_KEY = 1u << 15,   /* the file names the gating function */
    POST_IS_FFN = 1u << 16, /* the norm behind attention is the feed-forward's own, behind the residual */
    TEXT_POS4 = 1u << 17,  /* four positions a token (M-RoPE) */
    RES_FIRST = 1u << 18,  /* the last sum names the residual first */
    QK_AFTER = 1u << 19,   /* norms of Q and K behind the rope */
    DEEPSTACK = 1u << 20,  /* adds wider embeddings behind the first layers */
    PAR_FALCON = 1u << 21, /* parallel branches: feed-forward + attention + residual */
    PAR_PHI = 1u << 22,    /* attention + feed-forward + residual */
    PAR_COHERE = 1u << 23, /* feed-forward + residual + attention */
    OUT_NORM = 1u << 24,   /* the feed-forward's norm is called attn_output_norm */
    ROPE_3_OF_4 = 1u << 25, /* every fourth layer without rope */
    POST_ON_LAYER = 1u << 26, /* the norm behind the feed-forward counts as the layer's */
    FFN_OF_NORM = 1u << 27, /* without a norm of its own the feed-forward reads attention's */
    NO_WEIGHT = 1u << 28,  /* norms without weights */
    MLA = 1u << 29,
    ROPE_SWA = 1u << 30,   /* rope in window layers only, where there is a window */
    PARALLEL = PAR_FALCON | PAR_PHI | PAR_COHERE,
};

struct row {
    const char *arch;
    uint32_t flags;
    uint8_t act;    /* enum hwl_act */
    uint8_t gating; /* see struct hwl_moe */
    uint32_t more;
};

enum {
    EMBD_NORM = 1, /* normalised embeddings */
    ROPE_7B = 2,   /* rope with 32 layers only (Baichuan: the larger one has ALiBi) */
    PAR_NEOX = 4,  /* feed-forward (of its own norm of the input) + residual + attention, where the file says so */
    TEMPERATURE = 8, /* attention temperature where the file says so */
    SCALES = 32,   /* scales even where the file does not say so */
    GATED = 64,         /* attention's result times a sigmoid of the layer's input */
    POST_FIRST = 128,   /* the norm behind attention comes before the output rows are chosen */
    ROUTER_FIRST = 256, /* the router reads the layer's input */
    ROPE_NOT_FIRST = 512, /* each first of four layers without rope */
    FULL_FACTORS = 1024, /* rope factors on layers without window only */
    LATENT_SCALES = 2048, /* MiniCPM3: fixed scales */
    GROK = 4096,
    ARCTIC = 8192,
    ONE_CLAMP = 16384, /* the bounded gate is one operation (Maple) */
    BITNET = 32768, /* norms in front of both last matrices */
    VALUE_SCALE = 65536, /* scales attention's result where the file says so */
    EMPTY = 1u << 17, /* layers without attention, with one matrix in its place, or without feed-forward (DeciLM) */
    LLAMA4 = 1u << 18, /* layers with rope normalise Q and K behind it, the others scale Q */
    NORM_IDS = 1u << 19, /* output rows are chosen behind the last norm */
    ALL_ROWS = 1u << 20, /* every token is an output row */
    ONE_VIEW = 1u << 21, /* Q, K and V are views of heads; the first sum names the residual first (OpenELM) */
    PLAIN_NAMES = 1u << 23, /* names of norms may lack ".weight" (PLaMo 3) */
    ROPE_KEY = 1u << 24, /* rope only where the file says so: for all layers or each of them (Granite) */
    NO_HEAD = 1u << 25, /* an encoder: the last norm's result is all */
    NO_CACHE = 1u << 26, /* has a cache and does not use it (Llama as an embedding model) */
    UNIT_EMBD = 1u << 27, /* embeddings normalised without weights */
    FREE_POST = 1u << 28, /* the norm behind attention keeps no device */
    LN_BY_KEY = 1u << 29, /* LayerNorm where the file has no epsilon of RMS */
    HALF_MOE = 1u << 30,  /* experts and shared expert are averaged; dense layers have rope (Cohere 2 MoE) */
    NO_IMAGES = 1u << 22, /* logits of image tokens are set (Chameleon) */
    POS4_BY_FILE = 16, /* four positions where the file has M-RoPE sections */
};

static const struct row rows[] = {
    { "afmoe", SCALE_EMBD | POST_ON_LAYER | ROPE_3_OF_4 | NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, GATED | POST_FIRST },
    { "apertus", FACTORS, HWL_ACT_GELU, 0, 0 },
    { "arcee", FACTORS, HWL_ACT_RELU_SQR, 0, 0 },
    { "arctic", NORM_W, HWL_ACT_SILU, 1, ARCTIC },
    { "baichuan", 0, HWL_ACT_SILU, 0, ROPE_7B },
    { "bailingmoe", FACTORS | NORM_W_KEY, HWL_ACT_SILU, 1, 0 },
    { "bailingmoe2", NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, 0 },
    { "bitnet", 0, HWL_ACT_SILU, 0, BITNET },
    { "bloom", LN | NO_ROPE | BIAS, HWL_ACT_GELU, 0, EMBD_NORM },
    { "chameleon", 0, HWL_ACT_SILU, 0, NO_IMAGES },
    { "chatglm", 0, HWL_ACT_PACKED, 0, 0 },
    { "codeshell", LN | BIAS, HWL_ACT_GELU, 0, 0 },
    { "cogvlm", 0, HWL_ACT_SILU, 0, ALL_ROWS },
    { "cohere2", LN | PAR_COHERE | LOGIT_SCALE | FACTORS | ROPE_SWA, HWL_ACT_SILU, 0, 0 },
    { "cohere2moe", PAR_COHERE | LOGIT_SCALE | FACTORS | ROPE_SWA | NORM_W_KEY | GATE_KEY | LATE_IDS, HWL_ACT_SILU, 2, NORM_IDS | LN_BY_KEY | HALF_MOE },
    { "command-r", LN | PAR_COHERE | LOGIT_SCALE, HWL_ACT_SILU, 0, 0 },
    { "dbrx", LN | OUT_NORM | NORM_W, HWL_ACT_SILU, 1, 0 },
    { "deci", FACTORS | BIAS, HWL_ACT_SILU, 0, EMPTY },
    { "deepseek", FACTORS, HWL_ACT_SILU, 1, 0 },
    { "deepseek2", MLA | NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 1, TEMPERATURE },
    { "deepseek2-ocr", NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 1, 0 },
    { "dots1", NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, 0 },
    { "dream", 0, HWL_ACT_SILU, 0, 0 },
    { "ernie4_5", 0, HWL_ACT_SILU, 0, 0 },
    { "ernie4_5-moe", NORM_W, HWL_ACT_SILU, 1, 0 },
    { "eurobert", 0, HWL_ACT_SILU, 0, NO_HEAD },
    { "exaone", FACTORS, HWL_ACT_SILU, 0, 0 },
    { "exaone-moe", FACTORS | ROPE_SWA | NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, 0 },
    { "exaone4", FACTORS | ROPE_SWA, HWL_ACT_SILU, 0, 0 },
    { "falcon", LN | PAR_FALCON, HWL_ACT_GELU, 0, 0 },
    { "gemma", SCALE_EMBD | SCALE_Q, HWL_ACT_GELU, 0, 0 },
    { "gemma-embedding", SCALE_EMBD | SCALE_Q, HWL_ACT_GELU, 0, NO_HEAD },
    { "gemma2", SCALE_EMBD | SCALE_Q | SOFTCAP, HWL_ACT_GELU, 0, 0 },
    { "gemma3", SCALE_EMBD | SCALE_Q | SOFTCAP, HWL_ACT_GELU, 0, 0 },
    { "glm4", POST_ON_LAYER, HWL_ACT_PACKED, 0, POS4_BY_FILE },
    { "glm4moe", POST_IS_FFN | NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, POS4_BY_FILE },
    { "gpt-oss", LATE_IDS | BIAS | POST_IS_FFN, HWL_ACT_OAI, 3, 0 },
    { "gpt2", LN | POS_EMBD | NO_ROPE | BIAS, HWL_ACT_GELU, 0, 0 },
    { "gptneox", LN | BIAS, HWL_ACT_GELU, 0, PAR_NEOX },
    { "granite", RES_SCALE | LOGIT_SCALE | FACTORS, HWL_ACT_SILU, 0, ROPE_KEY },
    { "granite_swa", RES_SCALE | LOGIT_SCALE | FACTORS | NORM_W, HWL_ACT_SILU, 1, ROPE_KEY },
    { "granitemoe", RES_SCALE | LOGIT_SCALE | FACTORS | NORM_W, HWL_ACT_SILU, 1, ROPE_KEY },
    { "grok", LOGIT_SCALE | SOFTCAP | POST_ON_LAYER | NORM_W, HWL_ACT_GELU, 1, GROK },
    { "grovemoe", NORM_W, HWL_ACT_SILU, 4, 0 },
    { "hunyuan-dense", FACTORS | QK_AFTER, HWL_ACT_SILU, 0, 0 },
    { "hunyuan-moe", FACTORS | QK_AFTER | NORM_W, HWL_ACT_SILU, 1, 0 },
    { "hunyuan_vl", FACTORS | QK_AFTER, HWL_ACT_SILU, 0, POS4_BY_FILE },
    { "hy_v3", FACTORS | NORM_W_KEY | GATE_KEY | LATE_IDS, HWL_ACT_SILU, 2, NORM_IDS },
    { "internlm2", 0, HWL_ACT_SILU, 0, 0 },
    { "jais", LN | NO_ROPE | BIAS, HWL_ACT_SILU, 0, 0 },
    { "jais2", LN | BIAS, HWL_ACT_RELU_SQR, 0, 0 },
    { "laguna", NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, GATED },
    { "llada", 0, HWL_ACT_SILU, 0, 0 },
    { "llada-moe", 0, HWL_ACT_SILU, 1, 0 },
    { "llama", FACTORS | NORM_W | BIAS, HWL_ACT_SILU, 1, 0 },
    { "llama-embed", FACTORS | NORM_W | BIAS, HWL_ACT_SILU, 1, NO_HEAD | NO_CACHE },
    { "llama4", FACTORS | BIAS, HWL_ACT_SILU, 2, LLAMA4 },
    { "maincoder", QK_AFTER, HWL_ACT_SILU, 0, 0 },
    { "maple", ROPE_SWA | NORM_W, HWL_ACT_SILU, 1, ONE_CLAMP },
    { "mellum", NORM_W, HWL_ACT_SILU, 1, 0 },
    { "mimo2", NORM_W, HWL_ACT_SILU, 2, VALUE_SCALE },
    { "minicpm", RES_SCALE | LOGIT_SCALE | FACTORS, HWL_ACT_SILU, 0, SCALES },
    { "minicpm3", MLA | SCALE_EMBD | RES_SCALE | FACTORS, HWL_ACT_SILU, 0, SCALES | LATENT_SCALES },
    { "minimax-m2", QK_WHOLE | NORM_W | GATE_KEY, HWL_ACT_SILU, 2, 0 },
    { "mistral3", FACTORS | NORM_W | BIAS, HWL_ACT_SILU, 1, TEMPERATURE },
    { "mistral4", MLA | NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 1, TEMPERATURE },
    { "modern-bert", LN, HWL_ACT_PACKED, 0, EMBD_NORM | NO_HEAD },
    { "mpt", LN | POS_EMBD | NO_ROPE | BIAS, HWL_ACT_GELU, 0, 0 },
    { "muse-glimmer", ROPE_SWA | LOGIT_SCALE | SOFTCAP, HWL_ACT_SILU, 0, GATED | POST_FIRST | UNIT_EMBD | FREE_POST },
    { "nanbeige", FACTORS | BIAS, HWL_ACT_SILU, 0, 0 },
    { "nemotron", LN | BIAS, HWL_ACT_RELU_SQR, 0, 0 },
    { "neo-bert", 0, HWL_ACT_PACKED, 0, NO_HEAD },
    { "olmo", LN | NO_WEIGHT, HWL_ACT_SILU, 0, 0 },
    { "olmo2", QK_WHOLE, HWL_ACT_SILU, 0, 0 },
    { "olmoe", QK_WHOLE, HWL_ACT_SILU, 1, 0 },
    { "openelm", 0, HWL_ACT_SILU, 0, ONE_VIEW },
    { "orion", LN, HWL_ACT_SILU, 0, 0 },
    { "paddleocr", TEXT_POS4, HWL_ACT_SILU, 0, 0 },
    { "pangu-embedded", BIAS, HWL_ACT_SILU, 0, 0 },
    { "phi2", LN | PAR_PHI | SCALE_Q | BIAS, HWL_ACT_GELU, 0, 0 },
    { "phi3", FACTORS | SCALE_Q | RES_FIRST, HWL_ACT_PACKED, 0, 0 },
    { "phimoe", FACTORS | SCALE_Q | RES_FIRST | NORM_W, HWL_ACT_SILU, 1, 0 },
    { "plamo", PAR_FALCON, HWL_ACT_SILU, 0, 0 },
    { "plamo3", POST_ON_LAYER, HWL_ACT_PACKED, 0, PLAIN_NAMES },
    { "plm", MLA, HWL_ACT_RELU_SQR, 0, 0 },
    { "qwen", 0, HWL_ACT_SILU, 0, 0 },
    { "qwen2", 0, HWL_ACT_SILU, 0, 0 },
    { "qwen2moe", 0, HWL_ACT_SILU, 1, 0 },
    { "qwen2vl", TEXT_POS4, HWL_ACT_SILU, 0, 0 },
    { "qwen3", 0, HWL_ACT_SILU, 0, 0 },
    { "qwen3moe", NORM_W, HWL_ACT_SILU, 1, 0 },
    { "qwen3tts", DEEPSTACK | TEXT_POS4, HWL_ACT_SILU, 0, 0 },
    { "qwen3vl", DEEPSTACK | TEXT_POS4, HWL_ACT_SILU, 0, 0 },
    { "qwen3vlmoe", DEEPSTACK | TEXT_POS4 | NORM_W, HWL_ACT_SILU, 1, 0 },
    { "refact", NO_ROPE, HWL_ACT_SILU, 0, 0 },
    { "rnd1", NORM_W, HWL_ACT_SILU, 1, 0 },
    { "seed_oss", POST_IS_FFN, HWL_ACT_SILU, 0, 0 },
    { "smallthinker", NORM_W | GATE_KEY, HWL_ACT_RELU, 1, ROUTER_FIRST | ROPE_NOT_FIRST },
    { "smollm3", ROPE_3_OF_4 | BIAS, HWL_ACT_SILU, 0, 0 },
    { "spark2_5", 0, HWL_ACT_GELU, 0, GATED },
    { "stablelm", LN | FFN_OF_NORM, HWL_ACT_SILU, 0, 0 },
    { "starcoder", LN | POS_EMBD | NO_ROPE | BIAS, HWL_ACT_GELU, 0, 0 },
    { "starcoder2", LN | BIAS, HWL_ACT_GELU, 0, 0 },
    { "step35", FACTORS | LATE_IDS | BIAS | NORM_W_KEY | GATE_KEY, HWL_ACT_SILU, 2, GATED | FULL_FACTORS },
    { "talkie", NO_WEIGHT | QK_AFTER | LOGIT_SCALE | SKIP_EMBD, HWL_ACT_SILU, 0, UNIT_EMBD },
    { "xverse", 0, HWL_ACT_SILU, 0, 0 },
};

enum { CHAMELEON_IMAGE_TOKENS = 8192 };

static hwl_gt norm_of(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight, const char *bias, bool ln, int32_t at)
{
    hwl_gt w = hwl_b_w(b, il, weight);
    if (!w && b->plain_names) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)(strlen(weight) - strlen(".weight")), weight);
        w = hwl_b_w(b, il, name);
    }
    return w || !bias ? hwl_b_norm(b, x, w, bias ? hwl_b_w(b, il, bias) : NULL, ln, at) : x;
}

static void norm_heads(struct hwl_build *b, const struct row *r, struct hwl_qkv *c, int32_t il)
{
    hwl_gt q = hwl_b_w(b, il, "attn_q_norm.weight"), k = hwl_b_w(b, il, "attn_k_norm.weight");
    const bool images = r->more & NO_IMAGES; /* Chameleon normalises its heads by LayerNorm */
    if (q)
        c->q = hwl_b_norm(b, c->q, q, images ? hwl_b_w(b, il, "attn_q_norm.bias") : NULL, r->flags & LN || images, il);
    if (k || r->flags & SKIP_EMBD)
        c->k = hwl_b_norm(b, c->k, k, images ? hwl_b_w(b, il, "attn_k_norm.bias") : NULL, r->flags & LN || images, il);
}

static struct hwl_qkv of_one_matrix(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_k, h = b->m->layers[il].n_head, kv = b->m->layers[il].n_head_kv, n = b->n_tokens;
    struct hwl_qkv c = { NULL, NULL, NULL };
    hwl_gt all = hwl_g_reshape(g, hwl_g_mm(g, hwl_b_w(b, (int32_t)il, "attn_qkv.weight"), x), hd, h + 2 * kv, n, 1);
    if (!all)
        return c;
    c.q = hwl_g_view3(g, all, hd, h, n, all->nb[1], all->nb[2], 0);
    c.k = hwl_g_view3(g, all, hd, kv, n, all->nb[1], all->nb[2], all->nb[1] * h);
    c.v = hwl_g_view3(g, all, hd, kv, n, all->nb[1], all->nb[2], all->nb[1] * (h + kv));
    return c;
}

static bool has_rope(const struct hwl_build *b, uint32_t il)
{
    char key[160];
    double each;
    (void)snprintf(key, sizeof key, "%s.attention.rope_pattern", b->m->arch);
    if (hwl_gguf_array_f64(b->m->gguf, key, il, &each))
        return each != 0;
    return hwl_b_num(b, "rope.scaling.finetuned", 1) != 0;
}

/* Llama 4: each fourth layer has no rope; without chunks only the last. */
static uint32_t no_rope_step(const struct hwl_build *b)
{
    return b->m->swa_type == LC_SWA_NONE ? b->m->n_layer : 4;
}

static struct hwl_qkv queries(struct hwl_build *b, const struct row *r, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t hk = b->m->head_k, hv = b->m->head_v, n = b->n_tokens;
    const bool whole = r->flags & QK_WHOLE;
    struct hwl_qkv c = r->more & ONE_VIEW ? of_one_matrix(b, x, il) : hwl_b_qkv(b, x, il, hk, hv, !whole);
    if (!(r->flags & QK_AFTER))
        norm_heads(b, r, &c, l);
    if (whole) {
        c.q = hwl_g_reshape(g, c.q, hk, b->m->layers[il].n_head, n, 1);
        c.k = hwl_g_reshape(g, c.k, hk, b->m->layers[il].n_head_kv, n, 1);
        c.v = hwl_g_reshape(g, c.v, hv, b->m->layers[il].n_head_kv, n, 1);
    }
    bool rope = !(r->flags & NO_ROPE) && !(r->flags & ROPE_3_OF_4 && (il + 1) % 4 == 0) &&
        !(r->more & ROPE_NOT_FIRST && il % 4 == 0) && !(r->more & ROPE_7B && b->m->n_layer != 32) && !(r->flags & ROPE_SWA && b->m->swa_type != LC_SWA_NONE && !b->m->layers[il].swa);
    if (r->more & HALF_MOE && il < b->m->n_layer_dense_lead)
        rope = true;
    if (r->more & ROPE_KEY)
        rope = has_rope(b, il);
    if (r->more & LLAMA4)
        rope = (il + 1) % no_rope_step(b) != 0;
    if (rope) {
        hwl_gt factors = r->flags & FACTORS && !(r->more & FULL_FACTORS && b->m->layers[il].swa) ? hwl_b_rope_factors(b, il) : NULL;
        c.q = hwl_g_rope(g, c.q, b->pos, factors);
        c.k = hwl_g_rope(g, c.k, b->pos, factors);
    }
    if (r->flags & QK_AFTER)
        norm_heads(b, r, &c, l);
    if (r->flags & SCALE_Q)
        c.q = hwl_g_scale(g, c.q);
    if (b->attn_scale && !(r->more & LLAMA4 && rope))
        c.q = hwl_g_mul(g, c.q, b->attn_scale);
    if (r->more & LLAMA4 && rope && b->m->n_expert != 128) { /* Maverick has none */
        c.q = hwl_g_rms(g, c.q);
        c.k = hwl_g_rms(g, c.k);
    }
    return c;
}

/* A norm lies between the gated product and the last matrix. */
static hwl_gt bitnet_ffn(struct hwl_build *b, hwl_gt x, int32_t l)
{
    struct hwl_graph *g = &b->g;
    hwl_gt up = hwl_g_mm(g, hwl_b_w(b, l, "ffn_up.weight"), x), gate = hwl_g_mm(g, hwl_b_w(b, l, "ffn_gate.weight"), x);
    x = norm_of(b, hwl_b_glu(b, gate, up), l, "ffn_sub_norm.weight", NULL, false, l);
    return hwl_g_mm(g, hwl_b_w(b, l, "ffn_down.weight"), x);
}

static hwl_gt feed_forward(struct hwl_build *b, const struct row *r, hwl_gt x, int32_t il, hwl_gt router)
{
    if (r->more & BITNET)
        return bitnet_ffn(b, x, il);
    if (!hwl_b_w(b, il, "ffn_gate_inp.weight"))
        return hwl_b_ffn(b, x, il, "", (enum hwl_act)r->act, r->flags & BIAS);
    struct hwl_moe o = { .act = (enum hwl_act)r->act, .gating = r->gating, .norm_w = r->flags & NORM_W, .biases = r->flags & BIAS, .logits = router,
                         .first_w = r->more & LLAMA4, .one_clamp = r->more & ONE_CLAMP };
    o.scale = hwl_b_num(b, "expert_weights_scale", 0);
    if (r->flags & NORM_W_KEY)
        o.norm_w = hwl_b_num(b, "expert_weights_norm", 0) != 0;
    if (r->flags & GATE_KEY && b->m->gating_func)
        o.gating = b->m->gating_func;
    if (r->gating == 4)
        o.logits = hwl_g_mm(&b->g, hwl_b_w(b, il, "ffn_gate_inp.weight"), x);
    hwl_gt y = hwl_b_moe(b, x, il, &o);
    if (r->gating == 4) { /* a second mixture of small experts, of the same router */
        const double per = hwl_b_num(b, "experts_per_group", 0);
        o.chunks = per >= 1 && per <= b->m->n_expert ? (uint32_t)per : 1;
        return hwl_g_add(&b->g, y, hwl_g_scale(&b->g, hwl_b_moe(b, y, il, &o)));
    }
    if (r->more & GROK && hwl_b_w(b, il, "ffn_up.weight"))
        return hwl_g_scale(&b->g, hwl_g_add(&b->g, hwl_b_ffn(b, x, il, "", HWL_ACT_GELU, false), y));
    if (!hwl_b_w(b, il, "ffn_up_shexp.weight"))
        return y;
    hwl_gt shared = hwl_b_ffn(b, x, il, "_shexp", HWL_ACT_SILU, false), gate_w = hwl_b_w(b, il, "ffn_gate_inp_shexp.weight");
    if (gate_w) { /* sigmoid written as silu(x) / x (qwen2moe) */
        hwl_gt gate = hwl_g_mm(&b->g, gate_w, x);
        shared = hwl_g_mul(&b->g, shared, hwl_g_div(&b->g, hwl_g_unary(&b->g, gate), gate));
    }
    y = hwl_g_add(&b->g, y, shared);
    return r->more & HALF_MOE ? hwl_g_scale(&b->g, y) : y;
}

/* One layer behind its attention: residuals, feed-forward and their norms. `attn` and x are of the output rows already. */
static hwl_gt behind_attention(struct hwl_build *b, const struct row *r, hwl_gt attn, hwl_gt residual, hwl_gt normed, hwl_gt router, int32_t l)
{
    struct hwl_graph *g = &b->g;
    const bool ln = r->flags & LN, res_scale = r->flags & RES_SCALE && hwl_b_num(b, "residual_scale", r->more & SCALES ? 1 : 0) != 0;
    if (r->more & PAR_NEOX && hwl_b_num(b, "use_parallel_residual", 1) != 0) {
        hwl_gt own = norm_of(b, residual, l, "ffn_norm.weight", "ffn_norm.bias", ln, l);
        return hwl_g_add(g, hwl_g_add(g, feed_forward(b, r, own, l, NULL), residual), attn);
    }
    if (r->flags & PARALLEL) {
        hwl_gt ff = feed_forward(b, r, normed, l, NULL);
        if (r->flags & PAR_FALCON)
            return hwl_g_add(g, hwl_g_add(g, ff, attn), residual);
        return r->flags & PAR_PHI ? hwl_g_add(g, hwl_g_add(g, attn, ff), residual) : hwl_g_add(g, hwl_g_add(g, ff, residual), attn);
    }
    if (r->more & GROK)
        attn = norm_of(b, attn, l, "attn_output_norm.weight", "attn_output_norm.bias", ln, l);
    else if (!(r->flags & POST_IS_FFN) && !(r->more & POST_FIRST))
        attn = norm_of(b, attn, l, "post_attention_norm.weight", "post_attention_norm.bias", ln, l);
    if (res_scale)
        attn = hwl_g_scale(g, attn);
    hwl_gt in = r->more & ONE_VIEW ? hwl_g_add(g, residual, attn) : residual ? hwl_g_add(g, attn, residual) : attn, cur;
    if (r->more & ARCTIC) { /* dense branch of the sum, experts of the layer's input */
        cur = norm_of(b, in, l, "ffn_norm.weight", "ffn_norm.bias", ln, l);
        hwl_gt dense = hwl_g_add(g, hwl_b_ffn(b, cur, l, "", HWL_ACT_SILU, false), in);
        cur = norm_of(b, residual, l, "ffn_norm_exps.weight", "ffn_norm_exps.bias", ln, l);
        return hwl_g_add(g, feed_forward(b, r, cur, l, NULL), dense);
    }
    if (r->flags & POST_IS_FFN)
        cur = norm_of(b, in, l, "post_attention_norm.weight", "post_attention_norm.bias", ln, l);
    else if (r->flags & OUT_NORM)
        cur = norm_of(b, in, l, "attn_output_norm.weight", "attn_output_norm.bias", ln, l);
    else if (r->flags & FFN_OF_NORM && !hwl_b_w(b, l, "ffn_norm.weight"))
        cur = normed;
    else if (r->flags & NO_WEIGHT)
        cur = hwl_b_norm(b, in, NULL, NULL, ln, l);
    else
        cur = norm_of(b, in, l, "ffn_norm.weight", "ffn_norm.bias", ln, l);
    cur = feed_forward(b, r, cur, l, router);
    cur = norm_of(b, cur, l, "post_ffw_norm.weight", "post_ffw_norm.bias", ln, r->flags & POST_ON_LAYER ? l : -1);
    if (r->more & GROK)
        cur = norm_of(b, cur, l, "layer_output_norm.weight", "layer_output_norm.bias", ln, l);
    if (res_scale)
        cur = hwl_g_scale(g, cur);
    return r->flags & RES_FIRST ? hwl_g_add(g, in, cur) : hwl_g_add(g, cur, in);
}

/* With the model's cache, or where it has none over the batch itself. */
static hwl_gt attend(struct hwl_build *b, struct hwl_qkv c, hwl_gt sinks, hwl_gt wo, hwl_gt wo_b, uint32_t il)
{
    if (!b->no_cache)
        return hwl_b_attn(b, c, sinks, wo, wo_b, il);
    const bool window = b->m->swa_type != LC_SWA_NONE && b->m->layers[il].swa;
    return hwl_b_attn_free(b, c, window ? b->swa.mask : b->full.mask, wo, wo_b, il);
}

static hwl_gt attention(struct hwl_build *b, const struct row *r, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    if (r->flags & MLA)
        return hwl_b_mla(b, x, il, r->flags & FACTORS ? hwl_b_rope_factors(b, il) : NULL);
    hwl_gt wo = hwl_b_w(b, l, "attn_output.weight"), wo_b = hwl_b_w(b, l, "attn_output.bias"), sinks = hwl_b_w(b, l, "attn_sinks.weight");
    const struct lc_layer *heads_of = &b->m->layers[il];
    if (r->more & EMPTY && !heads_of->n_head_kv)
        return heads_of->n_head ? hwl_g_mm(g, wo, x) : x;
    hwl_gt gate = r->more & GATED ? hwl_b_w(b, l, "attn_gate.weight") : NULL;
    struct hwl_qkv c = queries(b, r, x, il);
    if (r->more & BITNET) {
        hwl_gt y = norm_of(b, attend(b, c, sinks, NULL, NULL, il), l, "attn_sub_norm.weight", NULL, false, l);
        return hwl_b_mm_bias(b, wo, y, wo_b);
    }
    if (!gate) {
        hwl_gt y = attend(b, c, sinks, wo, wo_b, il);
        return r->more & VALUE_SCALE && hwl_b_num(b, "attention.value_scale", 1) != 1 ? hwl_g_scale(g, y) : y;
    }
    hwl_gt y = attend(b, c, sinks, NULL, NULL, il), factor = hwl_g_unary(g, hwl_g_mm(g, gate, x));
    const uint64_t heads = b->m->layers[il].n_head, n = b->n_tokens, hv = b->m->head_v;
    if (gate->ne[1] == heads) { /* one gate a head */
        y = hwl_g_mul(g, hwl_g_reshape(g, y, hv, heads, n, 1), hwl_g_reshape(g, factor, 1, heads, n, 1));
        y = hwl_g_reshape(g, y, hv * heads, n, 1, 1);
    } else
        y = hwl_g_mul(g, y, factor);
    return hwl_b_mm_bias(b, wo, y, wo_b);
}

static void decoder(struct hwl_build *b, const struct row *base)
{
    struct hwl_graph *g = &b->g;
    struct row own = *base;
    const struct row *r = &own;
    if (own.more & LN_BY_KEY && hwl_b_num(b, "attention.layer_norm_rms_epsilon", 0) == 0)
        own.flags |= LN;
    const bool ln = r->flags & LN;
    const uint32_t n_layer = b->m->n_layer;
    b->scales = r->more & SCALES && !(r->more & LATENT_SCALES);
    b->cap_tanh = r->more & GROK;
    /* scales of single matrices are not built */
    b->unmeasured = r->more & BITNET && hwl_b_w(b, 0, "attn_q.scale");
    b->no_cache = r->more & NO_CACHE || b->m->memory == LC_MEM_NONE;
    b->plain_names = r->more & PLAIN_NAMES;
    b->weights_in_compute = r->more & BITNET;
    hwl_gt x = hwl_b_inp_embd(b);
    if (r->more & LLAMA4 || (r->more & TEMPERATURE && hwl_b_num(b, "attention.temperature_scale", 0) != 0))
        b->attn_scale = hwl_g_input(g, HWL_DTYPE_F32, 1, 1, b->n_tokens, 1, "inp_attn_scale");
    if (r->more & EMBD_NORM)
        x = norm_of(b, x, -1, "token_embd_norm.weight", "token_embd_norm.bias", ln, 0);
    if (r->flags & SCALE_EMBD)
        x = hwl_g_scale(g, x);
    if (r->more & UNIT_EMBD)
        x = hwl_g_rms(g, x);
    const bool four = r->flags & TEXT_POS4 || (r->more & POS4_BY_FILE && b->m->rope_sections[0] && b->m->rope_sections[1]);
    hwl_b_inp_pos(b, four ? 4 : 1);
    if (!b->no_cache)
        hwl_b_inp_attn(b);
    else {
        b->full.mask = hwl_b_mask(b, b->n_tokens, b->n_tokens, 1, "self_kq_mask");
        if (b->m->swa_type != LC_SWA_NONE)
            b->swa.mask = hwl_b_mask(b, b->n_tokens, b->n_tokens, 1, "self_kq_mask_swa");
    }
    hwl_gt positions = r->flags & POS_EMBD ? hwl_b_w(b, -1, "position_embd.weight") : NULL;
    if (positions)
        x = hwl_g_add(g, x, hwl_g_get_rows(g, positions, b->pos));
    hwl_b_inp_out_ids(b);
    if (r->flags & ROPE_3_OF_4 || r->more & ROPE_NOT_FIRST)
        b->modulus = 4;
    const bool loops = b->m->row->flags & LC_LOOPS && hwl_b_num(b, "num_loops", 1) > 1;
    if (loops) { /* the same weights several times, a norm between (Nanbeige) */
        b->n_stored = b->m->n_layer_all / (uint32_t)hwl_b_num(b, "num_loops", 1);
        b->modulus = 0;
    }
    if (r->more & ROPE_KEY) { /* layers may differ by the file's arrays */
        char key[160];
        (void)snprintf(key, sizeof key, "%s.attention.rope_pattern", b->m->arch);
        b->modulus = hwl_gguf_get(b->m->gguf, key) ? 0 : 1;
        (void)snprintf(key, sizeof key, "%s.deepstack_mapping", b->m->arch);
        b->unmeasured = b->unmeasured || hwl_gguf_get(b->m->gguf, key);
    }
    if (r->more & LLAMA4)
        b->modulus = no_rope_step(b);
    const bool late = r->flags & LATE_IDS && !b->p->rules->rows_inside;
    hwl_gt skip = r->flags & SKIP_EMBD ? x : NULL;
    hwl_gt wide = x && x->view ? x->view : x; /* with the parts for later layers (deepstack) */
    for (uint32_t il = 0; il < n_layer; il = hwl_b_next(b, il)) {
        const int32_t l = (int32_t)il;
        const bool empty = r->more & EMPTY && !b->m->layers[il].n_head;
        hwl_gt residual = empty ? NULL : x, normed = empty ? x : r->flags & NO_WEIGHT ? hwl_b_norm(b, x, NULL, NULL, ln, l)
                                                           : norm_of(b, x, l, "attn_norm.weight", "attn_norm.bias", ln, l);
        hwl_gt first = hwl_b_w(b, l, "attn_norm_2.weight") ? norm_of(b, x, l, "attn_norm_2.weight", "attn_norm_2.bias", ln, l) : normed;
        hwl_gt router = r->more & ROUTER_FIRST ? hwl_g_mm(g, hwl_b_w(b, l, "ffn_gate_inp.weight"), x) : NULL;
        hwl_gt cur = attention(b, r, first, il);
        if (r->more & POST_FIRST)
            cur = norm_of(b, cur, l, "post_attention_norm.weight", "post_attention_norm.bias", ln, r->more & FREE_POST ? -1 : l);
        if (il + 1 == n_layer && !late && !(r->more & ALL_ROWS) && !b->p->rules->all_rows) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            residual = hwl_g_get_rows(g, residual, b->out_ids);
            normed = hwl_g_get_rows(g, normed, b->out_ids);
            if (router)
                router = hwl_g_get_rows(g, router, b->out_ids);
            if (skip)
                skip = hwl_g_get_rows(g, skip, b->out_ids);
        }
        if (r->more & EMPTY && !b->m->layers[il].n_ff)
            continue; /* not even its attention counts, but it fills its cache */
        x = behind_attention(b, r, cur, residual, normed, router, l);
        if (skip)
            x = hwl_g_add(g, x, hwl_g_mul(g, skip, hwl_b_w(b, l, "layer_output_scale.weight")));
        if (r->flags & DEEPSTACK && il < b->m->n_deepstack && wide)
            x = hwl_g_add(g, x, hwl_g_view2(g, wide, b->m->n_embd, b->n_tokens, wide->nb[1], (uint64_t)(il + 1) * b->m->n_embd * 4));
        if (loops && b->n_stored && (il + 1) % b->n_stored == 0 && il + 1 < n_layer && hwl_b_num(b, "skip_loop_final_norm", 0) == 0)
            x = hwl_b_norm(b, x, hwl_b_w(b, -1, "output_norm.weight"), NULL, ln, l);
        if (g->failed)
            return;
    }
    b->ids_behind_norm = late && r->more & NORM_IDS;
    if (late && !b->ids_behind_norm && x) {
        x->flags |= HWL_GFLAG_OUTPUT; /* hidden states for a draft head */
        x = hwl_g_get_rows(g, x, b->out_ids);
    }
    if (r->more & NO_HEAD) {
        hwl_gt last = hwl_b_w(b, -1, "output_norm.weight");
        x = hwl_b_norm(b, x, last ? last : hwl_b_w(b, -1, "enc.output_norm.weight"), NULL, ln, -1);
        if (x)
            x->flags |= HWL_GFLAG_OUTPUT;
        hwl_g_expand(g, x);
        b->embd = x;
        return;
    }
    b->scale_output = r->more & LATENT_SCALES;
    hwl_b_output(b, x, ln);
    if (r->flags & LOGIT_SCALE && hwl_b_num(b, "logit_scale", r->more & SCALES ? 1 : 0) != 0)
        b->logits = hwl_g_scale(g, b->logits);
    if (r->flags & SOFTCAP && hwl_b_num(b, "final_logit_softcapping", 0) != 0)
        b->logits = hwl_g_scale(g, hwl_g_unary(g, hwl_g_scale(g, b->logits)));
    if (r->more & NO_IMAGES && b->logits) {
        hwl_gt none = hwl_g_like(g, HWL_OP_CLAMP, hwl_g_new(g, HWL_DTYPE_F32, CHAMELEON_IMAGE_TOKENS, 1, 1, 1), NULL, NULL);
        b->logits = hwl_g_like(g, HWL_OP_SET, b->logits, none, NULL);
    }
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
}

bool hwl_b_arch(struct hwl_build *b)
{
    if (!strcmp(b->m->arch, "gemma3n")) {
        hwl_b_gemma3n(b);
        return true;
    }
    if (!strcmp(b->m->arch, "gemma4")) {
        hwl_b_gemma4(b);
        return true;
    }
    if (!strcmp(b->m->arch, "t5") || !strcmp(b->m->arch, "t5encoder")) {
        hwl_b_t5(b);
        return true;
    }
    for (uint64_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].arch, b->m->arch)) {
            decoder(b, &rows[i]);
            return true;
        }
    return false;
}
