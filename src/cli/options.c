/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of commands and options, and the parser over them. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MACHINE "gpu gpu-memory ram generic json explain help"
#define TERMINAL "gpu gpu-memory ram generic ascii theme help"
#define PLAN MACHINE " advice html svg"

const struct cli_command cli_commands[] = {
    {"plan", "MODEL", "what MODEL takes on the devices, and whether it fits", PLAN, true, cli_plan},
    {"inspect", "MODEL", "layers, parameters, types and bytes of a model", "generic json help", false, cli_inspect},
    {"devices", "[WORDS]", "this machine's devices; with --catalogue all known accelerators", "catalogue json help", false, cli_list_devices},
    {"models", "[WORDS]", "the catalogue of models; with --local those found on disk", "local json help", false, cli_models},
    {"fit", "MODEL", "best settings that fit the devices", MACHINE, true, cli_later},
    {"compare", "A B", "plans side by side", MACHINE, true, cli_later},
    {"explain-log", "FILE [MODEL]", "what a start-up log of vLLM, SGLang, TensorRT-LLM or llama.cpp says, planned the same", "gpu gpu-memory ram generic json help", false, cli_explain_log},
    {"require", "MODEL", "what hardware runs it", MACHINE, true, cli_later},
    {"export", "MODEL", "the engine's own configuration or command line", MACHINE, true, cli_later},
    {"verify", "FILE.gguf [TOOL]", "a llama.cpp of your own is asked (llama-fit-params, options behind --), planned against its figures", "gpu gpu-memory ram help", true, cli_verify},
    {"train", "MODEL", "memory, time and tokens of training", MACHINE, true, cli_later},
    {"watch", "", "memory, heat, power and processes of this machine, once a second", "count json help", false, cli_watch},
    {"top", "", "live monitor on the terminal", TERMINAL, true, cli_tui},
    {"record", "", "measurements into the record", "help", false, cli_later},
    {"reconcile", "", "planned against measured", "help", false, cli_later},
    {"serve", "", "Prometheus and JSON over HTTP", "help", false, cli_later},
    {"tui", "[MODEL]", "the planner on the terminal", TERMINAL, true, cli_tui},
};
const uint32_t cli_n_commands = sizeof cli_commands / sizeof *cli_commands;

const struct cli_option cli_options[] = {
    {"gpu", "NAME[xN]", "a GPU of the catalogue, repeatable, in device order; none: the CPU alone", CLI_GPU},
    {"gpu-memory", "TOTAL[/FREE][xN]", "an unnamed CUDA device of that memory, repeatable", CLI_GPU_MEMORY},
    {"ram", "SIZE", "host memory; default this machine's", CLI_RAM},
    {"generic", "", "read an unknown decoder architecture as a dense one; every figure is then modelled", CLI_GENERIC},
    {"json", "", "the JSON document", CLI_JSON},
    {"explain", "", "every entry with its formula in numbers, a compute buffer with the tensors at its peak", CLI_EXPLAIN},
    {"advice", "", "what could be changed, even where the plan fits", CLI_ADVICE},
    {"html", "FILE", "write a self-contained report too", CLI_HTML},
    {"svg", "FILE", "write the picture of the plan too", CLI_SVG},
    {"count", "N", "as many looks; default until it is stopped", CLI_COUNT},
    {"ascii", "", "draw with ASCII characters alone", CLI_ASCII},
    {"theme", "NAME", "dark, light, contrast or none", CLI_THEME},
    {"local", "", "models found on disk", CLI_LOCAL},
    {"catalogue", "", "all known accelerators", CLI_CATALOGUE},
    {"help", "", "this text", CLI_HELP},
};
const uint32_t cli_n_options = sizeof cli_options / sizeof *cli_options;

int cli_usage(const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    (void)fprintf(stderr, "hwledger: %s\n", text);
    return EXIT_USAGE;
}

uint32_t cli_distance(const char *a, const char *b)
{
    enum { MAX = 48 };
    size_t na = strlen(a), nb = strlen(b);
    uint32_t rows[3][MAX + 1];
    if (na > MAX || nb > MAX)
        return MAX;
    uint32_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++)
        last[j] = before[j] = (uint32_t)j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++) {
            uint32_t d = last[j - 1] + (a[i - 1] != b[j - 1]);
            d = d < last[j] + 1 ? d : last[j] + 1;
            d = d < row[j - 1] + 1 ? d : row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < d)
                d = before[j - 2] + 1;
            row[j] = d;
        }
        uint32_t *t = before;
        before = last;
        last = row;
        row = t;
    }
    return last[nb];
}

