/* SPDX-License-Identifier: Apache-2.0 */
/* What no line of llama.cpp's log says and its buffers do: the split between devices, the context, the caches' types, and which
 * tensors lie elsewhere. Each is taken only where the figures come out to the printed digit, and each is noted. */
#include "base/bytes.h"
#include "log/internal.h"
#include "source/dtype.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_GPUS = 64 };

/* Share of each GPU and, behind them, of the host in all bytes of a kind, from the buffers; false where nothing has any. */
static bool shares(const struct hwl_log *log, const char *name, uint32_t n, double out[MOST_GPUS + 1])
{
    const hwl_log_figure *f;
    uint64_t at = 0;
    double sum = 0;
    memset(out, 0, (MOST_GPUS + 1) * sizeof *out);
    while ((f = hwl_log_buffer(log, name, &at))) {
        const uint32_t d = hwl_log_device_index(log, f->device, n);
        if (d <= n)
            out[d] += f->value;
        sum += f->value;
    }
    for (uint32_t d = 0; d <= n && sum > 0; d++)
        out[d] /= sum;
    return sum > 0;
}

static double weight(const struct hwl_layer *l, bool state)
{
    if (state)
        return l->state.d_conv || l->state.ssm_elems ? 1 : 0;
    return l->attn.n_heads ? (double)l->attn.n_kv_heads * (l->attn.head_dim_k + l->attn.head_dim_v) + (double)l->attn.kv_lora_rank : 0;
}

/* How many layers each GPU holds: they follow one another, and each GPU's caches are the share that was printed. The output
 * layer lies on the last GPU. Windowed layers have fewer cells: then the shares tell less, and nothing is said. */
static bool layers_by_caches(const struct hwl_log *log, const hwl_model *m, uint32_t n, uint32_t layers[MOST_GPUS])
{
    double kv[MOST_GPUS + 1], rs[MOST_GPUS + 1], all[2] = {0, 0}, have[2] = {0, 0};
    const bool any = shares(log, "kv_cache_bytes", n, kv) || shares(log, "context_bytes", n, kv);
    const bool states = shares(log, "recurrent_state_bytes", n, rs);
    uint32_t d = 0;
    if (!any && !states)
        return false;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        if (m->layers[i].attn.window)
            return false;
        all[0] += weight(&m->layers[i], false);
        all[1] += weight(&m->layers[i], true);
    }
    if (!(all[0] > 0) && !(all[1] > 0))
        return false;
    memset(layers, 0, MOST_GPUS * sizeof *layers);
    double upto[2] = {kv[0], states ? rs[0] : 0};
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const double w[2] = {weight(&m->layers[i], false), weight(&m->layers[i], true)};
        for (; d + 1 < n; d++) { /* over to the next GPU where this one's share is full */
            const bool full_kv = any && w[0] > 0 && have[0] + w[0] / 2 > upto[0] * all[0];
            const bool full_rs = states && w[1] > 0 && have[1] + w[1] / 2 > upto[1] * all[1];
            if (!full_kv && !full_rs)
                break;
            upto[0] += kv[d + 1];
            upto[1] += states ? rs[d + 1] : 0;
        }
        layers[d]++;
        have[0] += w[0];
        have[1] += w[1];
    }
    return true;
}

/* The split between GPUs that the buffers show, as --tensor-split. Half a layer off each bound keeps rounding out. */
void hwl_log_split_by_caches(struct hwl_log *log, const hwl_model *m, uint32_t n, hwl_settings *s)
{
    uint32_t layers[MOST_GPUS], last = 0;
    char text[512], given[512];
    size_t k = 0;
    uint64_t ngl = 0;
    const char *of = hwl_log_setting_of(log, "n-gpu-layers");
    if (n < 2 || n > MOST_GPUS || (of && (!hwl_text_u64(of, &ngl) || ngl <= m->n_layers)) || hwl_settings_get(s, "tensor-split", given, sizeof given) ||
        !layers_by_caches(log, m, n, layers))
        return;
    for (uint32_t d = 0; d < n; d++)
        last = layers[d] ? d : last;
    bool first = true;
    for (uint32_t d = 0; d < n; d++) {
        const double share = !layers[d] ? 0 : (double)layers[d] - (first ? 0.5 : 0) + (d == last ? first ? 1.5 : 1.5 : 0);
        first = first && !layers[d];
        const int more = snprintf(text + k, sizeof text - k, "%s%.2f", d ? "," : "", share);
        if (more < 0 || (size_t)more >= sizeof text - k)
            return;
        k += (size_t)more;
    }
    if (hwl_settings_set(s, "tensor-split", text, NULL) == HWL_OK)
        hwl_log_add_note(log, "layers lie on the GPUs as the caches of the log show (--tensor-split %s)", text);
}

