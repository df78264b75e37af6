/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger devices: the machine and the catalogue of accelerators. */
#include "cli/cli.h"
#include "view/json.h"
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

bool cli_matches(const struct cli_args *args, const char *a, const char *b, const char *c)
{
    for (uint32_t i = 0; i < args->n_words; i++)
        if (!holds(a, args->words[i]) && !holds(b, args->words[i]) && !holds(c, args->words[i]))
            return false;
    return true;
}

int cli_nothing(const struct cli_args *args, const char *what)
{
    (void)fprintf(stderr, "hwledger: no %s matches", what);
    for (uint32_t i = 0; i < args->n_words; i++)
        (void)fprintf(stderr, " '%s'", args->words[i]);
    (void)fputc('\n', stderr);
    return EXIT_INPUT;
}

/* The words of the plan document. */
static const char *kind_name(hwl_device_kind kind)
{
    static const char *const names[] = {"gpu", "cpu", "unified", "disk"};
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

static const char *backend_name(hwl_backend backend)
{
    static const char *const names[] = {"cpu", "cuda", "rocm", "metal", "vulkan", "sycl", "other"};
    return (unsigned)backend < sizeof names / sizeof *names ? names[backend] : NULL;
}

/* Where 0 says that nobody knows. */
static uint64_t known(uint64_t n)
{
    return n ? n : HWL_UNKNOWN;
}

static void json_capability(struct hwl_view_json *j, uint32_t major, uint32_t minor)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%u.%u", major, minor);
    hwl_view_json_text(j, "compute_capability", major ? text : NULL);
}

static void json_accelerator(struct hwl_view_json *j, const hwl_accelerator *a)
{
    hwl_view_json_row(j);
    hwl_view_json_text(j, "name", a->name);
    hwl_view_json_text(j, "vendor", a->vendor);
    hwl_view_json_text(j, "kind", kind_name(a->kind));
    hwl_view_json_text(j, "backend", backend_name(a->backend));
    hwl_view_json_number(j, "marketing_bytes", a->marketing_bytes);
    hwl_view_json_number(j, "driver_bytes", a->driver_bytes);
    hwl_view_json_number(j, "usable_bytes", a->usable_bytes);
    hwl_view_json_number(j, "bandwidth", a->bandwidth);
    hwl_view_json_number(j, "fp16_gflops", known(a->fp16_gflops));
    json_capability(j, a->compute_major, a->compute_minor);
    hwl_view_json_number(j, "year", known(a->year));
}

static void json_device(struct hwl_view_json *j, const hwl_device *d)
{
    hwl_view_json_row(j);
    hwl_view_json_text(j, "id", d->id);
    hwl_view_json_text(j, "name", d->name);
    hwl_view_json_text(j, "kind", kind_name(d->kind));
    hwl_view_json_text(j, "backend", backend_name(d->backend));
    hwl_view_json_number(j, "memory_bytes", d->memory_bytes);
    hwl_view_json_number(j, "free_bytes", d->free_bytes);
    hwl_view_json_number(j, "bandwidth", d->bandwidth);
    json_capability(j, d->compute_major, d->compute_minor);
    hwl_view_json_number(j, "multiprocessors", known(d->n_sm));
}

static int catalogue_json(const struct cli_args *args)
{
    const hwl_accelerator *a;
    struct hwl_view_json j = {.out = NULL};
    for (uint32_t i = 0; (a = hwl_accelerator_at(i)); i++) {
        if (!cli_matches(args, a->name, a->vendor, ""))
            continue;
        if (!j.out)
            hwl_view_json_begin(&j, stdout, CLI_DEVICES_SCHEMA, "devices");
        json_accelerator(&j, a);
    }
    if (!j.out)
        return cli_nothing(args, "accelerator");
    hwl_view_json_end(&j);
    return EXIT_OK;
}

static int catalogue(const struct cli_args *args)
{
    const hwl_accelerator *a;
    uint32_t n = 0;
    for (uint32_t i = 0; (a = hwl_accelerator_at(i)); i++) {
        char memory[40], box[40], speed[40] = "unknown", compute[16] = "";
        if (!cli_matches(args, a->name, a->vendor, ""))
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
        return cli_nothing(args, "accelerator");
    (void)puts("~ estimated: no driver's figure was seen");
    return EXIT_OK;
}

int cli_list_devices(struct cli_args *args)
{
    if (args->flag[CLI_CATALOGUE])
        return args->flag[CLI_JSON] ? catalogue_json(args) : catalogue(args);
    if (args->n_words)
        return cli_usage("devices takes words with --catalogue only");
    hwl_devices *d = NULL;
    int rc = cli_devices(args, &d);
    if (rc)
        return rc;
    if (args->flag[CLI_JSON]) {
        struct hwl_view_json j;
        hwl_view_json_begin(&j, stdout, CLI_DEVICES_SCHEMA, "devices");
        for (uint32_t i = 0; i < hwl_devices_count(d); i++)
            json_device(&j, hwl_devices_get(d, i));
        hwl_view_json_end(&j);
        hwl_devices_free(d);
        return EXIT_OK;
    }
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
