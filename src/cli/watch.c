/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger watch: the machine as text, a look a second; with --json a document for each look. */
#include "cli/cli.h"
#include "view/json.h"
#include "view/stores.h"
#include "view/view.h"
#include "view/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Thousandths as a whole number, "-" where nobody tells. */
static const char *thousandths(uint64_t value, char *buf, size_t size)
{
    if (value == HWL_UNKNOWN)
        (void)snprintf(buf, size, "-");
    else
        (void)snprintf(buf, size, "%llu", (unsigned long long)((value + 500) / 1000));
    return buf;
}

static void device(const hwl_monitor_device *d)
{
    char used[32], reserved[32], rest[32], total[32], heat[24], power[24], name[96];
    (void)printf("%-6s %12s %12s %12s %12s %5s %6s  %s\n", d->id, hwl_view_bytes(d->used_bytes, used, sizeof used),
                 hwl_view_bytes(d->reserved_bytes, reserved, sizeof reserved), hwl_view_bytes(d->free_bytes, rest, sizeof rest),
                 hwl_view_bytes(d->total_bytes, total, sizeof total), thousandths(d->temperature_mc, heat, sizeof heat),
                 thousandths(d->power_mw, power, sizeof power), hwl_view_clean(d->name, name, sizeof name));
}

static void table(const struct hwl_watch *w)
{
    struct hwl_watch_row row;
    const char *note;
    char text[320];
    (void)printf("%-6s %12s %12s %12s %12s %5s %6s\n", "device", "used", "driver's", "free", "total", "C", "W");
    for (uint32_t i = 0; i < hwl_monitor_n_devices(w->monitor); i++)
        device(hwl_monitor_get_device(w->monitor, i));
    for (uint32_t i = 0; hwl_watch_row(w, i, &row); i++)
        (void)printf("%-6s %12s  process %s %s%s%s%s%s%s%s%s\n", row.device, row.measured, row.process, row.name, *row.engine ? ", " : "", row.engine,
                     *row.planned ? ", planned " : "", row.planned, *row.planned ? " (" : "", row.difference, *row.planned ? ")" : "");
    if (*hwl_watch_plan(w, text, sizeof text))
        (void)printf("%s\n", text);
    for (uint32_t i = 0; (note = hwl_monitor_note(w->monitor, i)); i++)
        (void)printf("note: %s\n", hwl_view_clean(note, text, sizeof text));
    (void)printf("\n");
}

static void document(const struct hwl_watch *w)
{
    const hwl_monitor *m = w->monitor;
    struct hwl_watch_row row;
    const char *note;
    struct hwl_view_json j;
    hwl_view_json_begin(&j, stdout, CLI_WATCH_SCHEMA, "devices");
    for (uint32_t i = 0; i < hwl_monitor_n_devices(m); i++) {
        const hwl_monitor_device *d = hwl_monitor_get_device(m, i);
        hwl_view_json_row(&j);
        hwl_view_json_text(&j, "id", d->id);
        hwl_view_json_text(&j, "name", d->name);
        hwl_view_json_number(&j, "total_bytes", d->total_bytes);
        hwl_view_json_number(&j, "reserved_bytes", d->reserved_bytes);
        hwl_view_json_number(&j, "used_bytes", d->used_bytes);
        hwl_view_json_number(&j, "free_bytes", d->free_bytes);
        hwl_view_json_number(&j, "temperature_millidegrees", d->temperature_mc);
        hwl_view_json_number(&j, "power_milliwatts", d->power_mw);
        hwl_view_json_number(&j, "power_limit_milliwatts", d->power_limit_mw);
        hwl_view_json_number(&j, "busy_percent", d->busy_percent);
    }
    hwl_view_json_list(&j, "processes");
    for (uint32_t i = 0; hwl_watch_row(w, i, &row); i++) {
        hwl_view_json_row(&j);
        hwl_view_json_number(&j, "pid", row.pid);
        hwl_view_json_text(&j, "name", row.name);
        hwl_view_json_text(&j, "engine", *row.engine ? row.engine : NULL);
        hwl_view_json_text(&j, "device", row.device);
        hwl_view_json_number(&j, "measured_bytes", row.measured_bytes);
        hwl_view_json_number(&j, "planned_bytes", row.planned_bytes);
    }
    hwl_view_json_list(&j, "notes");
    for (uint32_t i = 0; (note = hwl_monitor_note(m, i)); i++) {
        hwl_view_json_row(&j);
        hwl_view_json_text(&j, "note", note);
    }
    hwl_view_json_end(&j);
}

static int look(struct hwl_watch *w, const struct hwl_view_stores *stores, uint64_t second, bool json)
{
    hwl_watch_look(w, NULL, &stores->options, second);
    if (*w->trouble) {
        (void)fprintf(stderr, "hwledger: %s\n", w->trouble);
        return EXIT_INPUT;
    }
    if (json)
        document(w);
    else
        table(w);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_INPUT; /* whoever reads has gone */
}

int cli_watch(struct cli_args *args)
{
    char *end = NULL;
    const unsigned long long most = args->count ? strtoull(args->count, &end, 10) : 0;
    if (args->n_words)
        return cli_usage("watch takes no words");
    if (args->count && (*end || !most || *args->count == '-'))
        return cli_usage("--count wants a number from 1");
    struct hwl_watch *w = calloc(1, sizeof *w);
    struct hwl_view_stores stores;
    struct timespec next;
    int rc = w ? EXIT_OK : EXIT_INPUT;
    hwl_view_stores(&stores);
    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    for (unsigned long long n = 1; rc == EXIT_OK; n++) {
        rc = look(w, &stores, (uint64_t)next.tv_sec + 1, args->flag[CLI_JSON]);
        if (n == most || rc != EXIT_OK)
            break;
        next.tv_sec++;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            ;
    }
    if (w)
        hwl_watch_free(w);
    free(w);
    return rc;
}