/* A context that no line states, from the bytes of the cache: cells are equal in all layers. */
void hwl_log_context_by_cache(struct hwl_log *log, const hwl_model *m, hwl_settings *s)
{
    static const char *const names[] = {"kv_cache_bytes", "context_bytes"};
    const hwl_log_figure *f;
    char text[40];
    double bytes = 0, row = 0;
    uint64_t at = 0;
    if (hwl_log_setting_of(log, "ctx-size") || hwl_settings_get(s, "ctx-total", text, sizeof text) || hwl_settings_get(s, "ctx", text, sizeof text) ||
        hwl_settings_get(s, "kv-type", text, sizeof text))
        return;
    for (int i = 0; i < 2 && !(bytes > 0); i++, at = 0)
        while ((f = hwl_log_buffer(log, names[i], &at)))
            bytes += floor(f->value / 1048576.0 * 100) / 100 * 1048576.0;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        if (l->attn.window || l->attn.kv_lora_rank || l->state.ssm_elems || l->state.d_conv)
            return;
        row += 2.0 * l->attn.n_kv_heads * (l->attn.head_dim_k + l->attn.head_dim_v);
    }
    const double cells = row > 0 ? floor(bytes / row / 256 + 0.01) * 256 : 0;
    if (cells < 256 || cells > 1e8 || fabs(cells * row - bytes) > 1048576.0)
        return;
    (void)snprintf(text, sizeof text, "%.0f", cells);
    if (hwl_settings_set(s, "ctx-total", text, NULL) == HWL_OK)
        hwl_log_add_note(log, "no line states the context: %s cells, as the bytes of the cache say", text);
}

/* Layers whose caches lie in host memory: the first ones. No line says how many layers are offloaded. */
static void layers_on_host(struct hwl_log *log, const hwl_model *m, uint32_t n, hwl_settings *s)
{
    double kv[MOST_GPUS + 1], rs[MOST_GPUS + 1], all[2] = {0, 0}, have[2] = {0, 0}, w[2] = {0, 0};
    char text[40], version[32] = "";
    if (!n || n > MOST_GPUS || hwl_settings_get(s, "ngl", text, sizeof text) || hwl_settings_get(s, "no-kv-offload", text, sizeof text))
        return;
    const bool any = shares(log, "kv_cache_bytes", n, kv) || shares(log, "context_bytes", n, kv), states = shares(log, "recurrent_state_bytes", n, rs);
    const double share = any ? kv[n] : states ? rs[n] : 0;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        if (m->layers[i].attn.window)
            return;
        all[0] += weight(&m->layers[i], false);
        all[1] += weight(&m->layers[i], true);
    }
    const double want[2] = {any ? kv[n] * all[0] : 0, states ? rs[n] * all[1] : 0};
    if ((want[0] <= 0 && want[1] <= 0) || share > 0.999)
        return;
    uint32_t host = 0;
    for (; host < m->n_layers && (have[0] + w[0] / 2 < want[0] || have[1] + w[1] / 2 < want[1]); host++)
        for (int k = 0; k < 2; k++) {
            w[k] = weight(&m->layers[host], k > 0);
            have[k] += w[k];
        }
    if (fabs(have[0] - want[0]) > 0.01 * all[0] || (states && fabs(have[1] - want[1]) > 0.01 * all[1]))
        return;
    (void)hwl_settings_get(s, "engine-version", version, sizeof version);
    const bool output_last = hwl_words_have("b2295 b4500 b5000 b5781 4227c9be4 b7200", version);
    (void)snprintf(text, sizeof text, "%u", m->n_layers + m->n_mtp + !output_last - host);
    if (hwl_settings_set(s, "ngl", text, NULL) == HWL_OK)
        hwl_log_add_note(log, "caches of %u layers lie in host memory: planned with -ngl %s, though no line says it", host, text);
}

