/* SPDX-License-Identifier: Apache-2.0 */
/* What each process holds on GPUs of the kernel's DRM class: /proc/PID/fdinfo of its descriptors of /dev/dri, in the form of the
 * kernel's document "DRM client usage stats". Keys of memory: drm-resident-REGION; drm-memory-REGION is an older name for it
 * (amdgpu alone); drm-total-REGION also counts what lies elsewhere at the moment. */
#include "base/bytes.h"
#include "base/str.h"
#include "probe/monitor_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The value of the line that begins with key and a colon, without blanks in front; NULL: there is none. */
static const char *value_of(const char *text, const char *key)
{
    const size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, key, n) == 0 && line[n] == ':')
            return line + n + 1 + strspn(line + n + 1, " \t");
    return NULL;
}

/* "12 KiB", "3 MiB", "4096". */
static bool size_of(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    const uint64_t n = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    if (!isdigit((unsigned char)*text) || errno)
        return false;
    end += strspn(end, " \t");
    return hwl_mul(out, n, strncmp(end, "KiB", 3) == 0 ? 1 << 10 : strncmp(end, "MiB", 3) == 0 ? 1 << 20 : strncmp(end, "GiB", 3) == 0 ? 1 << 30 : 1);
}

/* Is name, of n characters, one of the words, or one with a number behind it? */
static bool is_region(const char *words, const char *name, size_t n)
{
    while (n && isdigit((unsigned char)name[n - 1]))
        n--;
    for (const char *w = words; *w; w += strspn(w, " ")) {
        const size_t len = strcspn(w, " ");
        if (len == n && strncmp(w, name, n) == 0)
            return true;
        w += len;
    }
    return false;
}

/* Sums one kind of key over the regions; false where there is none of it. */
static bool sum_of(const char *text, const char *prefix, const char *regions, uint64_t *out)
{
    const size_t n = strlen(prefix);
    bool any = false;
    uint64_t bytes;
    *out = 0;
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        const size_t key = strcspn(line, ":\n");
        if (strncmp(line, prefix, n) != 0 || key < n || line[key] != ':' || !is_region(regions, line + n, key - n) ||
            !size_of(line + key + 1 + strspn(line + key + 1, " \t"), &bytes) || !hwl_add(out, *out, bytes))
            continue;
        any = true;
    }
    return any;
}

/* A client counts once, however many descriptors of it there are. */
static bool is_new(struct hwl_monitor *m, uint32_t device, const char *id_text)
{
    const uint64_t id = id_text ? strtoull(id_text, NULL, 10) : 0;
    if (!id_text)
        return true;
    for (uint32_t i = 0; i < m->n_clients; i++)
        if (m->client[i].id == id && m->client[i].device == device)
            return false;
    if (m->n_clients < HWL_MONITOR_CLIENTS) {
        m->client[m->n_clients].id = id;
        m->client[m->n_clients++].device = device;
    }
    return true;
}

static void descriptor(struct hwl_monitor *m, uint64_t pid, const char *fd)
{
    char path[64], text[8192];
    (void)snprintf(path, sizeof path, "/proc/%llu/fdinfo/%.12s", (unsigned long long)pid, fd);
    if (!hwl_probe_slurp(m->root, path, text, sizeof text))
        return;
    const char *pdev = value_of(text, "drm-pdev");
    for (uint32_t i = 0; pdev && i < m->n_gpus; i++) {
        const struct hwl_monitor_place *p = &m->place[i];
        const size_t n = strlen(p->pdev);
        uint64_t bytes;
        if (!n || strncmp(pdev, p->pdev, n) != 0 || !strchr("\n \t", pdev[n]))
            continue;
        if ((sum_of(text, "drm-resident-", p->regions, &bytes) || sum_of(text, "drm-memory-", p->regions, &bytes) ||
             sum_of(text, "drm-total-", p->regions, &bytes)) && is_new(m, i, value_of(text, "drm-client-id")) && bytes)
            hwl_monitor_add_process(m, pid, i, bytes);
        return;
    }
}

static void process(struct hwl_monitor *m, uint64_t pid)
{
    char path[640], target[32];
    const struct dirent *e;
    (void)snprintf(path, sizeof path, "%s/proc/%llu/fd", m->root, (unsigned long long)pid);
    DIR *dir = opendir(path);
    if (!dir) {
        (void)snprintf(path, sizeof path, "/proc/%llu/cmdline", (unsigned long long)pid); /* the kernel's own threads have none */
        m->hidden += errno == EACCES && hwl_probe_line(m->root, path, target, sizeof target);
        return;
    }
    while ((e = readdir(dir))) { /* the links are cheap to read, the files are not */
        const ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1);
        if (n > 9 && strncmp(target, "/dev/dri/", 9) == 0)
            descriptor(m, pid, e->d_name);
    }
    (void)closedir(dir);
}

void hwl_monitor_fdinfo(struct hwl_monitor *m)
{
    char path[640];
    bool any = false;
    for (uint32_t i = 0; i < m->n_gpus; i++)
        any = any || *m->place[i].pdev;
    (void)snprintf(path, sizeof path, "%s/proc", m->root);
    DIR *dir = any ? opendir(path) : NULL;
    const struct dirent *e;
    uint64_t pid;
    while (dir && (e = readdir(dir)))
        if (isdigit((unsigned char)e->d_name[0]) && hwl_text_u64(e->d_name, &pid))
            process(m, pid);
    if (dir)
        (void)closedir(dir);
}
