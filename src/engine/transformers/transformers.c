/* SPDX-License-Identifier: Apache-2.0 */
/* Hugging Face transformers, used as a library: weights in the asked type, a DynamicCache that grows with the request,
 * layers over several GPUs as device_map="auto" lays them. There is no server and no pool: the request sizes it all.
 * Cache rules read in transformers 5.24 (cache_utils.py, models/deepseek_v3). */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/transformers/draft.h"
#include "engine/transformers/forms.h"
#include "engine/transformers/kinds.h"
#include "engine/transformers/transformers.h"

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
    struct hwl_tf_types types;
    bool expanded_mla;    /* keys and values of each head are cached (before 5) */
    bool eager;           /* attention written out */
    struct hwl_tf_choice choice;
    uint64_t ctx, sequences, beams;
    uint64_t unquantized; /* what a step behind the prompt takes back of a quantised cache */
    struct hwl_tf_modules modules;
    uint16_t *device_of; /* [modules.n] */
};

#define ACTIVATION_ERROR 0.06f /* of 1400 measured passes */

static uint16_t device_of(const struct work *w, uint32_t layer)
{
    return w->device_of[1 + layer];
}

/* A layer that is offloaded is on its GPU while it runs, and the next one is on its way. */
static void put_moving(struct work *w, struct hwl_ledger *ledger, const uint64_t (*largest)[2], uint32_t n_gpus)
{
    for (uint32_t d = 0; d < n_gpus; d++)
        if (largest[d][0])
            hwl_ledger_put(ledger, (uint16_t)d, -1, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, hwl_ck_add(&w->ck, largest[d][0], largest[d][1]),
                           HWL_BASIS_MODELLED, "transformers: the running layer's cache and the next one's")
                ->error = 0.02f;
}

static void put_cached(struct work *w, struct hwl_ledger *ledger, uint32_t i, uint16_t device, const struct hwl_tf_cached *c)
{
    const struct hwl_tf_choice *choice = &w->choice;
    hwl_entry *e = hwl_ledger_put(ledger, device, (int32_t)i, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, 0, HWL_BASIS_EXACT,
                                  choice->quantized ? "transformers: cache_utils.py QuantizedCache"
                                  : choice->fixed   ? "transformers: cache_utils.py StaticCache"
                                                    : "transformers: cache_utils.py DynamicCache");
    if (choice->quantized) {
        e->bytes = hwl_tf_quantized(choice, c, w->sequences, w->types.dtype_bytes, &w->ck);
        e->basis = HWL_BASIS_MODELLED;
        e->error = 0.05f;
    } else {
        e->args[0] = c->tokens;
        e->args[1] = c->row;
        e->args[2] = c->extra;
        e->bytes = hwl_ck_add(&w->ck, hwl_ck_mul(&w->ck, c->tokens, c->row), c->extra);
        e->formula = "{0} tokens x {1} B + {2} B";
    }
    if (c->grows)
        ledger->kv_bytes_per_token = hwl_ck_add(&w->ck, ledger->kv_bytes_per_token, choice->quantized && c->tokens ? e->bytes / c->tokens : c->row);
}

