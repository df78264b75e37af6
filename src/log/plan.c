/* SPDX-License-Identifier: Apache-2.0 */
/* Plans what a log says was started, and lays the plan beside the logged figures. */
#include "base/bytes.h"
#include "base/json.h"
#include "base/status.h"
#include "log/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *hwl_log_setting_of(const struct hwl_log *log, const char *name)
{
    for (uint64_t i = 0; i < log->n_settings; i++)
        if (strcmp(log->settings[i].name, name) == 0)
            return log->settings[i].value;
    return NULL;
}

/* The logged figure: of several ranks the least or the most. */
const hwl_log_figure *hwl_log_figure_of(const struct hwl_log *log, const char *name, bool most)
{
    const hwl_log_figure *f = NULL;
    for (uint64_t i = 0; i < log->n_figures; i++) {
        const hwl_log_figure *x = &log->figures[i];
        if (strcmp(x->name, name) == 0 && (!f || (most ? x->value > f->value : x->value < f->value)))
            f = x;
    }
    return f;
}

static void apply(struct hwl_log *log, const char *engine, hwl_settings *s)
{
    for (uint64_t i = 0; i < log->n_settings; i++) {
        const struct hwl_log_setting *x = &log->settings[i];
        char name[72], value[1024];
        const char *argv[2] = {name, value};
        int argc = 2;
        if (strcmp(x->name, "general.name") == 0)
            continue;
        if (strcmp(x->value, "False") == 0 && x->resolved && strcmp(x->name, "enable-prefix-caching") != 0)
            continue; /* the default */
        const bool off = strcmp(x->value, "False") == 0;
        (void)snprintf(name, sizeof name, "--%s%s", off ? "no-" : "", x->name);
        if (off || strcmp(x->value, "True") == 0)
            argc = 1;
        else if (*x->value == '{')
            *value = hwl_json_of_python(x->value, value, sizeof value) ? *value : 0;
        else if (*x->value == '[') { /* a list: the command line has its elements */
            (void)snprintf(value, sizeof value, "%s", x->value + 1);
            value[strcspn(value, "]")] = 0;
        } else
            (void)snprintf(value, sizeof value, "%s", x->value);
        hwl_error e = {.offset = HWL_NO_OFFSET};
        if (hwl_settings_engine_args(s, engine, argc, argv, &e) != HWL_OK && !x->resolved)
            hwl_log_add_note(log, "%s is left out: %s", name, e.message);
    }
}

/* "Q4_K - Medium" -> Q4_K_M; "mostly F16" -> F16. */
static void quant_of_file_type(const char *text, char *out, size_t size)
{
    const char *p = strncmp(text, "mostly ", 7) == 0 ? text + 7 : strncmp(text, "all ", 4) == 0 ? text + 4 : text;
    p += strncmp(p, "UD-", 3) == 0 ? 3 : 0;
    size_t n = strcspn(p, " ");
    const char *dash = strstr(p, " - ");
    if (dash && !strchr("SML", dash[3])) /* "IQ4_NL - 4.5 bpw" */
        dash = NULL;
    (void)snprintf(out, size, "%.*s%s%.1s", (int)(n < 16 ? n : 16), p, dash ? "_" : "", dash ? dash + 3 : "");
    n = strlen(out);
    if (n > 3 && (strcmp(out + n - 3, "_XL") == 0 || strcmp(out + n - 2, "_L") == 0) && out[0] == 'Q' && out[1] > '3') /* unsloth's: the base is M */
        (void)snprintf(out + (out[n - 2] == 'X' ? n - 3 : n - 2), size - n, "%s", out[1] == '6' ? "" : out[1] == '8' ? "_0" : "_M");
}

