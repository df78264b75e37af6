/* SPDX-License-Identifier: Apache-2.0 */
/* Help, man page and shell completions, all from the tables. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static void row(const char *name, const char *argument, const char *help)
{
    char left[128];
    (void)snprintf(left, sizeof left, "--%s%s%s", name, *argument ? " " : "", argument);
    (void)printf("  %-34s %s\n", left, help);
}

static void plan_row(const hwl_option_info *o)
{
    char name[72], help[512];
    bool no = o->type == HWL_TYPE_FLAG;
    (void)snprintf(name, sizeof name, "%s%s", no ? "[no-]" : "", o->name);
    (void)snprintf(help, sizeof help, "%s%s%s%s", o->help, *o->engines ? " (" : "", o->engines, *o->engines ? ")" : "");
    row(name, o->argument, help);
}

int cli_help(const struct cli_command *command)
{
    if (!command) {
        (void)puts("hwledger plans the memory of language models: exact bytes per device, for the engine that will run them.\n\n"
                   "usage: hwledger COMMAND [ARGUMENTS] [OPTIONS]\n");
        for (uint32_t i = 0; i < cli_n_commands; i++)
            if (cli_commands[i].run != cli_later) {
                char left[40];
                (void)snprintf(left, sizeof left, "%s %s", cli_commands[i].name, cli_commands[i].argument);
                (void)printf("  %-20s %s\n", left, cli_commands[i].help);
            }
        (void)puts("\nMODEL is a .gguf file, a folder with config.json, a .safetensors file or index, ollama:NAME[:TAG], a Hugging Face id in\n"
                   "the local cache, or a name of 'hwledger models'. Nothing is ever downloaded.\n\n"
                   "  hwledger plan llama-3.1-8b --gpu RTX4090 --quant Q4_K_M --ctx 32k\n"
                   "  hwledger plan model.gguf -- -c 16384 -ngl 99 -fa on\n\n"
                   "'hwledger COMMAND --help' lists a command's options. Exit: 0 it fits, 1 bad input, 2 usage, 3 does not fit.");
        return EXIT_OK;
    }
    (void)printf("usage: hwledger %s%s%s [OPTIONS]%s\n\n%s\n\n", command->name, *command->argument ? " " : "", command->argument,
                 command->plan_options ? " [-- ENGINE-OPTIONS]" : "", command->help);
    for (uint32_t i = 0; i < cli_n_options; i++)
        if (cli_takes(command, &cli_options[i]))
            row(cli_options[i].name, cli_options[i].argument, cli_options[i].help);
    const hwl_option_info *o;
    for (uint32_t i = 0; command->plan_options && (o = hwl_option_at(i)); i++)
        plan_row(o);
    if (command->plan_options)
        (void)puts("\nBehind a lone -- stands the engine's own command line; it wins over options before it.");
    return EXIT_OK;
}

/* Text for roff: hyphens stay hyphens, a leading dot or quote starts no request. */
static void roff(const char *s)
{
    if (*s == '.' || *s == '\'')
        (void)fputs("\\&", stdout);
    for (; *s; s++)
        (void)fputs(*s == '-' ? "\\-" : *s == '\\' ? "\\e" : (char[]){*s, 0}, stdout);
}

static void man_option(const char *name, const char *argument, const char *help)
{
    (void)fputs(".TP\n.B ", stdout);
    (void)fputs("\\-\\-", stdout);
    roff(name);
    if (*argument) {
        (void)fputs(" ", stdout);
        roff(argument);
    }
    (void)putchar('\n');
    roff(help);
    (void)putchar('\n');
}