struct trial {
    const hwl_planner *planner;
    const hwl_devices *devices;
    const hwl_settings *settings;
};

/* The plan with up to two settings changed; NULL where there is none. */
static hwl_plan *try_with(const struct trial *t, const char *key, const char *value, const char *key2, const char *value2)
{
    hwl_settings *copy = NULL;
    hwl_plan *plan = NULL;
    if (hwl_settings_copy(t->settings, &copy) == HWL_OK && (!key || hwl_settings_set(copy, key, value, NULL) == HWL_OK) &&
        (!key2 || hwl_settings_set(copy, key2, value2, NULL) == HWL_OK))
        (void)hwl_planner_plan(t->planner, t->devices, copy, &plan, NULL);
    hwl_settings_free(copy);
    return plan;
}

static bool same_caches(const struct hwl_log *log, const struct trial *t, const char *key, const char *value, const char *key2, const char *value2)
{
    hwl_plan *plan = try_with(t, key, value, key2, value2);
    const bool same = plan && hwl_log_caches_equal(log, plan);
    hwl_plan_free(plan);
    return same;
}

static double cache_sum(const hwl_plan *plan, bool states)
{
    double sum = 0;
    for (uint64_t i = 0; plan && i < plan->ledger.n_entries; i++) {
        const hwl_entry *e = &plan->ledger.entries[i];
        if (e->component != HWL_COMP_DRAFT && (e->kind == HWL_KIND_KV_CACHE || (states && e->kind == HWL_KIND_RECURRENT_STATE)))
            sum += (double)e->bytes;
    }
    return sum;
}

static double bytes_of(const char *type)
{
    const struct hwl_dtype_info *d = hwl_dtype(hwl_dtype_of_name(type));
    return (double)d->bytes / d->block;
}

/* The types of K and V by which the caches have the logged bytes; of several pairs that do, those of one type for both. */
static void types_by_caches(struct hwl_log *log, const struct trial *t, hwl_settings *s)
{
    static const char *const types[] = {"q8_0", "q4_0", "q5_1", "q5_0", "q4_1", "f32", "f16"};
    const uint32_t n = sizeof types / sizeof *types;
    char text[40];
    uint64_t at = 0;
    const char *name = hwl_log_buffer(log, "kv_cache_bytes", &at) ? "kv_cache_bytes" : "context_bytes";
    const hwl_log_figure *f;
    double want = 0;
    for (at = 0; (f = hwl_log_buffer(log, name, &at));)
        want += f->value;
    hwl_plan *plan = try_with(t, NULL, NULL, NULL, NULL);
    const double full = cache_sum(plan, false), states = strcmp(name, "context_bytes") == 0 ? cache_sum(plan, true) - full : 0;
    hwl_plan_free(plan);
    for (uint32_t k = 0; k < n + n * n; k++) {
        const char *a = types[k < n ? k : (k - n) / n], *b = types[k < n ? k : (k - n) % n];
        const double share = bytes_of(a) > bytes_of(b) ? bytes_of(a) : bytes_of(b), other = bytes_of(a) + bytes_of(b) - share;
        if (want - states > full / 2 * share * 1.01 || want - states < full / 2 * other * 0.99) /* K and V of unequal widths lie between */
            continue;
        (void)snprintf(text, sizeof text, "%s,%s", a, b);
        if (!same_caches(log, t, "kv-type", text, NULL, NULL))
            continue;
        (void)hwl_settings_set(s, "kv-type", text, NULL);
        hwl_log_add_note(log, "no line says the types of the cache: its bytes are those of %s and %s", a, b);
        return;
    }
}

