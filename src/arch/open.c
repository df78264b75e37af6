/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a model by what its name says: a file, a folder, a local store, the catalogue. */
#include "arch/family.h"
#include "arch/gguf_model.h"
#include "arch/quant_config.h"
#include "arch/quantise.h"
#include "arch/weights.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/str.h"
#include "source/catalogue.h"
#include "source/gguf.h"
#include "source/hf_cache.h"
#include "source/ollama.h"
#include "source/safetensors.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_MAX ((uint64_t)16 << 20)
#define PATH_BYTES 4096u

static hwl_status nomem(const char *file, hwl_error *error)
{
    return hwl_fail_at(error, HWL_E_NOMEM, file, HWL_NO_OFFSET, "", "out of memory");
}

static void close_gguf(void *owned)
{
    hwl_gguf_close(owned);
}

static hwl_status set_name(struct hwl_model *model, const char *name, const char *source, const char *form, hwl_error *error)
{
    model->name = hwl_arena_str(&model->arena, name);
    model->source = hwl_arena_str(&model->arena, source);
    model->form = form;
    return model->name && model->source ? HWL_OK : nomem(source, error);
}

static hwl_status open_gguf(struct hwl_model *model, const char *path, hwl_error *error)
{
    struct hwl_gguf *gguf;
    HWL_TRY(hwl_gguf_open_watched(path, model->progress, &model->arena, &gguf, error));
    model->owned = gguf;
    model->release = close_gguf;
    model->gguf = gguf;
    model->is_gguf = true;
    struct hwl_str given;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (hwl_gguf_str(gguf, "general.name", &given) && given.n && !memchr(given.p, 0, (size_t)given.n))
        name = hwl_arena_strn(&model->arena, given.p, given.n);
    if (!name)
        return nomem(path, error);
    HWL_TRY(set_name(model, name, path, "gguf", error));
    return hwl_arch_from_gguf(gguf, model, error);
}

/* A document of ours (plan --json ...) is no configuration. */
static hwl_status refuse_document(yyjson_val *root, const char *file, hwl_error *error)
{
    const char *schema = yyjson_get_str(hwl_json_get(root, "schema"));
    if (!schema || strncmp(schema, "hwledger.", 9) != 0)
        return HWL_OK;
    const size_t plain = strspn(schema, "abcdefghijklmnopqrstuvwxyz.-/0123456789"); /* foreign text is not cut inside a character */
    return hwl_fail_at(error, HWL_E_UNSUPPORTED, file, HWL_NO_OFFSET, "schema",
                       "this is a result of hwLedger (%.*s), no model; hwledger-desktop opens it where it holds its request",
                       (int)(plain < 40 ? plain : 40), schema);
}

/* Layers, inventory, quantisation and facts of a configuration. Weights are the caller's. */
static hwl_status read_config(struct hwl_model *model, const char *text, uint64_t n, const char *file, const char *folder,
                              hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(hwl_json_parse(text, n, HWL_JSON_ALLOW_NAN, file, &doc, error));
    const hwl_status ours = refuse_document(yyjson_doc_get_root(doc), file, error);
    if (ours != HWL_OK) {
        yyjson_doc_free(doc);
        return ours;
    }
    const struct hwl_config root = hwl_config_root(yyjson_doc_get_root(doc), file, &model->arena);
    hwl_status status = hwl_config_status(&root, error);
    if (status == HWL_OK)
        status = hwl_arch_from_config(&root, model, error);
    if (status == HWL_OK)
        status = hwl_quant_read(&root, folder, &model->arena, &model->quant, error);
    if (status == HWL_OK)
        status = hwl_config_status(&root, error);
    hwl_fact fact;
    for (uint64_t i = 0; status == HWL_OK && hwl_config_fact(&root, i, &fact.key, &fact.value, &fact.origin); i++)
        hwl_model_add_fact(model, fact.key, fact.value, fact.origin);
    yyjson_doc_free(doc);
    return status;
}