static hwl_status put_layers(struct work *w, struct hwl_ledger *ledger, uint32_t n_gpus, hwl_error *error)
{
    const struct hwl_model *m = w->model;
    const struct hwl_tf_cache_kind kind = {
        w->ctx, w->sequences, w->types.dtype_bytes, w->choice.fixed, hwl_tf_encoder_tokens(m, w->ctx), w->expanded_mla};
    uint64_t(*largest)[2] = hwl_arena_alloc(ledger->arena, ((uint64_t)n_gpus + 1) * sizeof *largest);
    if (!largest)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    memset(largest, 0, (n_gpus + 1) * sizeof *largest);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        const uint16_t device = device_of(w, i);
        hwl_ledger_place(ledger, device, i);
        const struct hwl_tf_cached c = hwl_tf_cache(l, &kind, &w->ck);
        if ((c.row || c.extra) && !m->encoder_only) {
            const bool away = device < n_gpus && hwl_tf_offloaded(&w->choice, l);
            put_cached(w, ledger, i, away ? (uint16_t)n_gpus : device, &c);
            const uint64_t bytes = hwl_ck_add(&w->ck, hwl_ck_mul(&w->ck, c.tokens, c.row), c.extra);
            if (away && bytes >= largest[device][0]) {
                largest[device][1] = largest[device][0];
                largest[device][0] = bytes;
            } else if (away) {
                largest[device][1] = hwl_max(largest[device][1], bytes);
            }
            if (w->choice.quantized)
                w->unquantized = hwl_max(w->unquantized, hwl_tf_unquantized(&w->choice, &c, w->types.dtype_bytes, &w->ck));
        }
        if (l->state.conv_dim || l->state.ssm_elems) {
            hwl_entry *e = hwl_ledger_put(ledger, device, (int32_t)i, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT,
                                          hwl_tf_states(l, &kind, &w->ck),
                                          w->expanded_mla ? HWL_BASIS_MODELLED : HWL_BASIS_EXACT,
                                          "transformers: cache_utils.py LinearAttentionLayer");
            e->error = w->expanded_mla ? 0.5f : 0.0f; /* classes of their own before 5 */
        }
    }
    put_moving(w, ledger, (const uint64_t(*)[2])largest, n_gpus);
    return HWL_OK;
}

static void put_weights(struct work *w, struct hwl_ledger *ledger, uint32_t n_gpus)
{
    const struct hwl_model *m = w->model;
    uint64_t on_disk = 0;
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct hwl_tensor *t = &m->tensors[i];
        if (!hwl_tf_loaded(m, t))
            continue;
        const uint16_t device = w->device_of[hwl_tf_module_of(m, t)];
        const uint64_t bytes = hwl_tf_tensor_bytes(t, &w->types, &w->ck);
        if (device > n_gpus) {
            on_disk = hwl_ck_add(&w->ck, on_disk, bytes);
            continue;
        }
        hwl_ledger_put(ledger, device, t->layer, HWL_KIND_WEIGHTS, (hwl_component)t->component, bytes,
                       w->types.bits ? HWL_BASIS_MODELLED : HWL_BASIS_EXACT, "transformers: from_pretrained")
            ->error = w->types.bits ? 0.02f : 0.0f;
    }
    if (on_disk)
        hwl_ledger_note(ledger, "%.2f GiB of weights stay on the disk and are read layer by layer",
                        (double)on_disk / (double)((uint64_t)1 << 30));
}

/* The tower stands on the device of the first layer. */
static void put_tower(struct work *w, struct hwl_ledger *ledger, uint64_t text)
{
    const struct hwl_model *m = w->model;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < m->n_encoders; i++)
        if (m->encoders[i].component == HWL_COMP_VISION)
            bytes = hwl_max(bytes, hwl_tf_tower(m, &m->encoders[i], 1, w->types.dtype_bytes, w->eager, &w->ck));
    if (bytes > text)
        hwl_ledger_put(ledger, w->device_of[0], -1, HWL_KIND_COMPUTE, HWL_COMP_VISION, bytes - text, HWL_BASIS_MODELLED,
                       "transformers: one image of the largest size")
            ->error = 0.3f;
}