void hwl_log_add_term(struct hwl_log *log, const char *name, const char *device, double planned, const hwl_log_figure *f, double allowed,
                      const char *more, const char *less)
{
    if (!f || log->n_terms >= 1024)
        return;
    hwl_log_term *list = hwl_arena_grow(&log->arena, log->terms, &log->cap_terms, log->n_terms + 1, sizeof *list);
    if (!list)
        return;
    const double off = f->value - planned;
    hwl_log_term t = {.name = name, .device = device, .planned = planned, .logged = f->value, .rounding = f->rounding, .allowed = allowed};
    t.within = fabs(off) <= f->rounding * 1.001 + allowed * fabs(planned);
    t.meaning = t.within ? allowed > 0 ? "as planned, within what the plan allows for" : "equal" : off > 0 ? more : less;
    log->terms = list;
    list[log->n_terms++] = t;
}

static const struct hwl_view_item *view(const hwl_plan *plan, const char *name)
{
    for (uint64_t i = 0; i < plan->ledger.n_views; i++)
        if (strcmp(plan->ledger.views[i].name, name) == 0)
            return &plan->ledger.views[i];
    return NULL;
}

bool hwl_log_view(const hwl_plan *plan, const char *name, double *value)
{
    const struct hwl_view_item *v = view(plan, name);
    if (!v || (v->type != HWL_VIEW_U64 && v->type != HWL_VIEW_REAL))
        return false;
    *value = v->type == HWL_VIEW_U64 ? (double)v->u64 : v->real;
    return true;
}

/* What each figure of a server means where it differs; allowed as the entries of a plan say. */
static const struct row {
    const char *name;
    double allowed;
    bool most; /* of several ranks the plan's is the largest */
    bool any_card;
    const char *more, *less;
} rows[] = {
    {"weights_bytes", 0.01, true, true,
     "more is loaded than the shapes give: weights kept in another type, a draft, an adapter or a tower that the flags do not show",
     "less is loaded than planned: the checkpoint is packed more tightly, or split over more ranks"},
    {"peak_activation_bytes", 0.1, true, false,
     "the profile run needed more: a larger batch (max_num_batched_tokens, max_num_seqs), an encoder or a kernel's workspace",
     "the profile run needed less: a smaller batch than the defaults of this version, or no sampler on this rank"},
    {"non_torch_bytes", 0.2, true, false,
     "more lies outside torch: NCCL, compilation that ran in the same start, or another process that grew in between",
     "less lies outside torch than on the cards that the plan was fitted to"},
    {"graph_bytes", 0.2, true, false, "CUDA graphs took more: more sizes, or kernels with buffers of their own",
     "CUDA graphs took less: fewer sizes, or memory that was reused"},
    {"prefill_graph_bytes", 0.35, true, false, "captured prefill took more: more sizes, or kernels with buffers of their own",
     "captured prefill took less: fewer sizes, or memory that was reused"},
    {"available_kv_bytes", 0.03, false, false, "more was left for the cache: the sum of the terms above",
     "less was left for the cache: the sum of the terms above"},
    {"estimated_max_model_len", 0.05, false, false, "a longer request would fit, for the same reason as the bytes",
     "only a shorter request would fit, for the same reason as the bytes"},
    {"num_gpu_blocks", 0.03, false, false, "more blocks, for the same reason as the bytes", "fewer blocks, for the same reason as the bytes"},
    {"kv_cache_tokens", 0.03, false, false, "more tokens, for the same reason as the bytes", "fewer tokens, for the same reason as the bytes"},
    {"window_tokens", 0.03, false, false, "a longer window pool, for the same reason as the tokens",
     "a shorter window pool, for the same reason as the tokens"},
    {"max_running_requests", 0.03, false, false, "more requests at once: another limit, or more tokens to share",
     "fewer requests at once: another limit, or fewer tokens or states to share"},
    {"mamba_slots", 0.03, false, false, "more recurrent states, for the same reason as the tokens",
     "fewer recurrent states, for the same reason as the tokens"},
    {"max_concurrency", 0.03, false, false, "follows from the tokens", "follows from the tokens"},
    {"block_size", 0, false, true, "the hybrid block is larger: another cache type, or states of another type or with drafted tokens",
     "the hybrid block is smaller: another cache type, or states of another type"},
};

