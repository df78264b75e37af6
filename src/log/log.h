/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LOG_LOG_H
#define HWL_LOG_LOG_H

#include "base/arena.h"
#include "base/str.h"

#include <hwledger/log.h>

enum hwl_log_engine { HWL_LOG_VLLM, HWL_LOG_SGLANG, HWL_LOG_LLAMACPP, HWL_LOG_TENSORRT, HWL_LOG_ENGINES };

#define HWL_LOG_MAX_BYTES ((uint64_t)64 << 20)
#define HWL_LOG_MAX_LINE 65536 /* of a longer line the rest is not looked at */
#define HWL_LOG_MAX_FIGURES 8192
#define HWL_LOG_MAX_SETTINGS 512
#define HWL_LOG_MAX_VALUE 4096
#define HWL_LOG_MAX_META 512
#define HWL_LOG_PLACES 3
#define HWL_LOG_TABLE UINT16_MAX /* the part of a log that the memory table is */

/* Where an option was seen, the surest last. */
enum hwl_log_rank {
    HWL_LOG_RESOLVED, /* the engine's summary of what it resolved: defaults too */
    HWL_LOG_TYPED,    /* a command line or a line of a file of options: it need not be the one that ran */
    HWL_LOG_SAID,     /* a line of the engine that tells this one */
    HWL_LOG_ARGS,     /* the arguments as the engine parsed them: defaults too */
    HWL_LOG_CHANGED   /* those that are no defaults */
};

struct hwl_log_setting {
    const char *name, *value; /* value "" for a flag */
    bool resolved;            /* from the engine's own summary, not from the command line: defaults too */
    uint8_t rank;
};

/* What the file shows of one start; it may show several. */
struct hwl_log_start {
    const char *version, *model, *served, *failure, *architecture;
    struct hwl_log_setting *settings;
    uint64_t n_settings, cap_settings;
    uint64_t first_figure, line;
    uint8_t minor_first, minor_last; /* releases of vLLM, 0.x, whose words these are */
    uint8_t model_rank;
    uint16_t place[HWL_LOG_PLACES];
    bool whole;   /* all its arguments were printed */
    bool ready, flashinfer_sampler;
};

struct hwl_log_gpu {
    const char *id;       /* what the engine calls it ("CUDA0"); "" where it has no name */
    const char *name;     /* "" unknown */
    uint64_t total, free; /* bytes, 0 unknown */
};

struct hwl_log {
    struct hwl_arena arena;
    uint32_t votes[HWL_LOG_ENGINES]; /* lines of each engine */
    enum hwl_log_engine engine;
    const char *version, *model, *failure, *file_type;
    char quant[24]; /* that the name of the opened model leaves off; "" none */
    hwl_log_figure *figures;
    uint64_t n_figures, cap_figures;
    uint16_t *parts; /* [n_figures] of llama.cpp: which of several loads or contexts it is of, or HWL_LOG_TABLE */
    uint64_t cap_parts;
    uint16_t n_models, n_contexts; /* loads and contexts so far */
    bool fresh_context, server;
    bool bench;      /* llama-bench: each test has a context of its own */
    bool no_context; /* the context is not known: what depends on it is not laid beside the plan */
    bool own_latent; /* a line of caches names c^KV */
    bool own_engine; /* Ollama's own engine ran the model */
    hwl_log_figure allocated[96]; /* of Ollama's last list of sizes */
    uint32_t n_allocated;
    const char *era; /* the row of llama.cpp's version table that the words of its lines belong to; "" unknown */
    struct hwl_log_setting *meta; /* a model's metadata, under the keys of print_info or those behind the architecture */
    uint64_t n_meta, cap_meta;
    const char *args[256]; /* llama.cpp's own command line */
    uint32_t n_args;
    struct hwl_log_setting *settings;
    uint64_t n_settings, cap_settings;
    struct hwl_log_gpu gpu[64];
    uint32_t n_gpus;
    hwl_log_term *terms;
    uint64_t n_terms, cap_terms;
    const char **notes;
    uint64_t n_notes, cap_notes, n_open_notes; /* those of opening the model stay */
    bool no_type; /* no line says what type the weights have */
    bool mapped; /* a buffer of the file as it is mapped */
    uint32_t date; /* of the first dated line of SGLang: 20260201; 0 none */
    bool llm_args; /* the line before was the heading of TensorRT-LLM's arguments */
    bool nomem;
    uint8_t minor_first, minor_last; /* releases of vLLM, 0.x, whose words these are */
    const char *served, *said_version; /* the name that a server answers to; a version that is not the engine's own line */
    const char *architecture;          /* that vLLM resolved, "" not said */
    const char *card;                  /* "" unknown: what a table of the driver or a file of kernels calls it */
    char pending[40];                  /* an option whose value stands on the next line */
    uint16_t place[HWL_LOG_PLACES];    /* lines of vLLM's source that printed what was read; 0: not said */
    uint8_t model_rank;
    bool whole, figures_seen, has_last, ready, flashinfer_sampler, in_call;
    uint64_t first_figure, start_line;
    uint32_t n_starts; /* others that the file shows */
    struct hwl_log_start last;
};