/* A configuration without weights: the inventory is the weights, packed as the configuration says. */
static hwl_status config_only(struct hwl_model *model, hwl_error *error)
{
    return model->quant.method && *model->quant.method ? hwl_quant_pack(model, &model->quant, error) : HWL_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_weights(const char *name)
{
    return hwl_str_ends(hwl_str_of(name), ".safetensors") && !hwl_str_starts(hwl_str_of(name), "adapter_") && name[0] != '.';
}

/* The safetensors files of a folder without an index. model.safetensors alone where it is there. */
static hwl_status list_weights(const char *folder, struct hwl_arena *arena, const char ***list, uint64_t *n, hwl_error *error)
{
    const char *one = hwl_arena_printf(arena, "%s/model.safetensors", folder);
    if (!one)
        return nomem(folder, error);
    DIR *dir = hwl_file_is_regular(one) ? NULL : opendir(folder);
    uint64_t cap = 0, others = 0;
    struct dirent *e;
    bool ok = true;
    while (ok && dir && (e = readdir(dir)))
        if (is_weights(e->d_name)) {
            const char **grown = hwl_arena_grow(arena, (void *)*list, &cap, *n + 1, sizeof *grown);
            const char *path = hwl_arena_printf(arena, "%s/%s", folder, e->d_name);
            ok = grown && path;
            if (ok) {
                *list = grown;
                grown[(*n)++] = path;
                others += !hwl_str_starts(hwl_str_of(e->d_name), "consolidated");
            }
        }
    if (dir)
        (void)closedir(dir);
    else if (hwl_file_is_regular(one)) {
        *list = hwl_arena_grow(arena, NULL, &cap, 1, sizeof **list);
        ok = *list;
        if (ok)
            (*list)[(*n)++] = one;
        return ok ? HWL_OK : nomem(folder, error);
    }
    if (!ok)
        return nomem(folder, error);
    if (others && others < *n) { /* Mistral's folders hold the same weights twice, under two names */
        uint64_t kept = 0;
        for (uint64_t i = 0; i < *n; i++)
            if (!strstr((*list)[i], "/consolidated"))
                (*list)[kept++] = (*list)[i];
        *n = kept;
    }
    if (*n)
        qsort((void *)*list, (size_t)*n, sizeof **list, by_name);
    return HWL_OK;
}

/* The weights of a folder: NULL where there are none. An index whose files are all absent counts as none; some absent is an error,
 * said by the reader of the missing file. */
static hwl_status open_weights(const char *folder, const char *given, const struct hwl_progress *progress, struct hwl_arena *arena,
                               struct hwl_safetensors **st, hwl_error *error)
{
    *st = NULL;
    if (given)
        return hwl_safetensors_open(given, progress, arena, st, error);
    const char *index = hwl_arena_printf(arena, "%s/model.safetensors.index.json", folder);
    if (!index)
        return nomem(folder, error);
    if (hwl_file_is_regular(index)) {
        const char *const *names;
        uint64_t n, total, there = 0;
        HWL_TRY(hwl_safetensors_index_files(index, arena, &names, &n, &total, error));
        for (uint64_t i = 0; i < n; i++) {
            const char *path = hwl_arena_printf(arena, "%s/%s", folder, names[i]);
            if (!path)
                return nomem(folder, error);
            struct stat s;
            there += lstat(path, &s) == 0;
        }
        return there ? hwl_safetensors_open(index, progress, arena, st, error) : HWL_OK;
    }
    const char **list = NULL;
    uint64_t n = 0;
    HWL_TRY(list_weights(folder, arena, &list, &n, error));
    return n ? hwl_safetensors_open_files(list, n, progress, arena, st, error) : HWL_OK;
}

/* The only model among the GGUF files of a folder without config.json; of a split set the first file. */
static hwl_status only_gguf(const char *folder, struct hwl_arena *arena, const char **path, hwl_error *error)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    uint64_t n = 0;
    const char *first = NULL;
    while (dir && (e = readdir(dir))) {
        const char *of = strstr(e->d_name, "-of-");
        if (!hwl_str_ends(hwl_str_of(e->d_name), ".gguf") || strncmp(e->d_name, "mmproj", 6) == 0 || e->d_name[0] == '.' ||
            (of && of - e->d_name > 5 && strncmp(of - 5, "00001", 5) != 0))
            continue;
        n++;
        if (!first || strcmp(e->d_name, first) < 0)
            first = hwl_arena_str(arena, e->d_name);
    }
    if (dir)
        (void)closedir(dir);
    if (!n)
        return hwl_fail_at(error, HWL_E_NOT_FOUND, folder, HWL_NO_OFFSET, "", "no config.json and no GGUF there");
    if (n > 1)
        return hwl_fail_at(error, HWL_E_USAGE, folder, HWL_NO_OFFSET, "", "%llu GGUF models there: name one, such as %s",
                           (unsigned long long)n, first ? first : "");
    *path = first ? hwl_arena_printf(arena, "%s/%s", folder, first) : NULL;
    return *path ? HWL_OK : nomem(folder, error);
}