/* Where stages differ the largest logged figure stands beside the largest planned one. */
static bool planned_figure(const hwl_plan *plan, const struct row *r, double *value)
{
    char name[64];
    (void)snprintf(name, sizeof name, "largest_%s", r->name);
    return (r->most && hwl_log_view(plan, name, value)) || hwl_log_view(plan, r->name, value);
}

static void server_terms(struct hwl_log *log, const hwl_plan *plan, bool card)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double planned;
        if (!card && !rows[i].any_card)
            continue;
        /* of SGLang's pools the one of full layers is the larger */
        const hwl_log_figure *f = hwl_log_figure_of(log, rows[i].name, rows[i].most || log->engine == HWL_LOG_SGLANG);
        if (f && f->value < 0 && strcmp(rows[i].name, "graph_bytes") == 0)
            continue; /* the card's free memory, which others gave back meanwhile */
        if (planned_figure(plan, &rows[i], &planned))
            hwl_log_add_term(log, rows[i].name, "", planned, f, rows[i].allowed, rows[i].more, rows[i].less);
    }
    double weights, other, peak, graphs, request;
    if (log->engine == HWL_LOG_VLLM && hwl_log_view(plan, "request_kv_bytes", &request)) /* whatever the card */
        hwl_log_add_term(log, "kv_needed_bytes", "", request, hwl_log_figure_of(log, "kv_needed_bytes", true), 0,
                         "a request needs more: another cache type, or layers that the flags do not show",
                         "a request needs less: another cache type, more ranks, or layers with windows that were planned as full ones");
    if (!card)
        return;
    if (hwl_log_view(plan, "peak_activation_bytes", &peak) && hwl_log_view(plan, "graph_bytes", &graphs))
        hwl_log_add_term(log, "activation_and_graph_bytes", "", peak + graphs, hwl_log_figure_of(log, "activation_and_graph_bytes", true), 0.15, rows[1].more,
                 rows[1].less);
    if (hwl_log_view(plan, "weights_bytes", &weights) && hwl_log_view(plan, "non_torch_bytes", &other))
        hwl_log_add_term(log, "consumed_bytes", "", weights + other, hwl_log_figure_of(log, "consumed_bytes", true), 0.05, rows[0].more, rows[0].less);
}

/* What a pool of SGLang takes for as many tokens as the log tells; the first is the target's, a window has one of its own. */
static void pool_terms(struct hwl_log *log, const hwl_plan *plan)
{
    const hwl_log_figure *k = hwl_log_figure_of(log, "k_bytes", false), *v = hwl_log_figure_of(log, "v_bytes", false);
    const hwl_log_figure *kv = hwl_log_figure_of(log, "kv_bytes", false), *logged = hwl_log_figure_of(log, "kv_cache_tokens", false);
    double bytes, tokens, window;
    if (log->engine != HWL_LOG_SGLANG || !logged || !((k && v) || kv) || hwl_log_view(plan, "window_tokens", &window) ||
        !hwl_log_view(plan, "kv_bytes", &bytes) || !hwl_log_view(plan, "kv_cache_tokens", &tokens) || tokens < 1)
        return;
    hwl_log_figure f = k && v ? (hwl_log_figure){.value = k->value + v->value, .rounding = k->rounding + v->rounding} : *kv;
    hwl_log_add_term(log, "kv_of_logged_tokens_bytes", "", bytes / tokens * logged->value, &f, 0.002,
                     "a token takes more than planned: another cache type, or layers and heads that the flags do not show",
                     "a token takes less than planned: another cache type, or a pool that is split over more ranks");
}