/* Reads one line without its end; n <= HWL_LOG_MAX_LINE, line[n] is 0. */
void hwl_log_read_figures(struct hwl_log *log, const char *line, uint64_t number);
bool hwl_log_is_sglang_field(struct hwl_str key); /* of ServerArgs, and reaches a plan */
void hwl_log_read_sglang(struct hwl_log *log, const char *line, uint64_t number);
void hwl_log_read_settings(struct hwl_log *log, const char *line, uint64_t number);
void hwl_log_read_tensorrt(struct hwl_log *log, const char *line, uint64_t number);
void hwl_log_read_llamacpp(struct hwl_log *log, const char *line, uint64_t number);
void hwl_log_read_ollama(struct hwl_log *log, const char *line, uint64_t number);
void hwl_log_read_wording(struct hwl_log *log, const char *line);
void hwl_log_read_place(struct hwl_log *log, const char *line);
/* The release whose lines stand where the log's do, among those of its words; false: no line tells. */
bool hwl_log_release_of_places(const struct hwl_log *log, char *out, size_t size);
uint64_t hwl_log_ranks(const struct hwl_log *log); /* processes of the run, by its degrees of parallelism */
void hwl_log_check(struct hwl_log *log); /* the sums that the log itself states, as terms */

void hwl_log_add_figure(struct hwl_log *log, const hwl_log_figure *figure);
/* Of llama.cpp's memory table: of several tables the last one's stays. */
void hwl_log_add_table_figure(struct hwl_log *log, const hwl_log_figure *figure);
void hwl_log_set_meta(struct hwl_log *log, struct hwl_str key, struct hwl_str value);
const char *hwl_log_meta(const struct hwl_log *log, const char *key); /* NULL: not logged */
void hwl_log_add_gpu(struct hwl_log *log, struct hwl_str id, struct hwl_str name, uint64_t total, uint64_t free_bytes);
void hwl_log_set(struct hwl_log *log, struct hwl_str name, struct hwl_str value, bool resolved);
void hwl_log_set_ranked(struct hwl_log *log, struct hwl_str name, struct hwl_str value, enum hwl_log_rank rank);
void hwl_log_set_model(struct hwl_log *log, struct hwl_str name, enum hwl_log_rank rank);
/* A line with which a start of vLLM begins: what was read before belongs to another one, if it got to its figures. */
void hwl_log_new_start(struct hwl_log *log, uint64_t line);
void hwl_log_end_starts(struct hwl_log *log); /* keeps the last start that got to its figures */
void hwl_log_read_card(struct hwl_log *log, const char *line);
void hwl_log_add_term(struct hwl_log *log, const char *name, const char *device, double planned, const hwl_log_figure *f, double allowed,
                      const char *more, const char *less);
void hwl_log_add_note(struct hwl_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *hwl_log_copy(struct hwl_log *log, const char *text, uint64_t n);

/* A decimal number with an optional sign and thousands commas at p: the characters used, 0 for none. */
uint64_t hwl_log_number(const char *p, double *value, double *rounding);

#endif
