/* SPDX-License-Identifier: Apache-2.0 */
/* Host memory: /proc/meminfo within the limit of the control group (v2, then v1). */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "probe/probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool hwl_probe_slurp(const char *root, const char *path, char *buf, uint64_t size)
{
    char full[768];
    if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full)
        return false;
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    uint64_t n = 0;
    for (ssize_t got; n + 1 < size && (got = read(fd, buf + n, (size_t)(size - 1 - n))) > 0;)
        n += (uint64_t)got;
    buf[n] = 0;
    (void)close(fd);
    return n > 0;
}

bool hwl_probe_line(const char *root, const char *path, char *buf, uint64_t size)
{
    if (!hwl_probe_slurp(root, path, buf, size))
        return false;
    buf[strcspn(buf, "\n")] = 0;
    return true;
}

bool hwl_probe_u64(const char *root, const char *path, uint64_t *out)
{
    char text[40];
    return hwl_probe_line(root, path, text, sizeof text) && hwl_text_u64(text, out);
}

static bool meminfo(const char *text, const char *key, uint64_t *out)
{
    const char *p = strstr(text, key);
    return p && hwl_mul(out, strtoull(p + strlen(key), NULL, 10), 1024);
}

/* Limit and use of one control group folder. */
static void group(const char *root, const char *limit, const char *usage, const char *stat, const char *inactive, uint64_t *total,
                  uint64_t *available)
{
    char text[8192];
    uint64_t max = 0, used = 0, cache = 0;
    if (!hwl_probe_u64(root, limit, &max) || max >= *total)
        return;
    if (!hwl_probe_u64(root, usage, &used))
        used = 0;
    /* Pages of files that nobody uses any more are given back on demand. */
    const char *p = hwl_probe_slurp(root, stat, text, sizeof text) ? strstr(text, inactive) : NULL;
    if (p)
        cache = strtoull(p + strlen(inactive), NULL, 10);
    used = used > cache ? used - cache : 0;
    *total = max;
    *available = hwl_min(*available, used < max ? max - used : 0);
}

hwl_status hwl_probe_ram(const hwl_probe_options *options, uint64_t *total, uint64_t *available, hwl_error *error)
{
    const char *root = options && options->root ? options->root : "";
    char text[4096], own[512], path[3][640];
    uint64_t all, free_bytes;
    if (!hwl_probe_slurp(root, "/proc/meminfo", text, sizeof text) || !meminfo(text, "MemTotal:", &all))
        return hwl_fail_at(error, HWL_E_SYSTEM, "/proc/meminfo", HWL_NO_OFFSET, NULL, "the memory of this machine cannot be read; give --ram SIZE");
    if (!meminfo(text, "MemAvailable:", &free_bytes) && !meminfo(text, "MemFree:", &free_bytes))
        free_bytes = all;
    if (hwl_probe_slurp(root, "/proc/self/cgroup", text, sizeof text)) {
        const char *p = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
        if (p) {
            p = strchr(p, '/');
            (void)snprintf(own, sizeof own, "%.*s", p ? (int)strcspn(p, "\n") : 0, p ? p : "");
            (void)snprintf(path[0], sizeof path[0], "/sys/fs/cgroup%s/memory.max", own);
            (void)snprintf(path[1], sizeof path[1], "/sys/fs/cgroup%s/memory.current", own);
            (void)snprintf(path[2], sizeof path[2], "/sys/fs/cgroup%s/memory.stat", own);
            group(root, path[0], path[1], path[2], "inactive_file ", &all, &free_bytes);
        }
    }
    group(root, "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file ", &all, &free_bytes);
    group(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
          "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file ", &all, &free_bytes);
    *total = all;
    *available = hwl_min(free_bytes, all);
    return HWL_OK;
}
