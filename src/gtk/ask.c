/* SPDX-License-Identifier: Apache-2.0 */
/* The question as a value: copies, plan files, command line. */
#include "gtk/ask.h"

#include "view/stores.h"

#include <stdlib.h>
#include <string.h>

#define FILE_VERSION "1"

struct hwl_ask *hwl_ask_new(void)
{
    struct hwl_ask *a = g_new0(struct hwl_ask, 1);
    a->detected = true;
    a->gpus = g_ptr_array_new_with_free_func(g_free);
    if (hwl_settings_new(&a->settings) != HWL_OK || hwl_view_use_stores(a->settings) != HWL_OK)
        g_error("out of memory");
    return a;
}

struct hwl_ask *hwl_ask_copy(const struct hwl_ask *ask)
{
    struct hwl_ask *a = g_new0(struct hwl_ask, 1);
    a->model = g_strdup(ask->model);
    a->detected = ask->detected;
    a->gpus = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < ask->gpus->len; i++)
        g_ptr_array_add(a->gpus, g_strdup(g_ptr_array_index(ask->gpus, i)));
    a->ram = g_strdup(ask->ram);
    a->generic = ask->generic;
    if (hwl_settings_copy(ask->settings, &a->settings) != HWL_OK)
        g_error("out of memory");
    return a;
}

void hwl_ask_free(struct hwl_ask *ask)
{
    if (!ask)
        return;
    g_free(ask->model);
    g_free(ask->ram);
    g_ptr_array_unref(ask->gpus);
    hwl_settings_free(ask->settings);
    g_free(ask);
}

static bool has_word(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return !*words;
}

static bool offered(const char *engine, const char *option, const char *value)
{
    const char *choice = hwl_option_choice(engine, option, 0);
    for (uint32_t i = 0; (choice = hwl_option_choice(engine, option, i)); i++)
        if (g_ascii_strcasecmp(choice, value) == 0)
            return true;
    return false;
}

void hwl_ask_set_engine(struct hwl_ask *ask, const char *engine, const char *next)
{
    const hwl_option_info *o;
    char value[256];
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        if (!hwl_settings_get(ask->settings, o->name, value, sizeof value))
            continue;
        const bool choice = strcmp(o->name, "kv-type") == 0 || strcmp(o->name, "quant") == 0;
        if (!has_word(o->engines, next) || (choice && !offered(next, o->name, value)))
            (void)hwl_settings_clear(ask->settings, o->name, NULL);
    }
    (void)hwl_settings_clear(ask->settings, "engine-version", NULL);
    if (engine)
        (void)hwl_settings_set(ask->settings, "engine", engine, NULL);
    else
        (void)hwl_settings_clear(ask->settings, "engine", NULL);
}

hwl_status hwl_ask_change(struct hwl_ask *ask, const hwl_change *change, hwl_error *error)
{
    const bool gpu = strcmp(change->option, "gpu") == 0 || strcmp(change->option, "gpu-memory") == 0;
    if (gpu && *change->value)
        g_ptr_array_add(ask->gpus, g_strdup_printf("%s=%s", change->option, change->value));
    else if (gpu && ask->gpus->len)
        g_ptr_array_remove_index(ask->gpus, ask->gpus->len - 1);
    else if (!gpu)
        return *change->value ? hwl_settings_set(ask->settings, change->option, change->value, error)
                              : hwl_settings_clear(ask->settings, change->option, error);
    return HWL_OK;
}

static hwl_status add_all(hwl_devices *to, const hwl_devices *from)
{
    hwl_status status = HWL_OK;
    for (uint32_t i = 0; status == HWL_OK && i < hwl_devices_gpus(from); i++)
        status = hwl_devices_add(to, hwl_devices_get(from, i), NULL);
    return status;
}

static void copy_ram(hwl_devices *to, const hwl_devices *from)
{
    const hwl_device *host = hwl_devices_get(from, hwl_devices_count(from) - 1);
    hwl_devices_set_ram(to, host->memory_bytes, host->free_bytes);
}

