/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of AMD's compute driver: /sys/class/kfd/kfd/proc/PID/vram_GPUID, bytes that everyone may read. fdinfo counts
 * the same memory and more, where it may be read: the larger of the two is taken. */
#include "base/str.h"
#include "probe/monitor_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 64 };

struct nodes {
    uint64_t gpu_id[NODES];
    uint32_t device[NODES];
    uint32_t n;
};

static bool property(const char *text, const char *key, uint64_t *out)
{
    const char *p = strstr(text, key);
    if (!p || (p != text && p[-1] != '\n'))
        return false;
    *out = strtoull(p + strlen(key), NULL, 10);
    return true;
}

/* The devices behind the identifiers: a node of the topology tells its place on the PCI bus as domain and bus << 8 | device << 3 | function. */
static void read_nodes(struct hwl_monitor *m, struct nodes *out)
{
    char path[96], text[4096], pdev[24];
    uint64_t id, location, domain;
    for (unsigned i = 0; i < NODES && out->n < NODES; i++) {
        (void)snprintf(path, sizeof path, "/sys/class/kfd/kfd/topology/nodes/%u/gpu_id", i);
        if (!hwl_probe_u64(m->root, path, &id) || !id)
            continue;
        (void)snprintf(path, sizeof path, "/sys/class/kfd/kfd/topology/nodes/%u/properties", i);
        if (!hwl_probe_slurp(m->root, path, text, sizeof text) || !property(text, "location_id ", &location))
            continue;
        if (!property(text, "domain ", &domain))
            domain = 0;
        (void)snprintf(pdev, sizeof pdev, "%04x:%02x:%02x.%u", (unsigned)(domain & 0xffff), (unsigned)(location >> 8 & 0xff),
                       (unsigned)(location >> 3 & 0x1f), (unsigned)(location & 7));
        for (uint32_t d = 0; d < m->n_gpus; d++)
            if (m->place[d].source == HWL_SOURCE_AMDGPU && m->device[d].kind == HWL_DEVICE_GPU && strcmp(m->place[d].pdev, pdev) == 0) {
                out->gpu_id[out->n] = id;
                out->device[out->n++] = d;
            }
    }
}

void hwl_monitor_kfd(struct hwl_monitor *m)
{
    struct nodes nodes = {.n = 0};
    char path[640];
    uint64_t pid, bytes;
    read_nodes(m, &nodes);
    (void)snprintf(path, sizeof path, "%s/sys/class/kfd/kfd/proc", m->root);
    DIR *dir = nodes.n ? opendir(path) : NULL;
    const struct dirent *e;
    while (dir && (e = readdir(dir))) {
        if (!isdigit((unsigned char)e->d_name[0]) || !hwl_text_u64(e->d_name, &pid))
            continue;
        for (uint32_t i = 0; i < nodes.n; i++) {
            (void)snprintf(path, sizeof path, "/sys/class/kfd/kfd/proc/%llu/vram_%llu", (unsigned long long)pid, (unsigned long long)nodes.gpu_id[i]);
            hwl_monitor_process *p = hwl_monitor_find_process(m, pid, nodes.device[i]);
            if (!hwl_probe_u64(m->root, path, &bytes) || !bytes)
                continue;
            if (!p)
                hwl_monitor_add_process(m, pid, nodes.device[i], bytes);
            else if (p->bytes != HWL_UNKNOWN && bytes > p->bytes)
                p->bytes = bytes;
        }
    }
    if (dir)
        (void)closedir(dir);
}
