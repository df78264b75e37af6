/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the models of the local stores. Folders are walked without following links to folders, to a fixed depth, so that neither a
 * circle nor a whole disk keeps the walk going. */
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "source/hf_cache.h"
#include "source/ollama.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096u
#define DEPTH_MAX 5u
#define ENTRIES_MAX 200000u

struct item {
    char *name, *path;
    const char *format, *store;
    uint64_t bytes;
};

struct list {
    struct hwl_arena arena;
    struct item *items;
    uint64_t n, cap, seen;
    const char *store;
    bool nomem;
};

static void add(struct list *l, const char *name, const char *path, const char *format, uint64_t bytes)
{
    struct item *items = hwl_arena_grow(&l->arena, l->items, &l->cap, l->n + 1, sizeof *items);
    char *n = hwl_arena_str(&l->arena, name), *p = hwl_arena_str(&l->arena, path);
    if (!items || !n || !p) {
        l->nomem = true;
        return;
    }
    l->items = items;
    items[l->n++] = (struct item){n, p, format, l->store, bytes};
}

/* Size of a regular file, links followed; false for all else. */
static bool file_size(const char *path, uint64_t *bytes)
{
    struct stat s;
    if (stat(path, &s) != 0 || !S_ISREG(s.st_mode))
        return false;
    *bytes = (uint64_t)s.st_size;
    return true;
}

/* A GGUF: the first file of a split set stands for all, the others and projectors are no models of their own. */
static void add_gguf(struct list *l, const char *path, const char *file)
{
    uint64_t bytes, total = 0;
    if (strncmp(file, "mmproj", 6) == 0 || !file_size(path, &total))
        return;
    const char *of = strstr(file, "-of-");
    unsigned part = 0, parts = 0;
    if (of && of - file > 6 && sscanf(of - 6, "-%5u-of-%5u.gguf", &part, &parts) == 2) {
        if (part != 1)
            return;
        char other[PATH_BYTES];
        const int stem = (int)(strlen(path) - strlen(of - 6));
        for (unsigned i = 2; i <= parts && i < 1000; i++)
            if ((uint64_t)snprintf(other, sizeof other, "%.*s-%05u-of-%05u.gguf", stem, path, i, parts) < sizeof other &&
                file_size(other, &bytes))
                total += bytes;
    }
    add(l, path, path, "gguf", total);
}

/* Calls visit for each entry of a folder but hidden ones. */
static void each(struct list *l, const char *folder, unsigned depth, void (*visit)(struct list *, const char *, const char *, unsigned))
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    char path[PATH_BYTES];
    while (dir && (e = readdir(dir)) && l->seen++ < ENTRIES_MAX)
        if (e->d_name[0] != '.' && (uint64_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < sizeof path)
            visit(l, path, e->d_name, depth);
    if (dir)
        (void)closedir(dir);
}