bool cli_takes(const struct cli_command *command, const struct cli_option *option)
{
    size_t n = strlen(option->name);
    for (const char *p = command->options; (p = strstr(p, option->name)); p += n)
        if ((p == command->options || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

/* What a name on the command line means. */
struct meaning {
    const struct cli_option *own;
    const hwl_option_info *plan;
    bool off; /* a flag's no- form */
};

/* Flags are also known without "enable-" and with "no-" before either name. */
static bool is_flag(const hwl_option_info *o, const char *name, bool *off)
{
    *off = strncmp(name, "no-", 3) == 0;
    if (*off)
        name += 3;
    const char *bare = strncmp(o->name, "enable-", 7) == 0 ? o->name + 7 : o->name;
    return strcmp(name, o->name) == 0 || strcmp(name, bare) == 0;
}

static bool look_up(const struct cli_command *command, const char *name, struct meaning *out)
{
    *out = (struct meaning){0};
    for (uint32_t i = 0; i < cli_n_options; i++)
        if (strcmp(cli_options[i].name, name) == 0 && cli_takes(command, &cli_options[i])) {
            out->own = &cli_options[i];
            return true;
        }
    const hwl_option_info *o;
    for (uint32_t i = 0; command->plan_options && (o = hwl_option_at(i)); i++)
        if (strcmp(o->name, name) == 0 || (o->type == HWL_TYPE_FLAG && is_flag(o, name, &out->off))) {
            out->plan = o;
            return true;
        }
    return false;
}

static int unknown(const struct cli_command *command, const char *name)
{
    const char *best = NULL;
    uint32_t least = 4;
    for (uint32_t i = 0; i < cli_n_options; i++)
        if (cli_takes(command, &cli_options[i]) && cli_distance(name, cli_options[i].name) < least) {
            least = cli_distance(name, cli_options[i].name);
            best = cli_options[i].name;
        }
    const hwl_option_info *o;
    for (uint32_t i = 0; command->plan_options && (o = hwl_option_at(i)); i++)
        if (cli_distance(name, o->name) < least) {
            least = cli_distance(name, o->name);
            best = o->name;
        }
    if (best)
        return cli_usage("%s has no option --%s; did you mean --%s?", command->name, name, best);
    return cli_usage("%s has no option --%s; 'hwledger %s --help' lists them", command->name, name, command->name);
}

static int take_own(struct cli_args *args, const struct cli_option *o, const char *value)
{
    if (o->id == CLI_RAM) {
        args->ram = value;
    } else if (o->id == CLI_THEME) {
        args->flag[o->id] = true; /* hwledger-tui reads it */
    } else if (o->id == CLI_COUNT) {
        args->count = value;
    } else if (o->id == CLI_HTML) {
        args->html = value;
    } else if (o->id == CLI_SVG) {
        args->svg = value;
    } else if (o->id == CLI_GPU || o->id == CLI_GPU_MEMORY) {
        if (args->n_gpus == sizeof args->gpu / sizeof *args->gpu)
            return cli_usage("too many GPUs");
        args->gpu[args->n_gpus].id = o->id;
        args->gpu[args->n_gpus++].value = value;
    } else {
        args->flag[o->id] = true;
    }
    return 0;
}

static int take_plan(struct cli_args *args, const struct meaning *m, const char *value)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (m->plan->type == HWL_TYPE_FLAG && m->off)
        value = value && (strcmp(value, "false") == 0) ? "true" : "false";
    if (hwl_settings_set(args->settings, m->plan->name, value, &error) != HWL_OK)
        return cli_usage("%s", error.message);
    return 0;
}

int cli_parse(struct cli_args *args, int argc, const char *const *argv)
{
    args->argc = argc;
    args->argv = argv;
    for (int i = 0; i < argc; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--") == 0) {
            if (!args->command->plan_options)
                return cli_usage("%s takes no engine options behind --", args->command->name);
            args->n_engine_args = argc - i - 1;
            args->engine_args = argv + i + 1;
            return 0;
        }
        if (strcmp(a, "-h") == 0)
            a = "--help";
        if (a[0] != '-' || !a[1]) {
            if (args->n_words == sizeof args->words / sizeof *args->words)
                return cli_usage("too many words");
            args->words[args->n_words++] = a;
            continue;
        }
        if (a[1] != '-')
            return cli_usage("unknown option %s; options of the engine itself stand behind a lone --", a);
        char name[64];
        const char *equals = strchr(a, '=');
        size_t n = equals ? (size_t)(equals - a - 2) : strlen(a + 2);
        (void)snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), a + 2);
        struct meaning m;
        if (!look_up(args->command, name, &m))
            return unknown(args->command, name);
        bool flag = m.own ? !*m.own->argument : m.plan->type == HWL_TYPE_FLAG;
        const char *value = equals ? equals + 1 : NULL;
        if (m.own && flag && value)
            return cli_usage("--%s takes no value", name);
        if (!flag && !value) {
            if (i + 1 == argc || strcmp(argv[i + 1], "--") == 0)
                return cli_usage("--%s wants %s", name, m.own ? m.own->argument : m.plan->argument);
            value = argv[++i];
        }
        int rc = m.own ? take_own(args, m.own, value) : take_plan(args, &m, value);
        if (rc)
            return rc;
    }
    return 0;
}
