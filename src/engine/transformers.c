/* SPDX-License-Identifier: Apache-2.0 */
/* Hugging Face transformers, used as a library: weights in the asked type, a DynamicCache that grows with the request,
 * layers over several GPUs as accelerate's device_map="auto" lays them. There is no server and no pool: the request
 * sizes it all. Cache rules read in transformers 5.24 (cache_utils.py, models/deepseek_v3), placement in
 * accelerate 1.15 (utils/modeling.py). */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

static const char *const versions[] = {"5.24.0", "4.57.0", NULL};

static const char *version_of(const char *text)
{
    unsigned major;
    if (sscanf(*text == 'v' ? text + 1 : text, "%u", &major) != 1)
        return NULL;
    return major == 5 ? versions[0] : major == 4 ? versions[1] : NULL;
}

struct work {
    const struct hwl_model *model;
    struct hwl_ck ck;
    uint64_t dtype_bytes; /* of activations and cache */
    bool cast;            /* weights are cast to dtype_bytes */
    uint8_t bits;         /* bitsandbytes: 4 or 8; 0 none */
    bool expanded_mla;    /* keys and values of each head are cached (before 5) */
    uint64_t ctx, sequences;
    uint64_t *layer_bytes; /* weights of each layer */
    uint16_t *device_of;   /* [n_layers] */
    uint16_t head_device;
    uint64_t first_bytes, last_bytes; /* in front of and behind the stack */
};

/* bitsandbytes replaces linear layers: not embeddings, not the head, not norms or routers' biases. */
static bool quantises(const struct hwl_tensor *t)
{
    return t->part == HWL_PART_WEIGHT && t->n_dims >= 2 && t->layer >= 0 && t->component != HWL_COMP_NORM &&
           t->component != HWL_COMP_EMBEDDING && t->component != HWL_COMP_OUTPUT && t->role != HWL_ROLE_SSM_CONV &&
           t->role != HWL_ROLE_SSM_A && t->role != HWL_ROLE_ATTN_REL_BIAS;
}

static uint64_t tensor_bytes(const struct hwl_tensor *t, struct work *w)
{
    if (t->tied)
        return 0;
    const bool plain = t->dtype == HWL_DTYPE_F32 || t->dtype == HWL_DTYPE_F16 || t->dtype == HWL_DTYPE_BF16;
    if (!plain || t->buffer || !t->elements)
        return t->bytes;
    if (w->bits && quantises(t)) {
        if (w->bits == 8) /* int8 rows with one fp32 scale each */
            return hwl_ck_add(
                &w->ck, t->elements,
                hwl_ck_mul(&w->ck, t->elements / (t->dims[t->n_dims - 1] ? t->dims[t->n_dims - 1] : 1), 4));
        return hwl_ck_add(&w->ck, t->elements / 2,
                          hwl_ck_mul(&w->ck, t->elements / 64, 4)); /* nf4: fp32 absmax for 64 elements */
    }
    return w->cast ? hwl_ck_mul(&w->ck, t->elements, w->dtype_bytes) : t->bytes;
}

static bool at_end(const struct hwl_tensor *t)
{
    return t->role == HWL_ROLE_OUTPUT || t->role == HWL_ROLE_OUTPUT_NORM || t->role == HWL_ROLE_CLASSIFIER;
}

/* accelerate: every GPU but the last takes its even share and a buffer of a quarter above the largest layer; in order.
 */
static void place(struct work *w, const struct hwl_devices *d)
{
    const uint32_t n = w->model->n_layers;
    const uint16_t host = (uint16_t)d->n_gpus;
    uint64_t total = hwl_ck_add(&w->ck, w->first_bytes, w->last_bytes), largest = 0;
    for (uint32_t i = 0; i < n; i++) {
        total = hwl_ck_add(&w->ck, total, w->layer_bytes[i]);
        largest = hwl_max(largest, w->layer_bytes[i]);
    }
    const uint64_t share = d->n_gpus ? total / d->n_gpus + largest + largest / 4 : 0;
    uint16_t at = 0;
    uint64_t used = w->first_bytes;
    for (uint32_t i = 0; i <= n; i++) {
        const uint64_t bytes = i < n ? w->layer_bytes[i] : w->last_bytes;
        while (at < host) {
            const uint64_t memory =
                d->gpu[at].free_bytes != HWL_UNKNOWN ? d->gpu[at].free_bytes : d->gpu[at].memory_bytes;
            const uint64_t room = memory == HWL_UNKNOWN ? UINT64_MAX : memory / 10 * 9;
            const uint64_t limit = at + 1 < host ? hwl_min(room, share) : room;
            if (used <= limit && bytes <= limit - used)
                break;
            at++;
            used = 0;
        }
        used = at < host ? used + bytes : 0;
        if (i < n)
            w->device_of[i] = at;
        else
            w->head_device = at;
    }
}