/* With the logged bytes given, what is left is the cache's arithmetic: the figure must lie between both ends of the rounding. */
static void given_term(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *s, const char *figure,
                       const char *term, const char *more, const char *less)
{
    const hwl_log_figure *bytes = hwl_log_figure_of(log, "available_kv_bytes", false), *logged = hwl_log_figure_of(log, figure, false);
    double end[2];
    if (!bytes || !logged || bytes->value <= 0 || log->engine != HWL_LOG_VLLM)
        return;
    for (int i = 0; i < 2; i++) {
        hwl_settings *copy = NULL;
        hwl_plan *plan = NULL;
        char text[32];
        (void)snprintf(text, sizeof text, "%.0f", bytes->value + (i ? 1 : -1) * bytes->rounding * 1.02);
        bool ok = hwl_settings_copy(s, &copy) == HWL_OK && hwl_settings_set(copy, "kv-cache-memory", text, NULL) == HWL_OK &&
                  hwl_planner_plan(planner, devices, copy, &plan, NULL) == HWL_OK && hwl_log_view(plan, figure, &end[i]);
        hwl_plan_free(plan);
        hwl_settings_free(copy);
        if (!ok)
            return;
    }
    const hwl_log_figure f = {.value = logged->value, .rounding = (end[1] - end[0]) / 2};
    hwl_log_add_term(log, term, "", (end[0] + end[1]) / 2, &f, 0, more, less);
}

static void given_terms(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *s)
{
    given_term(log, planner, devices, s, "kv_cache_tokens", "kv_cache_tokens_exact",
               "the cache is laid out for more tokens than planned: an option or version that the log does not show, or another rank's bytes",
               "the cache is laid out for fewer tokens than planned: an option or version that the log does not show, or another rank's bytes");
    given_term(log, planner, devices, s, "estimated_max_model_len", "estimated_max_model_len_exact",
               "a longer request fits in these bytes than planned: another cache type, or an option that the log does not show",
               "only a shorter request fits in these bytes than planned: another cache type, or an option that the log does not show");
}

/* Settings that stand in lines of figures, not of options. */
static void from_figures(struct hwl_log *log, const hwl_model *model, hwl_settings *s)
{
    static const char *const names[][2] = {{"gpu_memory_utilization", "gpu-memory-utilization"},
                                           {"max_model_len", "ctx"},
                                           {"max_batched_tokens", "max-batched-tokens"},
                                           {"context_len", "ctx"},
                                           {"max_prefill_tokens", "max-prefill-tokens"}};
    char text[40];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const hwl_log_figure *f = hwl_log_figure_of(log, names[i][0], true);
        if (f && !hwl_settings_get(s, names[i][1], text, sizeof text)) {
            (void)snprintf(text, sizeof text, "%.10g", f->value);
            (void)hwl_settings_set(s, names[i][1], text, NULL);
        }
    }
    if (log->flashinfer_sampler && log->engine == HWL_LOG_VLLM)
        (void)hwl_settings_set(s, "flashinfer-sampler", "on", NULL);
    const hwl_log_figure *len = hwl_log_figure_of(log, "concurrency_len", true);
    if (len && log->engine == HWL_LOG_VLLM && !hwl_settings_get(s, "ctx", text, sizeof text)) {
        (void)snprintf(text, sizeof text, "%.0f", len->value);
        (void)hwl_settings_set(s, "ctx", text, NULL);
    }
    const hwl_log_figure *tokens = hwl_log_figure_of(log, "kv_cache_tokens", true);
    if (!len && tokens && !*log->failure && log->engine == HWL_LOG_VLLM && !hwl_settings_get(s, "ctx", text, sizeof text) &&
        tokens->value >= 1 && tokens->value < (double)model->context_train) {
        (void)snprintf(text, sizeof text, "%.0f", tokens->value);
        (void)hwl_settings_set(s, "ctx", text, NULL);
        hwl_log_add_note(log, "the log does not say max_model_len: as it started, it is at most the %s tokens of the cache", text);
    }
}