hwl_status hwl_ask_devices(const struct hwl_ask *ask, const hwl_devices *machine, hwl_devices **out, hwl_error *error)
{
    hwl_devices *d = NULL;
    hwl_status status = hwl_devices_new(&d);
    if (status == HWL_OK && ask->detected)
        status = add_all(d, machine);
    for (guint i = 0; status == HWL_OK && i < ask->gpus->len; i++) {
        const char *line = g_ptr_array_index(ask->gpus, i), *value = strchr(line, '=');
        if (!value)
            continue;
        status = g_str_has_prefix(line, "gpu-memory=") ? hwl_devices_add_gpu_memory(d, value + 1, error)
                                                       : hwl_devices_add_gpu(d, value + 1, error);
    }
    if (status == HWL_OK && ask->ram)
        status = hwl_view_set_ram(d, ask->ram, error);
    else if (status == HWL_OK)
        copy_ram(d, machine);
    if (status != HWL_OK) {
        hwl_devices_free(d);
        return status;
    }
    *out = d;
    return HWL_OK;
}

static void write_list(const struct hwl_ask *ask, const char *option, GKeyFile *f)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(free);
    char *item;
    for (guint i = 0; (item = hwl_view_setting_item(ask->settings, option, i)); i++)
        g_ptr_array_add(items, item);
    if (items->len)
        g_key_file_set_string_list(f, "Settings", option, (const char *const *)items->pdata, items->len);
    g_ptr_array_unref(items);
}

char *hwl_ask_text(const struct hwl_ask *ask)
{
    GKeyFile *f = g_key_file_new();
    const hwl_option_info *o;
    g_key_file_set_string(f, "Plan", "Version", FILE_VERSION);
    if (ask->model)
        g_key_file_set_string(f, "Plan", "Model", ask->model);
    if (ask->generic)
        g_key_file_set_boolean(f, "Plan", "Generic", TRUE);
    g_key_file_set_boolean(f, "Devices", "Detected", ask->detected);
    if (ask->ram)
        g_key_file_set_string(f, "Devices", "RAM", ask->ram);
    if (ask->gpus->len)
        g_key_file_set_string_list(f, "Devices", "GPUs", (const char *const *)ask->gpus->pdata, ask->gpus->len);
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        char *value = o->type == HWL_TYPE_LIST ? NULL : hwl_view_setting(ask->settings, o->name);
        if (value)
            g_key_file_set_string(f, "Settings", o->name, value);
        if (o->type == HWL_TYPE_LIST)
            write_list(ask, o->name, f);
        free(value);
    }
    char *text = g_key_file_to_data(f, NULL, NULL);
    g_key_file_free(f);
    return text;
}

static hwl_status wrong(hwl_error *error, const char *message, const char *key)
{
    *error = (hwl_error){.status = HWL_E_FORMAT, .offset = HWL_NO_OFFSET};
    g_strlcpy(error->message, message, sizeof error->message);
    g_strlcpy(error->key, key, sizeof error->key);
    return HWL_E_FORMAT;
}

static bool is_list(const char *option)
{
    const hwl_option_info *o;
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++)
        if (strcmp(o->name, option) == 0)
            return o->type == HWL_TYPE_LIST;
    return false;
}

static hwl_status read_list(struct hwl_ask *a, GKeyFile *f, const char *option, hwl_error *error)
{
    gsize n = 0;
    char **items = g_key_file_get_string_list(f, "Settings", option, &n, NULL);
    hwl_status status = items && n <= 256 ? HWL_OK : wrong(error, "no list of at most 256 texts", option);
    for (gsize i = 0; status == HWL_OK && i < n; i++)
        status = hwl_settings_set(a->settings, option, items[i], error);
    g_strfreev(items);
    return status;
}

static hwl_status read_settings(struct hwl_ask *a, GKeyFile *f, hwl_error *error)
{
    hwl_status status = HWL_OK;
    char **keys = g_key_file_get_keys(f, "Settings", NULL, NULL);
    for (char **k = keys; status == HWL_OK && k && *k; k++) {
        if (is_list(*k)) {
            status = read_list(a, f, *k, error);
            continue;
        }
        char *value = g_key_file_get_string(f, "Settings", *k, NULL);
        status = value ? hwl_settings_set(a->settings, *k, value, error) : wrong(error, "a value that is no text", *k);
        if (status != HWL_OK)
            g_strlcpy(error->key, *k, sizeof error->key);
        g_free(value);
    }
    g_strfreev(keys);
    return status;
}