static uint64_t cache_elements(const struct hwl_layer *l, const struct work *w)
{
    const struct hwl_attention *a = &l->attn;
    if (!a->n_heads || a->kv_shared_with >= 0)
        return 0;
    if (a->kv_lora_rank && w->expanded_mla)
        return (uint64_t)a->n_heads * ((uint64_t)a->qk_nope_dim + a->qk_rope_dim + a->head_dim_v);
    if (a->kv_lora_rank)
        return (uint64_t)a->kv_lora_rank + a->qk_rope_dim;
    return (uint64_t)(a->n_kv_heads ? a->n_kv_heads : a->n_heads) * ((uint64_t)a->head_dim_k + a->head_dim_v);
}

static void put_layers(struct work *w, struct hwl_ledger *ledger)
{
    const struct hwl_model *m = w->model;
    const uint64_t tokens = hwl_ck_mul(&w->ck, w->ctx, w->sequences);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        const uint16_t device = w->device_of[i];
        hwl_ledger_place(ledger, device, i);
        const uint64_t row = hwl_ck_mul(&w->ck, cache_elements(l, w), w->dtype_bytes);
        if (row && !m->encoder_only) {
            const bool window = l->attn.window && l->attn.window <= w->ctx;
            hwl_entry *e = hwl_ledger_put(ledger, device, (int32_t)i, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, 0,
                                          HWL_BASIS_EXACT, "transformers: cache_utils.py DynamicCache");
            e->args[0] = window ? hwl_ck_mul(&w->ck, l->attn.window - 1, w->sequences)
                                : tokens; /* a window keeps one token less */
            e->args[1] = row;
            e->bytes = hwl_ck_mul(&w->ck, e->args[0], row);
            e->formula = "{0} tokens x {1} B";
            if (!window)
                ledger->kv_bytes_per_token = hwl_ck_add(&w->ck, ledger->kv_bytes_per_token, row);
        }
        const struct hwl_state *s = &l->state;
        if (s->conv_dim || s->ssm_elems) {
            const uint64_t elements = hwl_ck_add(&w->ck, hwl_ck_mul(&w->ck, s->d_conv, s->conv_dim), s->ssm_elems);
            hwl_entry *e =
                hwl_ledger_put(ledger, device, (int32_t)i, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT,
                               hwl_ck_mul3(&w->ck, elements, w->dtype_bytes, w->sequences), HWL_BASIS_MODELLED,
                               "transformers: LinearAttentionLayer, states in the model's type");
            e->error = 0.5f;
        }
    }
}

static void put_weights(struct work *w, struct hwl_ledger *ledger)
{
    const struct hwl_model *m = w->model;
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct hwl_tensor *t = &m->tensors[i];
        if (t->layer >= (int32_t)m->n_layers && m->layers[t->layer].mtp)
            continue; /* not loaded */
        const uint16_t device = t->layer >= 0 && (uint32_t)t->layer < m->n_layers ? w->device_of[t->layer]
                                : at_end(t)                                       ? w->head_device
                                                                                  : w->device_of[0];
        hwl_ledger_put(ledger, device, t->layer, HWL_KIND_WEIGHTS, (hwl_component)t->component, tensor_bytes(t, w),
                       w->bits ? HWL_BASIS_MODELLED : HWL_BASIS_EXACT, "transformers: from_pretrained")
            ->error = w->bits ? 0.02f : 0.0f;
    }
}

/* A whole prompt in one forward pass: residual, normed copy, the widest intermediate, and the logits of the last token
 * in fp32. */
static void put_activations(struct work *w, struct hwl_ledger *ledger, uint16_t devices)
{
    const struct hwl_model *m = w->model;
    uint64_t widest = 0;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        const uint64_t experts = hwl_ck_mul(&w->ck, l->ffn.n_experts_used, l->ffn.d_expert);
        const uint64_t qkv = (uint64_t)l->attn.n_heads * l->attn.head_dim_k * 3;
        widest = hwl_max(widest, hwl_max(hwl_ck_mul(&w->ck, hwl_max(l->ffn.d_ff, experts), 3), qkv));
    }
    const uint64_t tokens = hwl_ck_mul(&w->ck, w->ctx, w->sequences);
    const uint64_t width = hwl_ck_add(&w->ck, hwl_ck_mul(&w->ck, m->hidden, 4), widest);
    const uint64_t bytes = hwl_ck_mul3(&w->ck, tokens, width, w->dtype_bytes);
    for (uint16_t d = 0; d < devices; d++) {
        bool used = w->head_device == d;
        for (uint32_t i = 0; i < m->n_layers; i++)
            used = used || w->device_of[i] == d;
        if (!used)
            continue;
        hwl_ledger_put(ledger, d, -1, HWL_KIND_COMPUTE, HWL_COMP_OTHER, bytes, HWL_BASIS_MODELLED,
                       "transformers: one prompt in one pass")
            ->error = 0.5f;
        if (d == w->head_device && !m->encoder_only)
            hwl_ledger_put(ledger, d, -1, HWL_KIND_OUTPUT, HWL_COMP_OUTPUT,
                           hwl_ck_mul3(&w->ck, w->sequences, m->vocab, 4), HWL_BASIS_MODELLED,
                           "transformers: logits of the last token in fp32")
                ->error = 0.1f;
        if (d + 1 < devices) /* CUDA context and kernels: nvidia-smi against torch's own sum */
            hwl_ledger_put(ledger, d, -1, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, (uint64_t)450 << 20, HWL_BASIS_MODELLED,
                           "CUDA context")
                ->error = 0.4f;
    }
}