/* The context by which the caches have the logged bytes, in steps of 256 up to the trained one. */
static bool context_by_search(struct hwl_log *log, const hwl_model *m, const struct trial *t, const char *type, hwl_settings *s)
{
    enum { STEP = 256 };
    const hwl_log_figure *f;
    const char *name = "kv_cache_bytes";
    uint64_t at = 0, low = 1, high = hwl_min(m->context_train, 1u << 24) / STEP + 1;
    double want = 0;
    char text[40];
    if (!hwl_log_buffer(log, name, &at))
        name = "context_bytes";
    for (at = 0; (f = hwl_log_buffer(log, name, &at));)
        want += f->value - f->rounding;
    while (want > 0 && low < high) { /* the least with no less */
        const uint64_t mid = (low + high) / 2;
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)mid * STEP);
        hwl_plan *plan = try_with(t, "ctx-total", text, "kv-type", type);
        const double sum = plan ? cache_sum(plan, strcmp(name, "context_bytes") == 0) : -1;
        hwl_plan_free(plan);
        if (sum < 0)
            return false;
        if (sum >= want)
            high = mid;
        else
            low = mid + 1;
    }
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)low * STEP);
    if (!(want > 0) || low * STEP > m->context_train || !same_caches(log, t, "ctx-total", text, "kv-type", type))
        return false;
    (void)hwl_settings_set(s, "ctx-total", text, NULL);
    (void)hwl_settings_set(s, "kv-type", type, NULL);
    hwl_log_add_note(log, "no line states the context: %s cells of %s, as the bytes of the caches say", text, type);
    return true;
}

/* Recurrent states are kept per sequence: how many sequences the logged ones are. */
static void sequences_by_states(struct hwl_log *log, const struct trial *t, hwl_settings *s)
{
    static const char *const counts[] = {"1", "2", "3", "4", "6", "8", "16", "32"};
    const hwl_log_figure *f;
    uint64_t at = 0;
    double want = 0, rounding = 0;
    char text[24];
    while ((f = hwl_log_buffer(log, "recurrent_state_bytes", &at))) {
        want += f->value;
        rounding += f->rounding;
    }
    if (!(want > 0) || hwl_settings_get(s, "concurrency", text, sizeof text))
        return;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        hwl_plan *asked = i ? NULL : try_with(t, NULL, NULL, NULL, NULL), *plan = try_with(t, "concurrency", counts[i], NULL, NULL);
        const bool already = asked && fabs(cache_sum(asked, true) - cache_sum(asked, false) - want) <= rounding * 1.001;
        const bool same = plan && fabs(cache_sum(plan, true) - cache_sum(plan, false) - want) <= rounding * 1.001;
        hwl_plan_free(asked);
        hwl_plan_free(plan);
        if (already)
            return;
        if (same && hwl_settings_set(s, "concurrency", counts[i], NULL) == HWL_OK) {
            hwl_log_add_note(log, "no line says the sequences: recurrent states are those of --parallel %s", counts[i]);
            return;
        }
    }
}