/* A folder with config.json; weights: a file or index of it that was named, or NULL. */
static hwl_status open_folder(struct hwl_model *model, const char *folder, const char *weights, const char *name, hwl_error *error)
{
    const char *config = hwl_arena_printf(&model->arena, "%s/config.json", folder);
    if (!config)
        return nomem(folder, error);
    char *text;
    uint64_t n;
    struct stat s;
    if (lstat(config, &s) != 0) {
        const char *path;
        HWL_TRY(only_gguf(folder, &model->arena, &path, error));
        return open_gguf(model, path, error);
    }
    HWL_TRY(hwl_file_read(config, CONFIG_MAX, &text, &n, error));
    hwl_status status = set_name(model, name, weights ? weights : folder, "config", error);
    if (status == HWL_OK)
        status = read_config(model, text, n, config, folder, error);
    free(text);
    if (status != HWL_OK)
        return status;
    struct hwl_arena scratch = {0};
    struct hwl_safetensors *st = NULL;
    status = open_weights(folder, weights, model->progress, &scratch, &st, error);
    if (status == HWL_OK && st) {
        model->form = "safetensors";
        status = hwl_weights_apply(model, st, error);
    } else if (status == HWL_OK) {
        status = config_only(model, error);
    }
    hwl_safetensors_close(st);
    hwl_arena_free(&scratch);
    return status;
}

static hwl_status open_catalogue(struct hwl_model *model, const struct hwl_catalogue_row *row, hwl_error *error)
{
    char source[256];
    (void)snprintf(source, sizeof source, "catalogue: %s", row->model.id);
    HWL_TRY(set_name(model, row->model.name, source, "config", error));
    HWL_TRY(read_config(model, row->config, row->n, source, NULL, error));
    return config_only(model, error);
}

static const char *last_part(const char *path, char buf[PATH_BYTES])
{
    (void)snprintf(buf, PATH_BYTES, "%s", path);
    uint64_t n = strlen(buf);
    while (n > 1 && buf[n - 1] == '/')
        buf[--n] = 0;
    const char *slash = strrchr(buf, '/');
    return slash && slash[1] ? slash + 1 : buf;
}