static hwl_status settle(struct work *w, const struct hwl_settings *s, hwl_error *error)
{
    const char *dtype = hwl_opt_text(s, HWL_OPT_DTYPE, "auto");
    const char *quant = hwl_opt_text(s, HWL_OPT_QUANT, "");
    w->cast = !hwl_text_eq_nocase(dtype, "auto");
    if (!w->cast)
        w->dtype_bytes = w->model->dtype == HWL_DTYPE_F32 ? 4 : 2;
    else if (hwl_words_have("float32 float fp32 f32", dtype))
        w->dtype_bytes = 4;
    else if (hwl_words_have("float16 bfloat16 half fp16 bf16 f16", dtype))
        w->dtype_bytes = 2;
    else
        return hwl_fail(error, HWL_E_USAGE, "transformers: unknown dtype '%s'", dtype);
    if (hwl_words_have("nf4 fp4 int4 bnb-4bit bitsandbytes load-in-4bit", quant))
        w->bits = 4;
    else if (hwl_words_have("int8 bnb-8bit load-in-8bit llm.int8", quant))
        w->bits = 8;
    else if (*quant)
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "transformers: quantisation '%s' is not modelled; nf4 and int8 (bitsandbytes) are", quant);
    w->ctx = hwl_opt_u64(s, HWL_OPT_CTX, w->model->context_train ? hwl_min(w->model->context_train, 4096) : 2048);
    w->sequences = hwl_opt_u64(s, HWL_OPT_CONCURRENCY, 1);
    if (hwl_opt_u64(s, HWL_OPT_TP, 1) > 1)
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "transformers: tensor parallelism is not modelled; several GPUs share the layers");
    return HWL_OK;
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version,
                       const struct hwl_devices *devices, const struct hwl_settings *settings,
                       struct hwl_ledger *ledger, hwl_error *error)
{
    (void)prepared;
    struct work w = {.model = model, .expanded_mla = strcmp(version, versions[1]) == 0};
    HWL_TRY(settle(&w, settings, error));
    w.layer_bytes = HWL_NEW_ARRAY(ledger->arena, uint64_t, (uint64_t)model->n_layers + 1);
    w.device_of = HWL_NEW_ARRAY(ledger->arena, uint16_t, (uint64_t)model->n_layers + 1);
    if (!w.layer_bytes || !w.device_of)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    uint64_t total = 0;
    for (uint64_t i = 0; i < model->n_tensors; i++) {
        const struct hwl_tensor *t = &model->tensors[i];
        uint64_t *sum = t->layer >= 0 && (uint32_t)t->layer < model->n_layers ? &w.layer_bytes[t->layer]
                        : at_end(t)                                           ? &w.last_bytes
                                                                              : &w.first_bytes;
        if (t->layer >= (int32_t)model->n_layers && model->layers[t->layer].mtp)
            continue;
        const uint64_t bytes = tensor_bytes(t, &w);
        *sum = hwl_ck_add(&w.ck, *sum, bytes);
        total = hwl_ck_add(&w.ck, total, bytes);
    }
    place(&w, devices);
    put_weights(&w, ledger);
    put_layers(&w, ledger);
    hwl_ledger_place(ledger, w.head_device, model->n_layers);
    put_activations(&w, ledger, (uint16_t)(devices->n_gpus + 1));
    if (hwl_opt_flag(settings, HWL_OPT_RULE_20, false))
        for (uint16_t d = 0; d <= devices->n_gpus; d++) {
            uint64_t here = 0;
            for (uint64_t i = 0; i < ledger->n_entries; i++)
                if (ledger->entries[i].device == d && ledger->entries[i].kind == HWL_KIND_WEIGHTS)
                    here = hwl_ck_add(&w.ck, here, ledger->entries[i].bytes);
            if (here)
                hwl_ledger_put(ledger, d, -1, HWL_KIND_OVERHEAD, HWL_COMP_OTHER, here / 5, HWL_BASIS_MODELLED,
                               "rule of thumb: a fifth of the weights on top")
                    ->error = 1.0f;
        }
    hwl_ledger_setting_u64(ledger, "ctx", w.ctx);
    hwl_ledger_setting_u64(ledger, "concurrency", w.sequences);
    hwl_ledger_view_u64(ledger, "weights_bytes", total);
    ledger->context = w.ctx;
    ledger->concurrency = w.sequences;
    return w.ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "transformers: a size is beyond 64 bits") : HWL_OK;
}

const struct hwl_engine hwl_engine_transformers = {
    .id = "transformers",
    .versions = versions,
    .version = version_of,
    .plan = plan,
};
