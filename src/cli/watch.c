/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger watch: the machine as text, a look a second; with --json a document for each look. */
#include "cli/cli.h"
#include "view/json.h"
#include "view/view.h"

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

static void table(const hwl_monitor *m)
{
    char bytes[32];
    (void)printf("%-6s %12s %12s %12s %12s %5s %6s\n", "device", "used", "driver's", "free", "total", "C", "W");
    for (uint32_t i = 0; i < hwl_monitor_n_devices(m); i++)
        device(hwl_monitor_get_device(m, i));
    for (uint32_t i = 0; i < hwl_monitor_n_processes(m); i++) {
        const hwl_monitor_process *p = hwl_monitor_get_process(m, i);
        (void)printf("%-6s %12s  process %llu %s%s%s\n", hwl_monitor_get_device(m, p->device)->id, hwl_view_bytes(p->bytes, bytes, sizeof bytes),
                     (unsigned long long)p->pid, p->name, p->engine ? ", " : "", p->engine ? p->engine : "");
    }
    (void)printf("\n");
}

static void document(const hwl_monitor *m)
{
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
    hwl_view_json_end(&j);
}

static int look(hwl_monitor *m, bool json)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (hwl_monitor_sample(m, &error) != HWL_OK)
        return cli_fail(&error);
    if (json)
        document(m);
    else
        table(m);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_INPUT; /* whoever reads has gone */
}

int cli_watch(struct cli_args *args)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_monitor *m = NULL;
    char *end = NULL;
    const unsigned long long most = args->count ? strtoull(args->count, &end, 10) : 0;
    if (args->n_words)
        return cli_usage("watch takes no words");
    if (args->count && (*end || !most || *args->count == '-'))
        return cli_usage("--count wants a number from 1");
    if (hwl_monitor_open(NULL, &m, &error) != HWL_OK)
        return cli_fail(&error);
    struct timespec next;
    int rc = EXIT_OK;
    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    for (unsigned long long n = 1; rc == EXIT_OK; n++) {
        rc = look(m, args->flag[CLI_JSON]);
        if (n == most || rc != EXIT_OK)
            break;
        next.tv_sec++;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            ;
    }
    hwl_monitor_close(m);
    return rc;
}