/* Something that is there on disk. */
static hwl_status open_path(struct hwl_model *model, const char *path, hwl_error *error)
{
    char name[PATH_BYTES], folder[PATH_BYTES];
    if (hwl_file_is_dir(path))
        return open_folder(model, path, NULL, last_part(path, name), error);
    struct hwl_str s = hwl_str_of(path);
    bool weights = hwl_str_ends(s, ".safetensors") || hwl_str_ends(s, ".safetensors.index.json");
    if (weights) {
        const char *slash = strrchr(path, '/');
        if ((uint64_t)(slash ? slash - path : 0) + 2 >= sizeof folder)
            return hwl_fail(error, HWL_E_LIMIT, "the path is too long");
        (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
        return open_folder(model, *folder ? folder : "/", path, last_part(*folder ? folder : "/", name), error);
    }
    if (hwl_str_ends(s, ".json")) {
        char *text;
        uint64_t n;
        HWL_TRY(hwl_file_read(path, CONFIG_MAX, &text, &n, error));
        hwl_status status = set_name(model, last_part(path, name), path, "config", error);
        if (status == HWL_OK)
            status = read_config(model, text, n, path, NULL, error);
        free(text);
        return status == HWL_OK ? config_only(model, error) : status;
    }
    return open_gguf(model, path, error); /* whatever its name: the reader looks at the magic */
}

static hwl_status open_ollama(struct hwl_model *model, const char *name, const hwl_open_options *options, hwl_error *error)
{
    struct hwl_ollama_model found;
    HWL_TRY(hwl_ollama_find(name, options, &model->arena, &found, error));
    HWL_TRY(open_gguf(model, found.model, error));
    model->name = found.name;
    if (found.projector)
        hwl_model_add_fact(model, "projector", found.projector, found.manifest);
    if (found.params)
        hwl_model_add_fact(model, "params", found.params, found.manifest);
    for (uint32_t i = 0; i < found.n_adapters; i++)
        hwl_model_add_fact(model, "adapter", found.adapters[i], found.manifest);
    return HWL_OK;
}

static hwl_status open_any(struct hwl_model *model, const char *name, const hwl_open_options *options, hwl_error *error)
{
    if (!*name)
        return hwl_fail(error, HWL_E_USAGE, "no model is named");
    if (strncmp(name, "ollama:", 7) == 0)
        return open_ollama(model, name + 7, options, error);
    struct stat s;
    if (stat(name, &s) == 0)
        return open_path(model, name, error);
    struct hwl_str view = hwl_str_of(name);
    if (name[0] == '/' || name[0] == '.' || hwl_str_ends(view, ".gguf") || hwl_str_ends(view, ".safetensors") ||
        hwl_str_ends(view, ".json"))
        return hwl_fail_at(error, HWL_E_NOT_FOUND, name, HWL_NO_OFFSET, "", "no such file or folder");
    char folder[PATH_BYTES];
    if (hwl_hf_cache_find(name, options, folder, sizeof folder))
        return open_folder(model, folder, NULL, name, error);
    const struct hwl_catalogue_row *row = hwl_catalogue_find(name);
    if (row)
        return open_catalogue(model, row, error);
    const char *near = hwl_catalogue_nearest(name);
    if (near)
        return hwl_fail_at(error, HWL_E_NOT_FOUND, name, HWL_NO_OFFSET, "",
                           "no such file, cached model or catalogue name; did you mean %s?", near);
    return hwl_fail_at(error, HWL_E_NOT_FOUND, name, HWL_NO_OFFSET, "", "no such file, cached model or catalogue name");
}

/* The last checks; the caller's model is freed where anything failed. */
static hwl_status finish(struct hwl_model *model, hwl_status status, hwl_model **out, hwl_error *error)
{
    struct hwl_model_sums sums;
    if (status == HWL_OK)
        status = hwl_progress_step(model->progress, 1, 1, error);
    model->progress = NULL;
    if (status == HWL_OK)
        status = hwl_model_sum(model, &sums, error);
    if (status == HWL_OK)
        *out = model;
    else
        hwl_model_free(model);
    return status;
}

hwl_status hwl_model_open(const char *name, const hwl_open_options *options, hwl_model **out, hwl_error *error)
{
    static const hwl_open_options none;
    struct hwl_model *model = calloc(1, sizeof *model);
    if (!model)
        return nomem(name, error);
    if (!options)
        options = &none;
    const struct hwl_progress progress = {options->progress, options->stop, options->user};
    model->generic = options->generic;
    model->progress = &progress;
    return finish(model, open_any(model, name, options, error), out, error);
}

hwl_status hwl_model_from_config(const char *json, uint64_t length, const char *name, const hwl_open_options *options,
                                 hwl_model **out, hwl_error *error)
{
    struct hwl_model *model = calloc(1, sizeof *model);
    if (!model)
        return nomem(name, error);
    model->generic = options && options->generic;
    hwl_status status = set_name(model, name, name, "config", error);
    if (status == HWL_OK)
        status = read_config(model, json, length, name, NULL, error);
    if (status == HWL_OK)
        status = config_only(model, error);
    return finish(model, status, out, error);
}
