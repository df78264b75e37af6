/* SPDX-License-Identifier: Apache-2.0 */
/* The card of a start of vLLM, where a line names one: vLLM itself seldom does, but people paste what the driver says, and the
 * files with tuned kernels are called after it. */
#include "log/log.h"

#include <string.h>

/* A name of the catalogue in the characters of p; "NVIDIA_H100_80GB_HBM3" is written with other ones. */
static bool take(struct hwl_log *log, const char *p, uint64_t n, bool underscores)
{
    char name[96];
    while (n && p[n - 1] == ' ')
        n--;
    if (n < 2 || n >= sizeof name)
        return false;
    for (uint64_t i = 0; i < n; i++)
        name[i] = underscores && p[i] == '_' ? ' ' : p[i];
    name[n] = 0;
    hwl_error e;
    const hwl_accelerator *a = hwl_accelerator_find(name, &e);
    if (a)
        log->card = a->name;
    return a != NULL;
}

static uint64_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* "GPU 0: NVIDIA A100-SXM4-80GB", "|   0  Tesla T4                       Off |" */
static void of_tables(struct hwl_log *log, const char *line)
{
    const char *p = line + strspn(line, " >#|\"'");
    const bool row = p > line && memchr(line, '|', (size_t)(p - line));
    const char *colon;
    if (strncmp(p, "GPU ", 4) == 0 && digits(p + 4) && *(colon = p + 4 + digits(p + 4)) == ':') {
        const char *name = colon + 1 + strspn(colon + 1, " ");
        uint64_t n = strcspn(name, "(|\\\"'");
        (void)take(log, name, n, false);
    } else if (row && digits(p) && strncmp(p + digits(p), "  ", 2) == 0) {
        const char *name = p + digits(p) + strspn(p + digits(p), " "), *end = strstr(name, "  ");
        if (end)
            (void)take(log, name, (uint64_t)(end - name), false);
    }
}

void hwl_log_read_card(struct hwl_log *log, const char *line)
{
    const char *at;
    if (*log->card)
        return;
    of_tables(log, line);
    if ((at = strstr(line, "device_name="))) { /* of a file of tuned kernels: "E=128,N=768,device_name=NVIDIA_H100_80GB_HBM3.json" */
        at += 12 + (at[12] == '\'' || at[12] == '"');
        uint64_t n = strcspn(at, ",'\" ]");
        while (n && memchr(at, '.', n)) /* the name's own end: file type or "fp8_w8a8" behind a comma */
            n = (uint64_t)((const char *)memchr(at, '.', n) - at);
        (void)take(log, at, n, true);
    }
    if ((at = strstr(line, "Found GPU")) && digits(at + 9)) { /* "Found GPU0 NVIDIA GB10 which is of ..." */
        at += 9 + digits(at + 9);
        at += strspn(at, " ");
        const char *end = strstr(at, " which is of");
        if (end)
            (void)take(log, at, (uint64_t)(end - at), false);
    }
}
