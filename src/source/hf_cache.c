/* SPDX-License-Identifier: Apache-2.0 */
/* The Hugging Face hub cache: models--ORG--NAME/refs/REVISION holds a commit, snapshots/COMMIT the files as links. */
#include "source/hf_cache.h"

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096u

static bool plain_word(const char *s, size_t n)
{
    if (!n || s[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] <= ' ' || s[i] == '/' || s[i] == '\\')
            return false;
    return true;
}

static bool root_of(const hwl_open_options *options, char *out, uint64_t size)
{
    if (options->hf_cache)
        return (uint64_t)snprintf(out, size, "%s", options->hf_cache) < size;
    if (options->home)
        return (uint64_t)snprintf(out, size, "%s/.cache/huggingface/hub", options->home) < size;
    return false;
}

/* Any snapshot that has a config.json, the first by name so that the choice does not depend on the file system. */
static bool any_snapshot(const char *model, char *folder, uint64_t size)
{
    char path[PATH_BYTES], best[256] = "";
    if ((uint64_t)snprintf(path, sizeof path, "%s/snapshots", model) >= sizeof path)
        return false;
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir && (e = readdir(dir)))
        if (e->d_name[0] != '.' && strlen(e->d_name) < sizeof best && (!best[0] || strcmp(e->d_name, best) < 0))
            (void)snprintf(best, sizeof best, "%s", e->d_name);
    if (dir)
        (void)closedir(dir);
    return best[0] && (uint64_t)snprintf(folder, size, "%s/snapshots/%s", model, best) < size && hwl_file_is_dir(folder);
}

bool hwl_hf_cache_find(const char *id, const hwl_open_options *options, char *folder, uint64_t size)
{
    char root[PATH_BYTES], model[PATH_BYTES], ref[PATH_BYTES];
    const char *at = strchr(id, '@');
    const size_t end = at ? (size_t)(at - id) : strlen(id);
    const char *slash = memchr(id, '/', end); /* the first models of the hub have no organisation: "gpt2" */
    const char *revision = at ? at + 1 : "main";
    const size_t org = slash ? (size_t)(slash - id) : 0, from = slash ? org + 1 : 0;
    if ((slash && !plain_word(id, org)) || !plain_word(id + from, end - from) || !plain_word(revision, strlen(revision)) ||
        !root_of(options, root, sizeof root))
        return false;
    const int n = snprintf(model, sizeof model, "%s/models--%.*s%s%.*s", root, (int)org, id, slash ? "--" : "", (int)(end - from),
                           id + from);
    if (n < 0 || (size_t)n >= sizeof model || !hwl_file_is_dir(model))
        return false;
    char *commit;
    uint64_t length;
    if ((uint64_t)snprintf(ref, sizeof ref, "%s/refs/%s", model, revision) < sizeof ref &&
        hwl_file_read(ref, 256, &commit, &length, NULL) == HWL_OK) {
        commit[strcspn(commit, " \r\n")] = 0;
        bool ok = plain_word(commit, strlen(commit)) && (uint64_t)snprintf(folder, size, "%s/snapshots/%s", model, commit) < size &&
                  hwl_file_is_dir(folder);
        free(commit);
        if (ok)
            return true;
    }
    if ((uint64_t)snprintf(folder, size, "%s/snapshots/%s", model, revision) < size && hwl_file_is_dir(folder))
        return true;
    return !at && any_snapshot(model, folder, size);
}