static const char *known_version(struct hwl_log *log, const struct hwl_engine *engine)
{
    const char *oldest = engine->versions[0], *v = NULL;
    for (const char *const *k = engine->versions; *k; k++)
        oldest = *k;
    if (!*log->version && *log->era)
        return log->era;
    char text[16];
    /* built without the history of its source: "0.1.dev1+gda1daf40b" */
    const bool unnumbered = log->engine == HWL_LOG_VLLM && strncmp(log->version, "0.", 2) == 0 && log->version[2] && log->version[2] < '2' &&
                            log->version[3] == '.' && strstr(log->version, "dev");
    if ((!*log->version || unnumbered) && log->engine == HWL_LOG_VLLM && engine->version && hwl_log_release_of_places(log, text, sizeof text) &&
        (v = engine->version(text)) != NULL) {
        hwl_log_add_note(log, "the log does not say which release it is: its lines stand where those of %s do, planned by the rules of %s", text, v);
        return v;
    }
    if ((!*log->version || unnumbered) && log->engine == HWL_LOG_VLLM && log->minor_last < 99 && log->minor_first <= log->minor_last && engine->version) {
        (void)snprintf(text, sizeof text, "0.%u.0", log->minor_last);
        v = engine->version(text);
        if (v)
            hwl_log_add_note(log, "the log does not say which release it is: its words are of 0.%u to 0.%u, planned by the rules of %s",
                             log->minor_first, log->minor_last, v);
        return v;
    }
    const char *current = log->engine == HWL_LOG_SGLANG ? hwl_log_sglang_release(log) : NULL;
    if (!*log->version && current)
        hwl_log_add_note(log, "the log prints no release: planned by the rules of %s, current on its date", current);
    if (!*log->version)
        return current;
    if (engine->version)
        v = engine->version(log->version);
    for (const char *const *k = engine->versions; !v && *k; k++)
        v = strcmp(*k, log->version) == 0 ? *k : NULL;
    if (v)
        return v;
    uint64_t build;
    if (log->engine == HWL_LOG_LLAMACPP && !hwl_text_u64(log->version, &build)) { /* a commit: not ordered */
        v = *log->era ? log->era : NULL;
        hwl_log_add_note(log, "%s %s is not known: planned by the rules of %s", engine->id, log->version, v ? v : engine->versions[0]);
        return v;
    }
    hwl_log_add_note(log, "%s %s is not modelled: planned by the rules of %s, the oldest that are known", engine->id, log->version, oldest);
    return oldest;
}

/* A card for plans whose figures do not depend on it. */
static hwl_status any_card(const struct hwl_log *log, hwl_devices **out, hwl_error *error)
{
    char spec[64];
    HWL_TRY(hwl_devices_new(out));
    (void)snprintf(spec, sizeof spec, "%llux%llu", 1ull << 40, (unsigned long long)hwl_log_ranks(log));
    const hwl_status status = hwl_devices_add_gpu_memory(*out, spec, error);
    if (status != HWL_OK) {
        hwl_devices_free(*out);
        *out = NULL;
    }
    return status;
}