static void put_activations(struct work *w, struct hwl_ledger *ledger, uint16_t devices)
{
    const struct hwl_model *m = w->model;
    const uint64_t pass = hwl_tf_activation(m, w->ctx, w->sequences, w->types.dtype_bytes, w->eager, &w->ck);
    const uint64_t bytes = hwl_max(pass, w->unquantized);
    const uint16_t head = w->device_of[w->modules.n - 1];
    put_tower(w, ledger, bytes);
    const struct hwl_tf_traits has = hwl_tf_traits_of(m);
    const double form = hwl_tf_form_of(m)->error / 100.0;
    const float error = form > ACTIVATION_ERROR ? (float)form : ACTIVATION_ERROR;
    bool recurrent = false, unknown = false;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        recurrent = recurrent || l->state.ssm_elems;
        unknown = unknown || (l->state.ssm_elems && !hwl_tf_recurrent(l, m, &has, w->ctx, 1, w->types.dtype_bytes, &w->ck));
    }
    if (recurrent)
        hwl_ledger_note(ledger, "recurrent layers are taken to run the reference code; with mamba-ssm or "
                                "flash-linear-attention a pass holds a fraction of it");
    for (uint16_t d = 0; d < devices; d++) {
        bool used = head == d;
        for (uint32_t i = 0; i < m->n_layers; i++)
            used = used || device_of(w, i) == d;
        if (!used)
            continue;
        hwl_ledger_put(ledger, d, -1, HWL_KIND_COMPUTE, HWL_COMP_OTHER, bytes, HWL_BASIS_MODELLED,
                       "transformers: one prompt in one pass")
            ->error = unknown ? 1.0f : error;
        /* in the model's type, and the fp32 copy of generate; of beams also their logarithms and their sums */
        if (d == head && !m->encoder_only)
            hwl_ledger_put(ledger, d, -1, HWL_KIND_OUTPUT, HWL_COMP_OUTPUT,
                           hwl_ck_mul3(&w->ck, w->sequences, m->vocab, w->types.dtype_bytes + (w->beams > 1 ? 12 : 4)), HWL_BASIS_MODELLED,
                           "transformers: logits of the last token")
                ->error = w->beams > 1 ? 0.4f : 0.1f;
        if (d + 1 < devices)
            hwl_ledger_put(ledger, d, -1, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, HWL_TF_CONTEXT, HWL_BASIS_MODELLED, "CUDA context")
                ->error = 0.4f;
    }
}

static hwl_status settle_types(struct work *w, const struct hwl_settings *s, hwl_error *error)
{
    const char *dtype = hwl_opt_text(s, HWL_OPT_DTYPE, "auto");
    const char *quant = hwl_opt_text(s, HWL_OPT_QUANT, "");
    w->types.cast = !hwl_text_eq_nocase(dtype, "auto");
    if (!w->types.cast)
        w->types.dtype_bytes = w->model->dtype == HWL_DTYPE_F32 ? 4 : 2;
    else if (hwl_words_have("float32 float fp32 f32", dtype))
        w->types.dtype_bytes = 4;
    else if (hwl_words_have("float16 bfloat16 half fp16 bf16 f16", dtype))
        w->types.dtype_bytes = 2;
    else
        return hwl_fail(error, HWL_E_USAGE, "transformers: unknown dtype '%s'", dtype);
    if (hwl_words_have("nf4 fp4 int4 bnb-4bit bitsandbytes load-in-4bit", quant))
        w->types.bits = 4;
    else if (hwl_words_have("int8 bnb-8bit load-in-8bit llm.int8", quant))
        w->types.bits = 8;
    else if (*quant)
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "transformers: quantisation '%s' is not modelled; nf4 and int8 (bitsandbytes) are", quant);
    return HWL_OK;
}

