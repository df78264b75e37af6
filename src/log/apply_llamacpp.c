/* SPDX-License-Identifier: Apache-2.0 */
/* From what llama.cpp's log shows to settings: its own command line, then what it resolved, then what only buffers tell. */
#include "log/internal.h"

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

hwl_status hwl_log_set_build(const struct hwl_log *log, const char *version, hwl_settings *s)
{
    if (!hwl_log_setting_of(log, "kv-unified") && hwl_words_have("b2295 b4500 b5000 b5781 4227c9be4", version)) /* older builds know one pool only */
        (void)hwl_settings_set(s, "kv-unified", "true", NULL);
    return hwl_settings_set(s, "engine-version", version, NULL);
}

/* What the engine printed of its context wins over what was asked: it is what was allocated. */
static void resolved(const struct hwl_log *log, hwl_settings *s)
{
    static const char *const order[][2] = {{"parallel", "concurrency"},   {"kv-unified", "kv-unified"}, {"ctx-size", "ctx-total"}, {"batch-size", "batch"},
                                           {"ubatch-size", "ubatch"},     {"flash-attn", "flash-attn"}, {"flash-attn-resolved", "flash-attn"},
                                           {"n-gpu-layers", "ngl"},        {"swa-full", "swa-full"}};
    char text[80];
    char version[32] = "";
    if (hwl_settings_get(s, "engine-version", version, sizeof version))
        (void)hwl_log_set_build(log, version, s);
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

/* "offloaded 31/33" counts the file's layers and the output; the model that is planned may have one more, for draft tokens. */
static void offloaded(const struct hwl_log *log, const hwl_model *m, hwl_settings *s)
{
    const char *of = hwl_log_setting_of(log, "n-gpu-layers"), *all = hwl_log_meta(log, "offloaded of");
    uint64_t n, total;
    char text[24];
    const uint64_t have = (uint64_t)m->n_layers + m->n_mtp + 1;
    if (!of || !all || !hwl_text_u64(of, &n) || !hwl_text_u64(all, &total) || !n || n >= total || total >= have)
        return;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)(n + have - total));
    (void)hwl_settings_set(s, "ngl", text, NULL);
}

/* States that are kept to roll back to: as many as tokens are drafted. */
static void drafted(const struct hwl_log *log, const hwl_model *m, hwl_settings *s)
{
    const char *text = hwl_log_setting_of(log, "n-rs-seq");
    char given[64];
    uint64_t n;
    if (!text || !hwl_text_u64(text, &n) || !n || n > 1024 || !m->n_mtp || hwl_settings_get(s, "spec-method", given, sizeof given))
        return;
    (void)hwl_settings_set(s, "spec-method", "mtp", NULL);
    (void)hwl_settings_set(s, "draft-max", text, NULL);
}

void hwl_log_apply_llamacpp(struct hwl_log *log, const hwl_model *model, const hwl_devices *devices, hwl_settings *s)
{
    (void)hwl_settings_set(s, "program", log->server ? "llama-server" : "library", NULL);
    command_line(log, s);
    (void)hwl_settings_set(s, "fit", "off", NULL); /* what it chose is what the log shows */
    resolved(log, s);
    offloaded(log, model, s);
    drafted(log, model, s);
    hwl_log_context_by_cache(log, model, s);
    hwl_log_split_by_caches(log, model, hwl_devices_gpus(devices), s);
}