/* A window's cells grow with the rows of a graph: how many those were, of what people set. */
static bool rows_by_caches(struct hwl_log *log, const struct trial *t, hwl_settings *s)
{
    static const char *const rows[] = {"256", "128", "64", "1024", "2048", "4096"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (same_caches(log, t, "ubatch", rows[i], NULL, NULL)) {
            hwl_log_add_note(log, "no line says the rows of a graph: the caches' windows are those of --ubatch-size %s", rows[i]);
            return hwl_settings_set(s, "ubatch", rows[i], NULL) == HWL_OK;
        }
    return false;
}

static void by_caches(struct hwl_log *log, const hwl_model *m, const struct trial *t, hwl_settings *s)
{
    char text[64];
    log->no_context = false;
    const bool context = hwl_settings_get(s, "ctx-total", text, sizeof text) || hwl_settings_get(s, "ctx", text, sizeof text);
    const bool types = hwl_settings_get(s, "kv-type", text, sizeof text);
    uint64_t at = 0, at2 = 0;
    const bool any = hwl_log_buffer(log, "kv_cache_bytes", &at) || hwl_log_buffer(log, "context_bytes", &at2);
    if (any && same_caches(log, t, NULL, NULL, NULL, NULL))
        return;
    if (context && any && !hwl_settings_get(s, "ubatch", text, sizeof text) && rows_by_caches(log, t, s))
        return;
    if (context && any && !types)
        types_by_caches(log, t, s);
    if (context)
        return;
    if (any && !types && (context_by_search(log, m, t, "f16", s) || context_by_search(log, m, t, "q8_0", s)))
        return;
    log->no_context = any || !log->n_args || log->bench;
}

static double host_weights(const struct hwl_log *log, uint32_t n_gpus)
{
    const hwl_log_figure *f;
    uint64_t at = 0;
    double sum = 0;
    while ((f = hwl_log_buffer(log, "weights_bytes", &at)))
        if (hwl_log_device_index(log, f->device, n_gpus) == n_gpus)
            sum += f->value;
    return sum;
}

/* Sets of tensors that people put on the host: of the first or the last layers the experts, or the whole feed-forward. */
static const struct kept {
    const char *tensors, *option, *words;
    bool last, experts;
} kept[] = {{"_exps", "n-cpu-moe", "the experts of the first %s layers (--n-cpu-moe %s)", false, true},
            {"ffn_.*_exps", "override-tensor", "the experts of the last %s layers (-ot)", true, true},
            {"ffn_.*", "override-tensor", "the feed-forwards of the last %s layers (-ot)", true, false},
            {"ffn_.*", "override-tensor", "the feed-forwards of the first %s layers (-ot)", false, false}};

/* The option's value for n of the model's layers. */
static bool value_of(const struct kept *k, uint32_t n, uint32_t n_layers, char *out, size_t size)
{
    size_t used = 0;
    if (strcmp(k->option, "n-cpu-moe") == 0)
        return snprintf(out, size, "%u", n) > 0;
    for (uint32_t i = 0; i < n; i++) {
        const int more = snprintf(out + used, size - used, "%s%u", i ? "|" : "blk\\.(", k->last ? n_layers - n + i : i);
        if (more < 0 || (size_t)more >= size - used)
            return false;
        used += (size_t)more;
    }
    const int more = snprintf(out + used, size - used, ")\\.%s=CPU", k->tensors);
    return more > 0 && (size_t)more < size - used;
}

static double planned_on_host(const struct trial *t, const struct kept *k, uint32_t n, uint32_t n_layers)
{
    char text[1024];
    double sum = -1;
    hwl_plan *plan = !n ? try_with(t, NULL, NULL, NULL, NULL) : value_of(k, n, n_layers, text, sizeof text) ? try_with(t, k->option, text, NULL, NULL) : NULL;
    for (uint64_t i = 0; plan && i < plan->ledger.n_entries; i++) {
        sum = sum < 0 ? 0 : sum;
        if (plan->ledger.entries[i].device == plan->n_devices - 1 && plan->ledger.entries[i].kind == HWL_KIND_WEIGHTS)
            sum += (double)plan->ledger.entries[i].bytes;
    }
    hwl_plan_free(plan);
    return sum;
}

/* Weights that the log shows on the host without an option that says so: how many layers of the set come to just that. */
static bool tensors_by_weights(struct hwl_log *log, const hwl_model *m, const struct trial *t, const struct kept *k, hwl_settings *s)
{
    enum { NEAR = 2 << 20 }; /* printed digits and the padding of buffers */
    const double want = host_weights(log, hwl_devices_gpus(t->devices));
    char text[1024], words[160], number[16];
    uint32_t low = 0, high = m->n_layers;
    while (low < high) { /* the least whose host share is no less */
        const uint32_t mid = (low + high) / 2;
        const double sum = planned_on_host(t, k, mid, m->n_layers);
        if (sum < 0)
            return false;
        if (sum >= want - NEAR / 2)
            high = mid;
        else
            low = mid + 1;
    }
    if (!low || fabs(planned_on_host(t, k, low, m->n_layers) - want) > NEAR || !value_of(k, low, m->n_layers, text, sizeof text))
        return false;
    (void)snprintf(number, sizeof number, "%u", low);
    (void)snprintf(words, sizeof words, k->words, number, number);
    hwl_log_add_note(log, "host memory holds just %s: planned so, though no line says it", words);
    return hwl_settings_set(s, k->option, text, NULL) == HWL_OK;
}

/* Does the plan as it stands leave more on the GPUs than the log does? */
static bool too_little(const struct hwl_log *log, const hwl_model *m, const struct trial *t)
{
    const double want = host_weights(log, hwl_devices_gpus(t->devices)), have = planned_on_host(t, kept, 0, m->n_layers);
    return want > 0 && have >= 0 && have < want - (1 << 20);
}

static void tensors_on_host(struct hwl_log *log, const hwl_model *m, const struct trial *t, hwl_settings *s)
{
    static const char *const given[] = {"n-cpu-moe", "cpu-moe", "override-tensor"};
    char text[64];
    bool moe = false;
    for (uint32_t i = 0; i < m->n_layers && !moe; i++)
        moe = m->layers[i].feed_forward == HWL_FFN_MOE;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (hwl_settings_get(s, given[i], text, sizeof text))
            return;
    if (!hwl_devices_gpus(t->devices) || m->n_layers > 256 || !too_little(log, m, t))
        return;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if ((moe || !kept[i].experts) && tensors_by_weights(log, m, t, &kept[i], s))
            return;
}

/* Two GPUs of a model whose layers have unequal caches: how many layers the first holds. */
static void split_in_two(struct hwl_log *log, const hwl_model *m, const struct trial *t, hwl_settings *s)
{
    char text[64];
    uint64_t at = 0;
    if (hwl_devices_gpus(t->devices) != 2 || hwl_settings_get(s, "tensor-split", text, sizeof text) || !hwl_log_buffer(log, "kv_cache_bytes", &at) ||
        same_caches(log, t, NULL, NULL, NULL, NULL))
        return;
    for (uint32_t n = 0; n <= m->n_layers; n++) {
        (void)snprintf(text, sizeof text, "%.2f,%.2f", n ? n - 0.5 : 0, m->n_layers + m->n_mtp - n + 1.5);
        if (!same_caches(log, t, "tensor-split", text, NULL, NULL))
            continue;
        if (hwl_settings_set(s, "tensor-split", text, NULL) == HWL_OK)
            hwl_log_add_note(log, "layers lie on the GPUs as the caches of the log show (--tensor-split %s)", text);
        return;
    }
}

/* Embeddings beside logits, as Ollama asks for: the output buffer tells. */
static void embeddings_by_output(struct hwl_log *log, const struct trial *t, hwl_settings *s)
{
    static const char *const values[] = {"false", "true"};
    const hwl_log_figure *f;
    uint64_t at = 0;
    double want = 0, rounding = 0;
    char text[8];
    while ((f = hwl_log_buffer(log, "output_bytes", &at))) {
        want += f->value;
        rounding += f->rounding;
    }
    if (!(want > 0) || hwl_settings_get(s, "embedding", text, sizeof text))
        return;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        hwl_plan *plan = try_with(t, "embedding", values[i], NULL, NULL);
        double sum = 0;
        for (uint64_t k = 0; plan && k < plan->ledger.n_entries; k++)
            sum += plan->ledger.entries[k].kind == HWL_KIND_OUTPUT && plan->ledger.entries[k].component != HWL_COMP_DRAFT ? (double)plan->ledger.entries[k].bytes : 0;
        hwl_plan_free(plan);
        if (fabs(sum - want) > rounding * 1.001)
            continue;
        if (i)
            (void)hwl_settings_set(s, "embedding", values[i], NULL);
        return;
    }
}

void hwl_log_infer_llamacpp(struct hwl_log *log, const hwl_model *m, const hwl_planner *planner, const hwl_devices *devices, hwl_settings *s)
{
    const struct trial t = {planner, devices, s};
    layers_on_host(log, m, hwl_devices_gpus(devices), s);
    split_in_two(log, m, &t, s);
    sequences_by_states(log, &t, s);
    by_caches(log, m, &t, s);
    tensors_on_host(log, m, &t, s);
    embeddings_by_output(log, &t, s);
}