static hwl_status settle(struct work *w, const struct hwl_settings *s, hwl_error *error)
{
    HWL_TRY(settle_types(w, s, error));
    const char *attention = hwl_opt_text(s, HWL_OPT_ATTENTION_BACKEND, "sdpa");
    if (!hwl_words_have("sdpa eager flash_attention_2 flash_attention_3", attention))
        return hwl_fail(error, HWL_E_USAGE, "transformers: unknown attention '%s'; sdpa, eager, flash_attention_2 and _3",
                        attention);
    w->eager = strcmp(attention, "eager") == 0 || hwl_tf_only_eager(w->model);
    HWL_TRY(hwl_tf_choose(w->model, s, &w->choice, error));
    w->ctx = hwl_opt_u64(s, HWL_OPT_CTX, w->model->context_train ? hwl_min(w->model->context_train, 4096) : 2048);
    w->beams = hwl_max(hwl_opt_u64(s, HWL_OPT_BEAMS, 1), 1);
    w->sequences = hwl_ck_mul(&w->ck, hwl_opt_u64(s, HWL_OPT_CONCURRENCY, 1), w->beams); /* every beam is a sequence, from the prompt on */
    if (hwl_opt_u64(s, HWL_OPT_TP, 1) > 1)
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "transformers: tensor parallelism is not modelled; several GPUs share the layers");
    return HWL_OK;
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version,
                       const struct hwl_devices *devices, const struct hwl_settings *settings,
                       struct hwl_ledger *ledger, hwl_error *error)
{
    const bool before_5 = strcmp(version, versions[1]) == 0;
    struct hwl_model plain = *model; /* with the inventory that packed weights stand for */
    const bool unpacks = hwl_tf_unpacks(model, devices);
    if (unpacks) {
        plain.tensors = model->logical;
        plain.n_tensors = model->n_logical;
        plain.quant = (struct hwl_quant){.method = "", .format = ""};
        model = &plain;
        hwl_ledger_note(ledger, "the card has no kernels for the packed weights: they are unpacked to 16 bits");
    } else if (model->quant.method && strcmp(model->quant.method, "mxfp4") == 0) {
        hwl_ledger_note(ledger, "without Triton and the kernels package MXFP4 weights are unpacked to 16 bits, four times as much");
    }
    struct work w = {.model = model, .expanded_mla = before_5, .types = {.fused_experts = !before_5}};
    HWL_TRY(settle(&w, settings, error));
    HWL_TRY(hwl_tf_modules_of(model, &w.types, ledger->arena, &w.modules, &w.ck, error));
    uint64_t total = 0;
    for (uint32_t i = 0; i < w.modules.n; i++)
        total = hwl_ck_add(&w.ck, total, w.modules.bytes[i]);
    if (w.ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "transformers: a size is beyond 64 bits");
    w.device_of = HWL_NEW_ARRAY(ledger->arena, uint16_t, w.modules.n);
    if (!w.device_of)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_tf_lay_out(&w.modules, w.types.bits, devices, settings, w.device_of, ledger->arena, error));
    put_weights(&w, ledger, devices->n_gpus);
    for (uint32_t i = 0; i < w.modules.n; i++) /* what stays on the disk is computed where the host is */
        w.device_of[i] = (uint16_t)hwl_min(w.device_of[i], devices->n_gpus);
    HWL_TRY(put_layers(&w, ledger, devices->n_gpus, error));
    hwl_ledger_place(ledger, w.device_of[w.modules.n - 1], model->n_layers);
    put_activations(&w, ledger, (uint16_t)(devices->n_gpus + 1));
    if (prepared)
        HWL_TRY(hwl_tf_put_draft(prepared, model, settings,
                                 &(struct hwl_tf_draft){&w.types, w.ctx, w.sequences, w.choice.fixed, w.device_of[0], w.device_of[w.modules.n - 1]},
                                 ledger, &w.ck, error));
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
    hwl_ledger_setting_u64(ledger, "concurrency", w.sequences / w.beams);
    hwl_ledger_setting_text(ledger, "attention-backend", w.eager ? "eager" : "sdpa");
    hwl_ledger_setting_text(ledger, "cache", w.choice.name);
    hwl_ledger_setting_u64(ledger, "beams", w.beams);
    hwl_ledger_view_u64(ledger, "weights_bytes", total);
    ledger->context = w.ctx;
    ledger->concurrency = w.sequences / w.beams;
    return w.ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "transformers: a size is beyond 64 bits") : HWL_OK;
}

const struct hwl_engine hwl_engine_transformers = {
    .id = "transformers",
    .versions = versions,
    .version = version_of,
    .prepare = hwl_tf_prepare,
    .release = hwl_tf_release,
    .plan = plan,
};
