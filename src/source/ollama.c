/* SPDX-License-Identifier: Apache-2.0 */
/* The Ollama store: manifests/HOST/NAMESPACE/NAME/TAG is an OCI manifest whose layers, by media type, are blobs/sha256-HEX. */
#include "source/ollama.h"

#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096u
#define MANIFEST_MAX ((uint64_t)1 << 20)
#define MEDIA "application/vnd.ollama.image."

bool hwl_ollama_root(const hwl_open_options *options, char *out, uint64_t size)
{
    if (options->ollama)
        return (uint64_t)snprintf(out, size, "%s", options->ollama) < size;
    if (options->home)
        return (uint64_t)snprintf(out, size, "%s/.ollama/models", options->home) < size;
    return false;
}

static bool plain_word(const char *s, size_t n)
{
    if (!n || s[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] <= ' ' || s[i] == '/' || s[i] == '\\' || s[i] == ':')
            return false;
    return true;
}

/* The folder under manifests whose name begins with "registry.": the host of Ollama's own library, whatever it is called. */
static bool library_host(const char *root, char *out, uint64_t size)
{
    char path[PATH_BYTES];
    if ((uint64_t)snprintf(path, sizeof path, "%s/manifests", root) >= sizeof path)
        return false;
    DIR *dir = opendir(path);
    struct dirent *e;
    out[0] = 0;
    while (dir && (e = readdir(dir)))
        if (strncmp(e->d_name, "registry.", 9) == 0 && (!out[0] || strcmp(e->d_name, out) < 0))
            (void)snprintf(out, size, "%s", e->d_name);
    if (dir)
        (void)closedir(dir);
    return out[0];
}

static hwl_status manifest_path(const char *name, const char *root, char *path, uint64_t size, hwl_error *error)
{
    char host[256];
    const char *part[3];
    size_t length[3], n = 0;
    const char *colon = strrchr(name, ':');
    if (colon && strchr(colon, '/'))
        colon = NULL;
    const char *end = colon ? colon : name + strlen(name), *tag = colon ? colon + 1 : "latest";
    for (const char *p = name; p <= end && n < 3;) {
        const char *slash = memchr(p, '/', (size_t)(end - p));
        const char *stop = slash ? slash : end;
        part[n] = p;
        length[n] = (size_t)(stop - p);
        if (!plain_word(p, length[n]))
            return hwl_fail(error, HWL_E_USAGE, "\"%s\" is no Ollama model name", name);
        n++;
        p = stop + 1;
        if (n == 3 && slash)
            return hwl_fail(error, HWL_E_USAGE, "\"%s\" is no Ollama model name", name);
    }
    if (!n || !plain_word(tag, strlen(tag)))
        return hwl_fail(error, HWL_E_USAGE, "\"%s\" is no Ollama model name", name);
    if (n < 3 && !library_host(root, host, sizeof host))
        return hwl_fail_at(error, HWL_E_NOT_FOUND, root, HWL_NO_OFFSET, "", "no Ollama store there");
    int used;
    if (n == 1)
        used = snprintf(path, size, "%s/manifests/%s/library/%.*s/%s", root, host, (int)length[0], part[0], tag);
    else if (n == 2)
        used = snprintf(path, size, "%s/manifests/%s/%.*s/%.*s/%s", root, host, (int)length[0], part[0], (int)length[1], part[1], tag);
    else
        used = snprintf(path, size, "%s/manifests/%.*s/%.*s/%.*s/%s", root, (int)length[0], part[0], (int)length[1], part[1],
                        (int)length[2], part[2], tag);
    if (used < 0 || (uint64_t)used >= size)
        return hwl_fail(error, HWL_E_LIMIT, "the path is too long");
    return HWL_OK;
}

/* "sha256:HEX" to the path of its blob; NULL when it is no such digest or out of memory. */
static const char *blob(const char *root, const char *digest, struct hwl_arena *arena)
{
    if (!digest || strncmp(digest, "sha256:", 7) != 0 || strlen(digest) != 71 || strspn(digest + 7, "0123456789abcdefABCDEF") != 64)
        return NULL;
    return hwl_arena_printf(arena, "%s/blobs/sha256-%s", root, digest + 7);
}

static hwl_status read_layers(yyjson_val *layers, const char *root, const char *path, struct hwl_arena *arena,
                              struct hwl_ollama_model *out, hwl_error *error)
{
    size_t i, n;
    yyjson_val *layer;
    yyjson_arr_foreach(layers, i, n, layer)
    {
        const char *type = yyjson_get_str(hwl_json_get(layer, "mediaType"));
        if (!type || strncmp(type, MEDIA, sizeof MEDIA - 1) != 0)
            continue;
        type += sizeof MEDIA - 1;
        const char *file = blob(root, yyjson_get_str(hwl_json_get(layer, "digest")), arena);
        if (!file)
            return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "layers", "a layer without a sha256 digest");
        if (strcmp(type, "model") == 0 && !out->model)
            out->model = file;
        else if (strcmp(type, "projector") == 0)
            out->projector = file;
        else if (strcmp(type, "template") == 0)
            out->template = file;
        else if (strcmp(type, "adapter") == 0 && out->n_adapters < HWL_OLLAMA_ADAPTERS)
            out->adapters[out->n_adapters++] = file;
        else if (strcmp(type, "params") == 0) {
            char *text;
            uint64_t length;
            HWL_TRY(hwl_file_read(file, 65536, &text, &length, error));
            out->params = hwl_arena_strn(arena, text, length);
            free(text);
        }
    }
    if (!out->model)
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "layers", "no layer holds a model");
    return HWL_OK;
}

hwl_status hwl_ollama_find(const char *name, const hwl_open_options *options, struct hwl_arena *arena, struct hwl_ollama_model *out,
                           hwl_error *error)
{
    char root[PATH_BYTES], path[PATH_BYTES];
    if (!hwl_ollama_root(options, root, sizeof root))
        return hwl_fail(error, HWL_E_NOT_FOUND, "no Ollama store is known");
    HWL_TRY(manifest_path(name, root, path, sizeof path, error));
    if (!hwl_file_is_regular(path))
        return hwl_fail_at(error, HWL_E_NOT_FOUND, path, HWL_NO_OFFSET, "", "no such model in the Ollama store");
    char *text;
    uint64_t n;
    HWL_TRY(hwl_file_read(path, MANIFEST_MAX, &text, &n, error));
    yyjson_doc *doc;
    hwl_status status = hwl_json_parse(text, n, 0, path, &doc, error);
    free(text);
    if (status != HWL_OK)
        return status;
    memset(out, 0, sizeof *out);
    out->name = strchr(name, ':') ? hwl_arena_str(arena, name) : hwl_arena_printf(arena, "%s:latest", name);
    out->manifest = hwl_arena_str(arena, path);
    if (!out->name || !out->manifest)
        status = hwl_fail_at(error, HWL_E_NOMEM, path, HWL_NO_OFFSET, "", "out of memory");
    else
        status = read_layers(hwl_json_get(yyjson_doc_get_root(doc), "layers"), root, path, arena, out, error);
    yyjson_doc_free(doc);
    return status;
}