int cli_man(void)
{
    (void)printf(".TH HWLEDGER 1 \"\" \"hwledger %s\"\n.SH NAME\nhwledger \\- memory planner for language models\n"
                 ".SH SYNOPSIS\n.B hwledger\n.I COMMAND\n[ARGUMENTS] [OPTIONS] [\\-\\- ENGINE\\-OPTIONS]\n.SH COMMANDS\n",
                 HWLEDGER_VERSION);
    for (uint32_t i = 0; i < cli_n_commands; i++) {
        if (cli_commands[i].run == cli_later)
            continue;
        (void)printf(".TP\n.B %s\n", cli_commands[i].name);
        roff(cli_commands[i].help);
        (void)putchar('\n');
    }
    (void)puts(".SH OPTIONS");
    for (uint32_t i = 0; i < cli_n_options; i++)
        man_option(cli_options[i].name, cli_options[i].argument, cli_options[i].help);
    const hwl_option_info *o;
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++)
        man_option(o->name, o->argument, o->help);
    (void)puts(".SH EXIT STATUS\n0 done, it fits; 1 bad input; 2 usage; 3 the plan does not fit.\n"
               ".SH ENVIRONMENT\nHOME, HF_HOME, HF_HUB_CACHE, XDG_CACHE_HOME, OLLAMA_MODELS, LLAMA_CACHE: where models are looked for. NO_COLOR: no colour.");
    return EXIT_OK;
}

static void words(const struct cli_command *command)
{
    const hwl_option_info *o;
    for (uint32_t i = 0; i < cli_n_options; i++)
        if (cli_takes(command, &cli_options[i]))
            (void)printf(" --%s", cli_options[i].name);
    for (uint32_t i = 0; command->plan_options && (o = hwl_option_at(i)); i++) {
        (void)printf(" --%s", o->name);
        if (o->type == HWL_TYPE_FLAG)
            (void)printf(" --no-%s", o->name);
    }
}

static void each_command(const char *before, const char *between)
{
    for (uint32_t i = 0; i < cli_n_commands; i++)
        if (cli_commands[i].run != cli_later)
            (void)printf("%s%s%s", before, cli_commands[i].name, between);
}

static void bash_body(void)
{
    (void)fputs("_hwledger() {\n  local cur=${COMP_WORDS[COMP_CWORD]}\n  if [ \"$COMP_CWORD\" = 1 ]; then\n    COMPREPLY=($(compgen -W \"", stdout);
    each_command("", " ");
    (void)fputs("\" -- \"$cur\")); return\n  fi\n  case $cur in -*) ;; *) COMPREPLY=($(compgen -f -- \"$cur\")); return ;; esac\n  case ${COMP_WORDS[1]} in\n", stdout);
    for (uint32_t i = 0; i < cli_n_commands; i++) {
        if (cli_commands[i].run == cli_later)
            continue;
        (void)printf("    %s) COMPREPLY=($(compgen -W \"", cli_commands[i].name);
        words(&cli_commands[i]);
        (void)fputs("\" -- \"$cur\")) ;;\n", stdout);
    }
    (void)fputs("  esac\n}\ncomplete -o filenames -F _hwledger hwledger\n", stdout);
}

static void fish_option(const char *command, const char *name, const char *argument, const char *help)
{
    (void)printf("complete -c hwledger -n '__fish_seen_subcommand_from %s' -l %s %s-d '", command, name, *argument ? "-r " : "");
    for (; *help; help++)
        if (*help != '\'')
            (void)putchar(*help);
    (void)puts("'");
}

int cli_completion(const char *shell)
{
    if (strcmp(shell, "bash") == 0) {
        bash_body();
    } else if (strcmp(shell, "zsh") == 0) {
        (void)puts("#compdef hwledger\nautoload -U +X bashcompinit && bashcompinit");
        bash_body();
    } else if (strcmp(shell, "fish") == 0) {
        for (uint32_t c = 0; c < cli_n_commands; c++) {
            const struct cli_command *command = &cli_commands[c];
            const hwl_option_info *o;
            if (command->run == cli_later)
                continue;
            (void)printf("complete -c hwledger -n __fish_use_subcommand -a %s -d '%s'\n", command->name, strchr(command->help, '\'') ? "" : command->help);
            for (uint32_t i = 0; i < cli_n_options; i++)
                if (cli_takes(command, &cli_options[i]))
                    fish_option(command->name, cli_options[i].name, cli_options[i].argument, cli_options[i].help);
            for (uint32_t i = 0; command->plan_options && (o = hwl_option_at(i)); i++)
                fish_option(command->name, o->name, o->argument, o->help);
        }
    } else {
        return cli_usage("--completion wants bash, zsh or fish");
    }
    return EXIT_OK;
}