static hwl_status read_devices(struct hwl_ask *a, GKeyFile *f, hwl_error *error)
{
    gsize n = 0;
    char **gpus = g_key_file_get_string_list(f, "Devices", "GPUs", &n, NULL);
    hwl_status status = n <= 256 ? HWL_OK : wrong(error, "more than 256 lines of GPUs", "GPUs");
    for (gsize i = 0; status == HWL_OK && i < n; i++) {
        if (!g_str_has_prefix(gpus[i], "gpu=") && !g_str_has_prefix(gpus[i], "gpu-memory="))
            status = wrong(error, "a GPU is gpu=NAME or gpu-memory=SIZE", "GPUs");
        else
            g_ptr_array_add(a->gpus, g_strdup(gpus[i]));
    }
    g_strfreev(gpus);
    a->detected = g_key_file_get_boolean(f, "Devices", "Detected", NULL);
    a->ram = g_key_file_get_string(f, "Devices", "RAM", NULL);
    return status;
}

struct hwl_ask *hwl_ask_parse(const char *text, gsize length, hwl_error *error)
{
    GKeyFile *f = g_key_file_new();
    struct hwl_ask *a = hwl_ask_new();
    char *version = NULL;
    hwl_status status = HWL_OK;
    if (!g_key_file_load_from_data(f, text, length, G_KEY_FILE_NONE, NULL) ||
        !(version = g_key_file_get_string(f, "Plan", "Version", NULL)))
        status = wrong(error, "this is no plan of hwLedger", "");
    else if (strcmp(version, FILE_VERSION) != 0)
        status = wrong(error, "a plan of a newer hwLedger", "Version");
    a->model = g_key_file_get_string(f, "Plan", "Model", NULL);
    a->generic = g_key_file_get_boolean(f, "Plan", "Generic", NULL);
    if (status == HWL_OK)
        status = read_devices(a, f, error);
    if (status == HWL_OK)
        status = read_settings(a, f, error);
    g_free(version);
    g_key_file_free(f);
    if (status == HWL_OK)
        return a;
    hwl_ask_free(a);
    return NULL;
}

/* A word that the shell takes as it is stays bare. */
static void add_word(GString *s, const char *word)
{
    if (*word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=@+") == strlen(word)) {
        g_string_append_printf(s, " %s", word);
        return;
    }
    char *quoted = g_shell_quote(word);
    g_string_append_printf(s, " %s", quoted);
    g_free(quoted);
}

static void add_option(GString *s, const hwl_option_info *o, const char *value)
{
    if (o->type == HWL_TYPE_FLAG) {
        g_string_append_printf(s, " --%s%s", strcmp(value, "true") == 0 ? "" : "no-", o->name);
        return;
    }
    g_string_append_printf(s, " --%s", o->name);
    add_word(s, value);
}

char *hwl_ask_command(const struct hwl_ask *ask, const char *tail)
{
    GString *s = g_string_new("hwledger plan");
    const hwl_option_info *o;
    add_word(s, ask->model ? ask->model : "MODEL");
    for (guint i = 0; i < ask->gpus->len; i++) {
        const char *line = g_ptr_array_index(ask->gpus, i), *eq = strchr(line, '=');
        g_string_append_printf(s, " --%.*s", (int)(eq - line), line);
        add_word(s, eq + 1);
    }
    if (!ask->detected && !ask->gpus->len)
        g_string_append(s, " --gpu none");
    if (ask->ram) {
        g_string_append(s, " --ram");
        add_word(s, ask->ram);
    }
    if (ask->generic)
        g_string_append(s, " --generic");
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        const bool list = o->type == HWL_TYPE_LIST;
        char *value = list ? hwl_view_setting_item(ask->settings, o->name, 0) : hwl_view_setting(ask->settings, o->name);
        for (uint32_t k = 1; value; k++) {
            add_option(s, o, value);
            free(value);
            value = list ? hwl_view_setting_item(ask->settings, o->name, k) : NULL;
        }
    }
    if (tail && *tail)
        g_string_append_printf(s, " %s", tail);
    return g_string_free(s, FALSE);
}