hwl_status hwl_log_plan(hwl_log *log, const hwl_model *model, const hwl_devices *devices, hwl_error *error)
{
    const char *id = hwl_log_engine(log);
    hwl_devices *any = NULL;
    log->n_terms = 0;
    log->n_notes = log->n_open_notes;
    hwl_settings *s;
    const struct hwl_engine *engine = hwl_engine_find(id, NULL);
    if (!engine) {
        hwl_log_add_note(log, "%s is not planned in this version", id);
        return HWL_OK;
    }
    if (!model) {
        if (log->engine == HWL_LOG_LLAMACPP)
            hwl_log_metadata_terms(log);
        hwl_log_check(log);
        return HWL_OK;
    }
    if (!devices && log->engine != HWL_LOG_VLLM && log->engine != HWL_LOG_TENSORRT)
        return hwl_fail(error, HWL_E_NOT_FOUND, "the log names no device");
    if (!devices) {
        HWL_TRY(any_card(log, &any, error));
        hwl_log_add_note(log, "the log names no card: what does not depend on it is planned");
    }
    if (hwl_settings_new(&s) != HWL_OK) {
        hwl_devices_free(any);
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    }
    if (log->n_starts)
        hwl_log_add_note(log, "the file shows %u other start%s: read is the one from line %llu on", log->n_starts, log->n_starts > 1 ? "s" : "",
                         (unsigned long long)log->start_line);
    const bool card = !any;
    devices = any ? any : devices;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    hwl_error e = {.offset = HWL_NO_OFFSET};
    const char *version = known_version(log, engine);
    hwl_status status = hwl_settings_set(s, "engine", id, error);
    if (status == HWL_OK && version)
        status = hwl_settings_set(s, "engine-version", version, error);
    if (log->engine == HWL_LOG_LLAMACPP)
        hwl_log_apply_llamacpp(log, model, devices, s);
    else if (log->engine == HWL_LOG_TENSORRT)
        hwl_log_apply_tensorrt(log, s);
    else
        apply(log, id, s);
    from_figures(log, model, s);
    if (*log->quant && (log->engine != HWL_LOG_LLAMACPP || !*log->file_type)) {
        char quant[24];
        (void)snprintf(quant, sizeof quant, "%s", log->quant);
        if (log->engine == HWL_LOG_LLAMACPP)
            quant_of_file_type(log->quant, quant, sizeof quant);
        (void)hwl_settings_set(s, "quant", quant, NULL);
        hwl_log_add_note(log, "the logged variant is not known itself: planned as %s with its weights as %s", model->name, quant);
    }
    if (log->engine == HWL_LOG_LLAMACPP && !*log->file_type && !*log->quant && strcmp(model->form, "gguf") != 0) {
        hwl_log_add_note(log, "the log does not say the file type: weights are planned as they are published and not laid beside it");
        log->no_type = true;
    }
    if (log->engine == HWL_LOG_LLAMACPP && *log->file_type && strcmp(model->form, "gguf") != 0) {
        char quant[24];
        quant_of_file_type(log->file_type, quant, sizeof quant);
        (void)hwl_settings_set(s, "quant", quant, NULL);
    }
    if (status == HWL_OK)
        status = hwl_planner_new(model, devices, s, &planner, &e);
    if (status == HWL_OK && log->engine == HWL_LOG_LLAMACPP) {
        hwl_log_infer_llamacpp(log, model, planner, devices, s);
        if (!*log->version) {
            hwl_log_build_by_figures(log, engine, model, devices, s);
            hwl_planner_free(planner);
            planner = NULL;
            status = hwl_planner_new(model, devices, s, &planner, &e);
        }
    }
    hwl_devices *told = status == HWL_OK && log->engine == HWL_LOG_SGLANG ? hwl_log_sglang_free(log, planner, devices, s) : NULL;
    if (status == HWL_OK)
        status = hwl_planner_plan(planner, told ? told : devices, s, &plan, &e);
    if (status == HWL_OK) {
        if (log->engine == HWL_LOG_LLAMACPP)
            hwl_log_buffer_terms(log, plan);
        else if (log->engine == HWL_LOG_TENSORRT && (any || any_card(log, &any, &e) == HWL_OK))
            hwl_log_tensorrt_terms(log, planner, any, s, plan, card);
        else
            server_terms(log, plan, card);
        pool_terms(log, plan);
        given_terms(log, planner, devices, s);
        if (log->engine == HWL_LOG_SGLANG)
            hwl_log_sglang_given(log, planner, told ? told : devices, s);
        for (uint64_t i = 0; i < plan->ledger.n_notes; i++)
            hwl_log_add_note(log, "%s", plan->ledger.notes[i]);
        const bool refused = plan->ledger.exceeds || plan->verdict == HWL_VERDICT_EXCEEDS;
        if (!card)
            ;
        else if (log->engine == HWL_LOG_LLAMACPP && !*log->failure)
            ; /* its logs seldom tell the host's memory */
        else if (log->engine == HWL_LOG_TENSORRT && !*log->failure && plan->ledger.kv_tokens)
            ; /* it starts with what the cache holds */
        else if (refused != (*log->failure != 0))
            hwl_log_add_note(log, refused ? "the plan says that it does not fit, the log shows that it started"
                                          : "the log shows that it did not start, the plan says that it fits");
        else if (*log->failure)
            hwl_log_add_note(log, "it did not start, as the plan says");
    } else if (status != HWL_E_NOMEM && status != HWL_E_SYSTEM) { /* what was read is shown all the same */
        hwl_log_add_note(log, "not planned: %s", e.message);

        status = HWL_OK;
    } else if (error) {
        *error = e;
    }
    hwl_log_check(log);
    hwl_devices_free(told);
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(s);
    hwl_devices_free(any);
    return status;
}
