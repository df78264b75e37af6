/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger verify: asks the user's own llama.cpp (its llama-fit-params, which loads nothing) for its figures and prints them
 * beside the plan's. It runs as a child process with a time limit, never in this one. */
#include "cli/cli.h"

#include "view/view.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_S = 120, MOST_TEXT = 1 << 16, MIB = 1 << 20 };

static int fail(const char *tool, const char *what)
{
    hwl_error error = {.status = HWL_E_SYSTEM, .offset = HWL_NO_OFFSET};
    (void)snprintf(error.message, sizeof error.message, "%s: %s", tool, what);
    return cli_fail(&error);
}

static void child(const char *tool, const char *const *argv, int out)
{
    const int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        _exit(127);
    char *args[256] = {NULL}; /* execvp wants what it never writes */
    for (size_t i = 0; argv[i] && i + 1 < sizeof args / sizeof *args; i++)
        args[i] = strdup(argv[i]);
    (void)execvp(tool, args);
    _exit(127);
}

/* What the tool prints, NUL-terminated in text; an error text or NULL. */
static const char *ask(const char *tool, const char *const *argv, char *text, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0)
        return "no pipe";
    const pid_t pid = fork();
    if (pid == 0)
        child(tool, argv, ends[1]);
    (void)close(ends[1]);
    size_t n = 0;
    bool late = false;
    struct timespec start, now;
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    while (pid > 0 && n + 1 < size) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        const long left = LIMIT_S - (long)(now.tv_sec - start.tv_sec);
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        late = left <= 0 || poll(&p, 1, (int)left * 1000) == 0;
        const ssize_t got = late ? 0 : read(ends[0], text + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = 0;
    (void)close(ends[0]);
    int status = 0;
    if (pid < 0)
        return "cannot be started";
    if (late)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (late)
        return "did not answer in time";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return "is not there (llama.cpp's llama-fit-params; give its path behind MODEL)";
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : "failed";
}

/* The plan's device for a name such as CUDA0, MTL0, Host: its index, or -1. */
static int device_of(const hwl_plan *plan, const char *name)
{
    const char *digits = name + strcspn(name, "0123456789");
    const hwl_plan_device *d;
    char id[24];
    (void)snprintf(id, sizeof id, "%s%.8s", *digits ? "gpu" : "cpu", digits);
    for (uint32_t i = 0; (d = hwl_plan_get_device(plan, i)); i++)
        if (strcmp(d->device->id, id) == 0)
            return (int)i;
    return -1;
}

static uint64_t sum(const hwl_plan *plan, int device, unsigned kinds)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        /* what is repacked for the CPU lies in a buffer that is no host buffer and no device's: the tool leaves it out */
        if (e->device == device && kinds >> e->kind & 1 && e->memory != HWL_MEMORY_REPACKED)
            bytes += e->bytes;
    }
    return bytes;
}

/* "NAME model context compute" in MiB, a line a device (common_fit_print). The number of figures; *off those that differ. */
static unsigned compare(const hwl_plan *plan, char *text, unsigned *off)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } columns[] = {{"weights", 1u << HWL_KIND_WEIGHTS},
                   {"cache and state", 1u << HWL_KIND_KV_CACHE | 1u << HWL_KIND_RECURRENT_STATE},
                   {"compute", 1u << HWL_KIND_COMPUTE}};
    unsigned n = 0;
    char *next = NULL;
    for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        char name[32];
        unsigned long long mib[3];
        if (sscanf(line, "%31s %llu %llu %llu", name, &mib[0], &mib[1], &mib[2]) != 4)
            continue;
        const int device = device_of(plan, name);
        if (!n)
            (void)printf("%-8s %-16s %12s %12s\n", "device", "MiB", "planned", "llama.cpp");
        for (int k = 0; k < 3; k++) {
            const uint64_t planned = device < 0 ? 0 : sum(plan, device, columns[k].kinds) / MIB;
            const bool same = planned == mib[k];
            *off += !same;
            n++;
            (void)printf("%-8s %-16s %12llu %12llu%s\n", name, columns[k].name, (unsigned long long)planned, mib[k], same ? "" : "  differs");
        }
    }
    return n;
}

int cli_verify(struct cli_args *args)
{
    if (args->n_words < 1 || args->n_words > 2)
        return cli_usage("verify wants a MODEL, and may have the path of llama-fit-params");
    const hwl_option_info *o;
    char value[64];
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++)
        if (strcmp(o->name, "engine-version") != 0 && hwl_settings_get(args->settings, o->name, value, sizeof value))
            return cli_usage("verify takes llama.cpp's own options behind --, not --%s", o->name);
    const char *tool = args->n_words > 1 ? args->words[1] : "llama-fit-params";
    const char *argv[200] = {tool, "-m", args->words[0]};
    int n = 3, rc;
    if (args->n_engine_args > 190)
        return cli_usage("more options than verify passes on");
    for (int i = 0; i < args->n_engine_args; i++)
        argv[n++] = args->engine_args[i];
    argv[n++] = "-fitp";
    argv[n] = "on";
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    char *text = malloc(MOST_TEXT);
    /* the tool is no server: every token of a batch has logits, one sequence, nothing is fitted */
    hwl_status status = !text ? HWL_E_NOMEM : hwl_settings_set(args->settings, "program", "library", &error);
    rc = status == HWL_OK ? cli_devices(args, &devices) : fail(tool, "out of memory");
    if (!rc)
        rc = cli_open(args, args->words[0], &model);
    if (!rc) {
        status = args->n_engine_args ? hwl_settings_engine_args(args->settings, "llama.cpp", args->n_engine_args, args->engine_args, &error) : HWL_OK;
        if (status == HWL_OK)
            status = hwl_settings_set(args->settings, "engine", "llama.cpp", &error);
        if (status == HWL_OK)
            status = hwl_planner_new(model, devices, args->settings, &planner, &error);
        if (status == HWL_OK)
            status = hwl_planner_plan(planner, devices, args->settings, &plan, &error);
        error.status = status;
        rc = status == HWL_OK ? 0 : cli_fail(&error);
    }
    if (!rc) {
        unsigned off = 0;
        const char *wrong = ask(tool, argv, text, MOST_TEXT);
        const unsigned figures = wrong ? 0 : compare(plan, text, &off);
        if (wrong || !figures)
            rc = fail(tool, wrong ? wrong : "printed no figures");
        else
            (void)printf("%u of %u figures equal\n", figures - off, figures);
    }
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_model_free(model);
    hwl_devices_free(devices);
    free(text);
    return rc;
}
