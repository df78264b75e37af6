/* SPDX-License-Identifier: Apache-2.0 */
/* From what llama.cpp's log shows to settings: its own command line, then what it resolved, then what only buffers tell. */
#include "base/bytes.h"
#include "log/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Options of other programs of llama.cpp than the server, and those that older builds had: they move no memory. */
static const char elsewhere[] = "no-cnv color multiline-input ins mirostat mirostat-lr i no-display-prompt cnv conversation prio e keep n mli simple-io "
                                "rtr fmoe mla amb ser ppl-stride all-logits output-format o r v w t";

/* One option at argv[i]: how many words it took; 0 where nobody knows it. */
static int feed(struct hwl_log *log, hwl_settings *s, int i, int n)
{
    hwl_error e = {.offset = HWL_NO_OFFSET};
    const char *const *argv = log->args + i;
    if (hwl_settings_engine_args(s, "llama.cpp", 1, argv, NULL) == HWL_OK)
        return 1;
    if (i + 1 < n && hwl_settings_engine_args(s, "llama.cpp", 2, argv, &e) == HWL_OK)
        return 2;
    const char *name = argv[0] + strspn(argv[0], "-");
    if (argv[0][0] == '-' && !hwl_words_have(elsewhere, name) && *e.message)
        hwl_log_add_note(log, "%.60s of its command line is left out: %s", argv[0], e.message);
    return 0;
}

static void command_line(struct hwl_log *log, hwl_settings *s)
{
    const int n = (int)log->n_args;
    for (int i = 0; i < n;) {
        const int used = feed(log, s, i, n);
        i += used ? used : 1;
        while (!used && i < n && log->args[i][0] != '-')
            i++;
    }
}

/* What the engine printed of its context wins over what was asked: it is what was allocated. */
static void resolved(const struct hwl_log *log, hwl_settings *s)
{
    static const char *const order[][2] = {{"parallel", "concurrency"},   {"kv-unified", "kv-unified"}, {"ctx-size", "ctx-total"}, {"batch-size", "batch"},
                                           {"ubatch-size", "ubatch"},     {"flash-attn", "flash-attn"}, {"flash-attn-resolved", "flash-attn"},
                                           {"n-gpu-layers", "ngl"}};
    char text[80];
    char version[32] = "";
    (void)hwl_settings_get(s, "engine-version", version, sizeof version);
    if (!hwl_log_setting_of(log, "kv-unified") && hwl_words_have("b5000 4227c9be4", version)) /* older builds know one pool only */
        (void)hwl_settings_set(s, "kv-unified", "true", NULL);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const char *value = hwl_log_setting_of(log, order[i][0]);
        if (value)
            (void)hwl_settings_set(s, order[i][1], strcmp(value, "True") == 0 ? "true" : strcmp(value, "False") == 0 ? "false" : value, NULL);
    }
    const char *k = hwl_log_setting_of(log, "cache-type-k"), *v = hwl_log_setting_of(log, "cache-type-v");
    (void)snprintf(text, sizeof text, "%.30s,%.30s", k ? k : "", v ? v : "");
    if (k && v)
        (void)hwl_settings_set(s, "kv-type", text, NULL);
}

/* Share of each GPU in all bytes of a kind, from the buffers; false where nothing or only one GPU has any. */
static bool shares(const struct hwl_log *log, const char *name, uint32_t n, double out[64])
{
    const hwl_log_figure *f;
    uint64_t at = 0;
    double sum = 0;
    memset(out, 0, 64 * sizeof *out);
    while ((f = hwl_log_buffer(log, name, &at))) {
        const uint32_t d = hwl_log_device_index(log, f->device, n);
        if (d < n)
            out[d] += f->value;
        sum += f->value;
    }
    for (uint32_t d = 0; d < n && sum > 0; d++)
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
static bool layers_by_caches(const struct hwl_log *log, const hwl_model *m, uint32_t n, uint32_t layers[64])
{
    double kv[64], rs[64], all[2] = {0, 0}, have[2] = {0, 0};
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
    memset(layers, 0, 64 * sizeof *layers);
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
static void split_by_caches(struct hwl_log *log, const hwl_model *m, uint32_t n, hwl_settings *s)
{
    uint32_t layers[64], last = 0;
    char text[512], given[512];
    size_t k = 0;
    uint64_t ngl = 0;
    const char *of = hwl_log_setting_of(log, "n-gpu-layers");
    if (n < 2 || n > 64 || (of && (!hwl_text_u64(of, &ngl) || ngl <= m->n_layers)) || hwl_settings_get(s, "tensor-split", given, sizeof given) ||
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
static void context_by_cache(struct hwl_log *log, const hwl_model *m, hwl_settings *s)
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

/* Bytes of one line's kind on the host. */
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

static double planned_weights(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *s, uint64_t layers)
{
    hwl_settings *copy = NULL;
    hwl_plan *plan = NULL;
    char text[24];
    double sum = -1;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)layers);
    if (hwl_settings_copy(s, &copy) == HWL_OK && hwl_settings_set(copy, "n-cpu-moe", text, NULL) == HWL_OK &&
        hwl_planner_plan(planner, devices, copy, &plan, NULL) == HWL_OK) {
        sum = 0;
        for (uint64_t i = 0; i < plan->ledger.n_entries; i++)
            if (plan->ledger.entries[i].device == plan->n_devices - 1 && plan->ledger.entries[i].kind == HWL_KIND_WEIGHTS)
                sum += (double)plan->ledger.entries[i].bytes;
    }
    hwl_plan_free(plan);
    hwl_settings_free(copy);
    return sum;
}

/* Experts that the log shows on the host without an option that says so: the number of layers whose experts are just that. */
bool hwl_log_experts_by_weights(struct hwl_log *log, const hwl_model *m, const hwl_planner *planner, const hwl_devices *devices, hwl_settings *s)
{
    const double want = host_weights(log, hwl_devices_gpus(devices));
    char text[512];
    uint64_t low = 0, high = m->n_layers;
    bool moe = false;
    for (uint32_t i = 0; i < m->n_layers && !moe; i++)
        moe = m->layers[i].feed_forward == HWL_FFN_MOE;
    if (!moe || !hwl_devices_gpus(devices) || !(want > 0) || hwl_settings_get(s, "n-cpu-moe", text, sizeof text) || hwl_settings_get(s, "cpu-moe", text, sizeof text) ||
        hwl_settings_get(s, "override-tensor", text, sizeof text))
        return false;
    while (low < high) { /* the least whose host share is no less */
        const uint64_t mid = (low + high) / 2;
        const double sum = planned_weights(planner, devices, s, mid);
        if (sum < 0)
            return false;
        if (sum >= want - 1048576.0)
            high = mid;
        else
            low = mid + 1;
    }
    if (!low || fabs(planned_weights(planner, devices, s, low) - want) > 2 * 1048576.0)
        return false;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)low);
    hwl_log_add_note(log, "host memory holds just the experts of %s layers (--n-cpu-moe %s): planned so, though no line says it", text, text);
    return hwl_settings_set(s, "n-cpu-moe", text, NULL) == HWL_OK;
}

void hwl_log_apply_llamacpp(struct hwl_log *log, const hwl_model *model, const hwl_devices *devices, hwl_settings *s)
{
    (void)hwl_settings_set(s, "program", log->server ? "llama-server" : "library", NULL);
    command_line(log, s);
    (void)hwl_settings_set(s, "fit", "off", NULL); /* what it chose is what the log shows */
    resolved(log, s);
    context_by_cache(log, model, s);
    split_by_caches(log, model, hwl_devices_gpus(devices), s);
}