/* Adds what one folder of a Hugging Face kind holds; returns whether it holds anything. */
static bool add_folder(struct list *l, const char *name, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    char path[PATH_BYTES];
    uint64_t bytes, weights = 0, n = 0;
    bool config = false;
    while (dir && (e = readdir(dir)) && l->seen++ < ENTRIES_MAX) {
        if ((uint64_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= sizeof path)
            continue;
        const struct hwl_str s = hwl_str_of(e->d_name);
        if (strcmp(e->d_name, "config.json") == 0)
            config = file_size(path, &bytes);
        else if (hwl_str_ends(s, ".safetensors") && file_size(path, &bytes)) {
            weights += bytes;
            n++;
        } else if (hwl_str_ends(s, ".gguf"))
            add_gguf(l, path, e->d_name);
    }
    if (dir)
        (void)closedir(dir);
    if (config)
        add(l, name, folder, n ? "safetensors" : "config", weights);
    return config;
}

static void walk(struct list *l, const char *path, const char *name, unsigned depth)
{
    struct stat s;
    if (lstat(path, &s) != 0)
        return;
    if (S_ISDIR(s.st_mode)) {
        if (depth < DEPTH_MAX && !add_folder(l, path, path))
            each(l, path, depth + 1, walk);
    } else if (depth == 0 && hwl_str_ends(hwl_str_of(name), ".gguf")) {
        add_gguf(l, path, name); /* deeper ones are seen by add_folder */
    }
}

static void list_hf(struct list *l, const hwl_open_options *options)
{
    char root[PATH_BYTES], folder[PATH_BYTES], id[512];
    if (options->hf_cache)
        (void)snprintf(root, sizeof root, "%s", options->hf_cache);
    else if (options->home)
        (void)snprintf(root, sizeof root, "%s/.cache/huggingface/hub", options->home);
    else
        return;
    DIR *dir = opendir(root);
    struct dirent *e;
    while (dir && (e = readdir(dir)) && l->seen++ < ENTRIES_MAX) {
        if (strncmp(e->d_name, "models--", 8) != 0)
            continue;
        (void)snprintf(id, sizeof id, "%s", e->d_name + 8);
        char *cut = strstr(id, "--");
        if (cut) {
            *cut = '/';
            memmove(cut + 1, cut + 2, strlen(cut + 2) + 1);
        }
        if (hwl_hf_cache_find(id, options, folder, sizeof folder))
            (void)add_folder(l, id, folder);
    }
    if (dir)
        (void)closedir(dir);
}

/* manifests/HOST/NAMESPACE/NAME/TAG */
static void ollama_walk(struct list *l, const char *path, const char *name, unsigned depth)
{
    (void)name;
    struct stat s;
    if (lstat(path, &s) != 0)
        return;
    if (S_ISDIR(s.st_mode) && depth < 3) {
        each(l, path, depth + 1, ollama_walk);
        return;
    }
    if (!S_ISREG(s.st_mode) || depth != 3)
        return;
    /* the last four words of the path */
    const char *word[4], *p = path + strlen(path);
    for (int i = 3; i >= 0; i--) {
        while (p > path && p[-1] != '/')
            p--;
        word[i] = p;
        p -= p > path;
    }
    char text[600];
    const bool own = strncmp(word[0], "registry.", 9) == 0, library = own && strncmp(word[1], "library/", 8) == 0;
    const char *from = library ? word[2] : own ? word[1] : word[0];
    (void)snprintf(text, sizeof text, "ollama:%.*s:%s", (int)(word[3] - 1 - from), from, word[3]);
    add(l, text, path, "gguf", 0);
}

static void list_ollama(struct list *l, const hwl_open_options *options, const char *root)
{
    char path[PATH_BYTES];
    if ((uint64_t)snprintf(path, sizeof path, "%s/manifests", root) >= sizeof path)
        return;
    const uint64_t first = l->n;
    each(l, path, 0, ollama_walk);
    uint64_t kept = first;
    for (uint64_t i = first; i < l->n; i++) { /* what is no model of that store after all is left out */
        struct hwl_ollama_model m;
        uint64_t projector = 0;
        if (hwl_ollama_find(l->items[i].name + 7, options, &l->arena, &m, NULL) != HWL_OK || !file_size(m.model, &l->items[i].bytes))
            continue;
        if (m.projector && file_size(m.projector, &projector))
            l->items[i].bytes += projector;
        l->items[kept++] = l->items[i];
    }
    l->n = kept;
}

static int by_name(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void sort_from(struct list *l, uint64_t first)
{
    if (l->n > first + 1)
        qsort(l->items + first, (size_t)(l->n - first), sizeof *l->items, by_name);
}

hwl_status hwl_local_list(const hwl_open_options *options, bool (*found)(void *user, const hwl_local_model *model), void *user,
                          hwl_error *error)
{
    static const hwl_open_options none;
    static const struct {
        const char *store, *folder;
        bool llama; /* options may name another folder */
    } folders[] = {
        {"lmstudio", ".lmstudio/models", false},
        {"lmstudio", ".cache/lm-studio/models", false},
        {"llama.cpp", ".cache/llama.cpp", true},
        {"llama.cpp", "Library/Caches/llama.cpp", false},
    };
    const hwl_open_options *o = options ? options : &none;
    struct list l = {.store = "ollama"};
    char path[PATH_BYTES];
    if (hwl_ollama_root(o, path, sizeof path))
        list_ollama(&l, o, path);
    sort_from(&l, 0);
    uint64_t first = l.n;
    l.store = "huggingface";
    list_hf(&l, o);
    sort_from(&l, first);
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
        first = l.n;
        l.store = folders[i].store;
        const bool named = folders[i].llama && o->llama_cache;
        if (!named && !o->home)
            continue;
        const int n = named ? snprintf(path, sizeof path, "%s", o->llama_cache)
                            : snprintf(path, sizeof path, "%s/%s", o->home, folders[i].folder);
        if ((uint64_t)n < sizeof path)
            each(&l, path, 0, walk);
        sort_from(&l, first);
    }
    hwl_status status = l.nomem ? hwl_fail(error, HWL_E_NOMEM, "out of memory") : HWL_OK;
    for (uint64_t i = 0; status == HWL_OK && i < l.n; i++) {
        const struct item *m = &l.items[i];
        const hwl_local_model one = {m->name, m->path, m->format, m->store, m->bytes};
        if (!found(user, &one))
            break;
    }
    hwl_arena_free(&l.arena);
    return status;
}
