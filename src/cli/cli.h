/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_CLI_CLI_H
#define HWL_CLI_CLI_H

#include <hwledger/hwledger.h>

enum { EXIT_OK = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_EXCEEDS = 3 };

/* An option that is the command line's own; those of the plan come from hwl_option_at. */
enum cli_option_id {
    CLI_JSON,
    CLI_EXPLAIN,
    CLI_ADVICE,
    CLI_HTML,
    CLI_COUNT,
    CLI_ASCII,
    CLI_THEME,
    CLI_SVG,
    CLI_GPU,
    CLI_GPU_MEMORY,
    CLI_RAM,
    CLI_GENERIC,
    CLI_LOCAL,
    CLI_CATALOGUE,
    CLI_HELP,
};

struct cli_command;

/* One line of options as parsed. */
struct cli_args {
    const struct cli_command *command;
    hwl_settings *settings;
    const char *words[64]; /* positional */
    uint32_t n_words;
    bool flag[CLI_HELP + 1];
    struct {
        enum cli_option_id id;
        const char *value;
    } gpu[256];
    uint32_t n_gpus;
    const char *ram;
    const char *html, *svg; /* files to write */
    const char *count;
    int argc; /* the whole line behind the command */
    const char *const *argv;
    int n_engine_args; /* behind -- */
    const char *const *engine_args;
};

struct cli_command {
    const char *name;
    const char *argument; /* "MODEL", "" */
    const char *help;
    const char *options;  /* own options by name, words */
    bool plan_options;    /* takes those of hwl_option_at as well */
    int (*run)(struct cli_args *args);
};

struct cli_option {
    const char *name;
    const char *argument; /* "" for flags */
    const char *help;
    enum cli_option_id id;
};

extern const struct cli_command cli_commands[];
extern const uint32_t cli_n_commands;
extern const struct cli_option cli_options[];
extern const uint32_t cli_n_options;

/* 0, or the exit code after a line on stderr. argv starts behind the command. */
int cli_parse(struct cli_args *args, int argc, const char *const *argv);
bool cli_takes(const struct cli_command *command, const struct cli_option *option);
/* Edit distance, swaps of neighbours count once. */
uint32_t cli_distance(const char *a, const char *b);

/* "hwledger: ..." on stderr; returns the exit code for the error. */
int cli_fail(const hwl_error *error);
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

int cli_help(const struct cli_command *command); /* NULL: the program's */
int cli_man(void);
int cli_completion(const char *shell);

/* Opens words[i] with the stores of the environment; reports errors. */
int cli_open(struct cli_args *args, const char *name, hwl_model **out);
/* The devices that the options name, or the machine's. */
int cli_devices(struct cli_args *args, hwl_devices **out);

/* Every word of the line stands in one of the texts. */
bool cli_matches(const struct cli_args *args, const char *a, const char *b, const char *c);
/* "no WHAT matches ..." on stderr; returns the exit code. */
int cli_nothing(const struct cli_args *args, const char *what);

#define CLI_DEVICES_SCHEMA "hwledger.devices/1"
#define CLI_MODELS_SCHEMA "hwledger.models/1"
#define CLI_WATCH_SCHEMA "hwledger.watch/1"

int cli_plan(struct cli_args *args);
int cli_inspect(struct cli_args *args);
int cli_explain_log(struct cli_args *args);
int cli_models(struct cli_args *args);
int cli_list_devices(struct cli_args *args);
int cli_tui(struct cli_args *args);
int cli_watch(struct cli_args *args);
int cli_verify(struct cli_args *args);
int cli_later(struct cli_args *args);

/* Columns of the terminal; UINT32_MAX where stdout is none: then nothing is wrapped. */
uint32_t cli_width(void);
/* label, then text from column indent on, wrapped at blanks. */
void cli_paragraph(const char *label, const char *text, uint32_t indent);
/* The same for a command that can be copied: cut before options, with a backslash. */
void cli_command_line(const char *label, const char *text);
/* Starts and ends a colour (a 256-colour number) where stdout is a terminal that wants it; "" elsewhere. */
const char *cli_colour(int number, char *buf, uint64_t size);
const char *cli_plain(void);

#endif
