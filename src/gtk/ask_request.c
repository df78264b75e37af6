/* SPDX-License-Identifier: Apache-2.0 */
/* The question as the arguments that a plan document holds, and back. */
#include "gtk/ask.h"

#include <hwledger/search.h>

#include <string.h>

void hwl_ask_request(const struct hwl_ask *ask, struct hwl_view_request *r)
{
    hwl_view_request_model(r, ask->model ? ask->model : "");
    for (guint i = 0; i < ask->gpus->len; i++) {
        char **parts = g_strsplit(g_ptr_array_index(ask->gpus, i), "=", 2);
        hwl_view_request_add(r, parts[0], parts[1] ? parts[1] : "");
        g_strfreev(parts);
    }
    if (!ask->detected && !ask->gpus->len)
        hwl_view_request_add(r, "gpu", "none");
    if (ask->ram)
        hwl_view_request_add(r, "ram", ask->ram);
    if (ask->generic)
        hwl_view_request_add(r, NULL, "--generic");
    hwl_view_request_settings(r, ask->settings);
}

static bool keep(void *user, const char *word)
{
    g_ptr_array_add(user, g_strdup(word));
    return true;
}

static hwl_status wrong(hwl_error *error, const char *word)
{
    *error = (hwl_error){.status = HWL_E_FORMAT, .key = "request", .offset = HWL_NO_OFFSET};
    g_snprintf(error->message, sizeof error->message, "'%.200s' is no argument of hwledger plan", word);
    return HWL_E_FORMAT;
}

static hwl_status take_option(struct hwl_ask *a, const char *word, hwl_error *error)
{
    char **parts = g_strsplit(word + 2, "=", 2);
    const char *name = parts[0] ? parts[0] : "", *value = parts[0] && parts[1] ? parts[1] : NULL;
    hwl_status status = HWL_OK;
    if (strcmp(name, "generic") == 0 && !value) {
        a->generic = true;
    } else if (!value) {
        status = wrong(error, word);
    } else if (strcmp(name, "gpu") == 0 && strcmp(value, "none") == 0) {
        a->detected = false;
    } else if (strcmp(name, "gpu") == 0 || strcmp(name, "gpu-memory") == 0) {
        a->detected = false;
        g_ptr_array_add(a->gpus, g_strdup(word + 2));
    } else if (strcmp(name, "ram") == 0) {
        g_free(a->ram);
        a->ram = g_strdup(value);
    } else {
        status = hwl_settings_set(a->settings, name, value, error);
    }
    g_strfreev(parts);
    return status;
}

/* What stands behind a lone -- is the engine's own command line. */
static hwl_status take_all(struct hwl_ask *a, const GPtrArray *words, hwl_error *error)
{
    char engine[64];
    for (guint i = 0; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);
        hwl_status status = HWL_OK;
        if (strcmp(word, "--") == 0)
            return hwl_settings_get(a->settings, "engine", engine, sizeof engine)
                       ? hwl_settings_engine_args(a->settings, engine, (int)(words->len - i - 1), (const char *const *)words->pdata + i + 1, error)
                       : wrong(error, word);
        if (g_str_has_prefix(word, "--"))
            status = take_option(a, word, error);
        else if (!a->model)
            a->model = g_strdup(word);
        else
            status = wrong(error, word);
        if (status != HWL_OK)
            return status;
    }
    return a->model ? HWL_OK : wrong(error, "");
}

struct hwl_ask *hwl_ask_from_document(const char *json, gsize length, hwl_error *error)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    struct hwl_ask *a = hwl_ask_new();
    hwl_status status = hwl_plan_request(json, length, keep, words, error);
    if (status == HWL_OK)
        status = take_all(a, words, error);
    error->status = status;
    g_ptr_array_unref(words);
    if (status == HWL_OK)
        return a;
    hwl_ask_free(a);
    return NULL;
}
