/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger tui and top: start the terminal planner, which is a program of its own beside this one. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "hwledger-tui"

/* Beside the running program, else by PATH. */
static void start(char **argv)
{
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM - 1);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (slash) {
        memcpy(slash + 1, PROGRAM, sizeof PROGRAM);
        (void)execv(path, argv);
    }
    if (errno == ENOENT || !slash)
        (void)execvp(PROGRAM, argv);
}

int cli_tui(struct cli_args *args)
{
    const char *term = getenv("TERM");
    const bool top = strcmp(args->command->name, "top") == 0;
    const uint32_t most = top ? 0 : 1;
    if (args->n_words > most)
        return cli_usage("%s takes %s", args->command->name, most ? "one MODEL" : "no MODEL");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || strcmp(term, "dumb") == 0) {
        if (args->n_words) /* the same plan as a table */
            return cli_plan(args);
        return cli_usage("%s wants a terminal", args->command->name);
    }
    char **argv = calloc((size_t)args->argc + 3, sizeof *argv);
    if (!argv) {
        (void)fputs("hwledger: out of memory\n", stderr);
        return EXIT_INPUT;
    }
    int n = 0;
    argv[n++] = (char[]){PROGRAM};
    if (top)
        argv[n++] = (char[]){"--monitor"};
    for (int i = 0; i < args->argc; i++)
        argv[n++] = (char *)(uintptr_t)args->argv[i]; /* exec changes none of them */
    start(argv);
    (void)fprintf(stderr, "hwledger: " PROGRAM " cannot be started: %s; it is built where ncursesw is there\n", strerror(errno));
    free(argv);
    return EXIT_INPUT;
}
