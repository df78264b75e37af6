/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SETTINGS_SETTINGS_H
#define HWL_SETTINGS_SETTINGS_H

#include <hwledger/settings.h>

/* One list of options for everything: parsing, help, man page, completion, JSON. X(ID, "name", TYPE, "ARG", "engines", "help")
 * stands in options.def; a new option is a line there. */
#define X(id, name, type, argument, engines, help) HWL_OPT_##id,
enum hwl_opt {
#include "settings/options.def"
    HWL_OPT_COUNT
};
#undef X

struct hwl_setting_value {
    bool set;
    union {
        bool flag;
        uint64_t u64;
        int64_t i64;
        double real;
    } v;
    char *text;        /* TEXT; also the text that a number came from */
    char **list;       /* LIST */
    uint32_t n_list;
};

struct hwl_settings {
    struct hwl_setting_value value[HWL_OPT_COUNT];
    char **ignored; /* engine options accepted that move no memory */
    uint32_t n_ignored;
    char **unmodelled; /* engine options accepted that move memory which no model covers: said in a note */
    uint32_t n_unmodelled;
    char *home, *hf_cache; /* stores of models that options name; NULL none */
};

/* Readers for engines: the default where not set. */
bool hwl_opt_has(const struct hwl_settings *s, enum hwl_opt id);
bool hwl_opt_flag(const struct hwl_settings *s, enum hwl_opt id, bool def);
uint64_t hwl_opt_u64(const struct hwl_settings *s, enum hwl_opt id, uint64_t def); /* COUNT and BYTES */
int64_t hwl_opt_i64(const struct hwl_settings *s, enum hwl_opt id, int64_t def);
double hwl_opt_real(const struct hwl_settings *s, enum hwl_opt id, double def);
const char *hwl_opt_text(const struct hwl_settings *s, enum hwl_opt id, const char *def);
uint32_t hwl_opt_list_n(const struct hwl_settings *s, enum hwl_opt id);
const char *hwl_opt_list_at(const struct hwl_settings *s, enum hwl_opt id, uint32_t i);
/* Item i of --lora: RANK or RANKxN, each 1 to 65,536. */
hwl_status hwl_opt_adapter(const struct hwl_settings *s, uint32_t i, uint32_t *rank, uint32_t *n, hwl_error *error);

/* An engine's own command line as a table. Names are without leading dashes, alternatives separated by spaces:
 * "c ctx-size". How the value goes to our option is `how`. */
enum hwl_arg_how {
    HWL_ARG_VALUE,   /* takes a value that is set as it is (option's own parsing, decimal counts) */
    HWL_ARG_TRUE,    /* no value: sets the flag */
    HWL_ARG_FALSE,   /* no value: clears the flag */
    HWL_ARG_MIB,     /* value in MiB for a BYTES option */
    HWL_ARG_GIB,     /* decimal value in GiB */
    HWL_ARG_CUSTOM,  /* the row's function */
    HWL_ARG_FILE,    /* likewise, called behind all other options: what the file says wins over them */
    HWL_ARG_IGNORE,  /* no value, moves no memory: listed in settings.ignored */
    HWL_ARG_IGNORE1, /* one value, likewise */
    HWL_ARG_IGNORE_OPT, /* a value that may be absent */
    HWL_ARG_VALUES,      /* one or more values, set as one text with commas between them */
    HWL_ARG_IGNORE_ANY,  /* any number of values, moves no memory */
    HWL_ARG_UNMODELLED,  /* no value; moves memory and is not modelled: listed in settings.unmodelled */
    HWL_ARG_UNMODELLED1, /* one value, likewise */
    HWL_ARG_UNMODELLED_ANY, /* any number of values, likewise */
};
struct hwl_engine_arg {
    const char *names;
    enum hwl_arg_how how;
    enum hwl_opt option;
    hwl_status (*custom)(struct hwl_settings *s, const char *value, hwl_error *error); /* value NULL with no_value */
    bool no_value; /* HWL_ARG_CUSTOM: the option takes no value */
};
/* Parses argv by the table. "--name=value" and "--name value"; single-dash long names ("-ngl") where the table has them;
 * underscores in long names count as hyphens. HWL_E_USAGE names the nearest known option. */
struct hwl_engine_args {
    const char *engine; /* for messages */
    const struct hwl_engine_arg *table;
    uint32_t n;
    bool (*has)(const char *name, const char *version); /* is the row of that first name there? NULL: all are */
    const char *version;
    bool python; /* "None" as a value: as if not given; members of JSON options one by one (settings/dotted.h) */
};
hwl_status hwl_engine_args_parse(struct hwl_settings *s, const struct hwl_engine_args *args, int argc, const char *const *argv,
                                 hwl_error *error);
void hwl_settings_ignore(struct hwl_settings *s, const char *name);
void hwl_settings_unmodelled(struct hwl_settings *s, const char *name);

#endif
