/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger devices and hwledger models: the machine and the two catalogues. */
#include "cli/cli.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool holds(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; *text; text++)
        if (strncasecmp(text, word, n) == 0)
            return true;
    return !n;
}

/* Every word stands in one of the texts. */
static bool matches(const struct cli_args *args, const char *a, const char *b, const char *c)
{
    for (uint32_t i = 0; i < args->n_words; i++)
        if (!holds(a, args->words[i]) && !holds(b, args->words[i]) && !holds(c, args->words[i]))
            return false;
    return true;
}

static int nothing(const struct cli_args *args, const char *what)
{
    (void)fprintf(stderr, "hwledger: no %s matches", what);
    for (uint32_t i = 0; i < args->n_words; i++)
        (void)fprintf(stderr, " '%s'", args->words[i]);
    (void)fputc('\n', stderr);
    return EXIT_INPUT;
}

static int catalogue(const struct cli_args *args)
{
    const hwl_accelerator *a;
    uint32_t n = 0;
    for (uint32_t i = 0; (a = hwl_accelerator_at(i)); i++) {
        char memory[40], box[40], speed[40] = "unknown", compute[16] = "";
        if (!matches(args, a->name, a->vendor, ""))
            continue;
        if (!n++)
            (void)printf("%-54s %12s %13s %10s %5s %5s\n", "accelerator", "on the box", "for programs", "bandwidth", "cc", "year");
        if (a->bandwidth != HWL_UNKNOWN)
            (void)snprintf(speed, sizeof speed, "%.0f GB/s", (double)a->bandwidth / 1e9);
        if (a->compute_major)
            (void)snprintf(compute, sizeof compute, "%u.%u", a->compute_major, a->compute_minor);
        (void)hwl_view_bytes(a->usable_bytes, memory, sizeof memory);
        if (a->driver_bytes == HWL_UNKNOWN && a->usable_bytes != HWL_UNKNOWN) {
            memmove(memory + 1, memory, strlen(memory) + 1);
            memory[0] = '~';
        }
        (void)printf("%-54s %12s %13s %10s %5s", a->name, hwl_view_bytes(a->marketing_bytes, box, sizeof box), memory, speed, compute);
        (void)(a->year ? printf(" %5u\n", a->year) : printf("\n"));
    }
    if (!n)
        return nothing(args, "accelerator");
    (void)puts("~ estimated: no driver's figure was seen");
    return EXIT_OK;
}

int cli_list_devices(struct cli_args *args)
{
    if (args->flag[CLI_CATALOGUE])
        return catalogue(args);
    if (args->n_words)
        return cli_usage("devices takes words with --catalogue only");
    hwl_devices *d = NULL;
    int rc = cli_devices(args, &d);
    if (rc)
        return rc;
    (void)printf("%-6s %-40s %13s %13s %s\n", "id", "device", "memory", "free", "");
    for (uint32_t i = 0; i < hwl_devices_count(d); i++) {
        const hwl_device *v = hwl_devices_get(d, i);
        char name[100], total[40], rest[40];
        (void)printf("%-6s %-40s %13s %13s", v->id, hwl_view_clean(v->name, name, sizeof name), hwl_view_bytes(v->memory_bytes, total, sizeof total),
                     hwl_view_bytes(v->free_bytes, rest, sizeof rest));
        (void)(v->compute_major ? printf("  compute %u.%u\n", v->compute_major, v->compute_minor) : printf("\n"));
    }
    if (!hwl_devices_gpus(d))
        (void)puts("no GPU was found; --gpu NAME plans for one that is not here");
    hwl_devices_free(d);
    return EXIT_OK;
}

int cli_models(struct cli_args *args)
{
    if (args->flag[CLI_LOCAL])
        return cli_usage("'models --local' is not in this version");
    const hwl_catalogue_model *m;
    uint32_t n = 0;
    for (uint32_t i = 0; (m = hwl_catalogue_at(i)); i++) {
        char params[40];
        if (!matches(args, m->name, m->id, m->aliases) && !matches(args, m->family, m->id, ""))
            continue;
        if (!n++)
            (void)printf("%-36s %12s  %s\n", "model", "parameters", "id");
        (void)printf("%-36s %12s  %s\n", m->name, hwl_view_params(m->parameters, params, sizeof params), m->id);
    }
    return n ? EXIT_OK : nothing(args, "model");
}
