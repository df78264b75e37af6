/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a log: by its path, its id, the catalogue's name of it, or what its name says that it is a variant of. */
#include "base/status.h"
#include "log/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Endings of names that say no more than what the weights are, and the type that they stand for. */
static const struct {
    const char *ending, *quant;
} endings[] = {{".gguf", ""},
               {"-gguf", ""},
               {"-hf", ""},
               {"-instruct", ""},
               {"-it", ""},
               {"-chat", ""},
               {"-base", ""},
               {"-fp8-dynamic", "fp8-channel"},
               {"-fp8", "fp8-block"},
               {"-awq-4bit", "w4a16"},
               {"-awq", "awq"},
               {"-gptq-int4", "gptq"},
               {"-gptq", "gptq"},
               {"-autoround", "gptq"},
               {"-int4", "gptq"},
               {"-w4a16", "w4a16"},
               {"-w8a8", "w8a8"},
               {"-fp8-static", "fp8"},
               {"-quantized.w8a8", "w8a8"},
               {"-quantized.w4a16", "w4a16"},
               {"-nvfp4", "nvfp4"},
               {"-bnb-4bit", "nf4"},
               {"-mtp", ""},
               {"-ud", ""}};

/* A last part like -Q4_K_M, .IQ4_XS or -00001-of-00004. */
static bool is_file_part(const char *p)
{
    if ((p[0] == 'Q' || p[0] == 'q') && p[1] >= '1' && p[1] <= '8' && p[2] == '_')
        return true;
    if (strncmp(p, "IQ", 2) == 0 || strncmp(p, "BF16", 4) == 0 || strncmp(p, "F16", 3) == 0)
        return true;
    /* the running number of a file, or the month of a release */
    const size_t digits = strspn(p, "0123456789");
    return !p[digits] && (digits == 4 || digits == 5);
}

/* Takes one ending off; false where there is none. */
static bool shorten(char *name, char *quant, size_t size)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t k = strlen(endings[i].ending);
        if (n <= k || !hwl_text_eq_nocase(name + n - k, endings[i].ending))
            continue;
        name[n - k] = 0;
        if (*endings[i].quant)
            (void)snprintf(quant, size, "%s", endings[i].quant);
        return true;
    }
    for (size_t i = n; i-- > 1;) {
        if (name[i] != '-' && name[i] != '.')
            continue;
        if (!is_file_part(name + i + 1) && strcmp(name + i + 1, "of") != 0)
            return false;
        if (name[i + 1] < '0' || name[i + 1] > '9')
            (void)snprintf(quant, size, "%.20s", strcmp(name + i + 1, "of") == 0 ? quant : name + i + 1);
        name[i] = 0;
        return true;
    }
    return false;
}

/* ".../hub/models--ORG--NAME/snapshots/HASH" is the repository ORG/NAME; anything else stays. */
static void repository_of(const char *path, char *out, size_t size)
{
    const char *at = strstr(path, "models--");
    if (!at || !strstr(at, "--")) {
        (void)snprintf(out, size, "%s", path);
        return;
    }
    at += 8;
    size_t n = 0;
    for (; *at && *at != '/' && n + 1 < size; at++) {
        const bool dashes = at[0] == '-' && at[1] == '-' && at[2] && at[2] != '-';
        out[n++] = dashes ? '/' : *at;
        at += dashes;
    }
    out[n] = 0;
}

/* Opens the name as it stands, its last part, then without endings; a model of other shapes than the log prints is none. */
static bool open_named(struct hwl_log *log, const char *text, const hwl_open_options *options, hwl_model **out, hwl_error *first)
{
    char name[512], quant[24] = "";
    if (!*text || strlen(text) >= sizeof name)
        return false;
    repository_of(text, name, sizeof name);
    for (int k = 0; k < 8; k++) {
        hwl_error e = {.offset = HWL_NO_OFFSET};
        if (hwl_model_open(name, options, out, &e) == HWL_OK) {
            if (log->engine != HWL_LOG_LLAMACPP || hwl_log_fits_metadata(log, *out)) {
                (void)snprintf(log->quant, sizeof log->quant, "%s", quant);
                return true;
            }
            hwl_model_free(*out);
            *out = NULL;
        } else if (!*first->message)
            *first = e;
        const char *slash = strrchr(name, '/');
        if (slash && slash[1])
            memmove(name, slash + 1, strlen(slash + 1) + 1);
        else if (strchr(name, ' '))
            for (char *c = name; *c; c++)
                *c = *c == ' ' ? '-' : *c;
        else if (!shorten(name, quant, sizeof quant))
            break;
    }
    return false;
}

/* The next run of letters, digits and points of p, in lower case; "" past the end. */
static const char *word_of(const char *p, char *out, size_t size)
{
    size_t n = 0;
    while (*p && !((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')))
        p++;
    for (; (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || (*p == '.' && p[1] >= '0' && p[1] <= '9'); p++)
        if (n + 1 < size)
            out[n++] = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    out[n] = 0;
    return p;
}

#define MAX_WORDS 24
#define WORD_BYTES 24

static uint32_t words_of(const char *p, char words[MAX_WORDS][WORD_BYTES])
{
    uint32_t n = 0;
    while (n < MAX_WORDS && *(p = word_of(p, words[n], WORD_BYTES), words[n]))
        n++;
    return n;
}

/* Words that make another model of a name: its size, its kind. */
static bool tells_apart(const char *word)
{
    const size_t digits = strspn(word + (*word == 'a' || *word == 'e'), "0123456789."), k = (*word == 'a' || *word == 'e') + digits;
    if (digits && (word[k] == 'b' || word[k] == 'm') && !word[k + 1])
        return true;
    return hwl_words_have("distill embedding embed reranker vl omni audio guard reward draft drafter eagle eagle3 dflash mtp vision math asr tts speech", word);
}

/* What the words beside the model's name say its weights are; "" nothing. */
static const char *quant_of_word(const char *word)
{
    static const char *const quants[][2] = {{"awq", "awq"},     {"gptq", "gptq"}, {"autoround", "gptq"}, {"int4", "gptq"}, {"4bit", "w4a16"}, {"w4a16", "w4a16"},
                                            {"nvfp4", "nvfp4"}, {"fp4", "nvfp4"}, {"fp8", "fp8-block"},  {"w8a8", "w8a8"}, {"int8", "w8a8"},  {"bnb", "nf4"}};
    for (size_t i = 0; i < sizeof quants / sizeof *quants; i++)
        if (strcmp(word, quants[i][0]) == 0)
            return quants[i][1];
    return "";
}

/* How many words of the name the words at have[0] begin with; 0 where one of them differs or is left over. */
static uint32_t begins_with(char (*have)[WORD_BYTES], uint32_t n, char (*name)[WORD_BYTES], uint32_t k)
{
    if (!k || k > n)
        return 0;
    for (uint32_t i = 0; i < k; i++)
        if (strcmp(have[i], name[i]) != 0)
            return 0;
    return k;
}

/* Somebody's variant of a model that the catalogue has: its name stands inside the logged one, and no word beside it makes it
 * another model. */
static bool open_inside(struct hwl_log *log, const char *text, const hwl_open_options *options, hwl_model **out)
{
    char have[MAX_WORDS][WORD_BYTES], name[MAX_WORDS][WORD_BYTES];
    const char *slash = strrchr(text, '/');
    const uint32_t n = words_of(slash ? slash + 1 : text, have);
    const hwl_catalogue_model *m, *best = NULL;
    uint32_t length = 0, at = 0;
    for (uint32_t i = 0; n && (m = hwl_catalogue_at(i)); i++) {
        const char *id = strchr(m->id, '/');
        const char *names[2] = {m->name, id ? id + 1 : m->id};
        for (int k = 0; k < 2; k++) {
            const uint32_t words = words_of(names[k], name);
            for (uint32_t s = 0; words > length && s + words <= n; s++)
                if (begins_with(have + s, n - s, name, words)) {
                    best = m;
                    length = words;
                    at = s;
                }
        }
    }
    if (length < 2)
        return false;
    const char *quant = "";
    for (uint32_t i = 0; i < n; i++) {
        if (i >= at && i < at + length)
            continue;
        if (tells_apart(have[i]))
            return false;
        quant = *quant ? quant : quant_of_word(have[i]);
    }
    hwl_error e;
    if (hwl_model_open(best->name, options, out, &e) != HWL_OK)
        return false;
    if (*log->architecture && *(*out)->hints.class_name && strcmp(log->architecture, (*out)->hints.class_name) != 0) {
        hwl_model_free(*out);
        *out = NULL;
        return false;
    }
    log->n_notes = 0;
    hwl_log_add_note(log, "the logged model is not known: its name holds that of %s, whose shapes are planned", best->name);
    log->n_open_notes = log->n_notes;
    (void)snprintf(log->quant, sizeof log->quant, "%s", quant);
    return true;
}

/* A name that tells nothing ("/models/target", a fine-tuned one): the model of the catalogue that vLLM would run by the same
 * class and whose weights are the logged ones to half a percent. */
static bool open_alike(struct hwl_log *log, const hwl_open_options *options, hwl_model **out)
{
    const hwl_log_figure *weights = hwl_log_figure_of(log, "weights_bytes", true);
    const char *quant = hwl_log_setting_of(log, "quantization"), *stages = hwl_log_setting_of(log, "pipeline-parallel-size");
    const char *ranks = hwl_log_setting_of(log, "tensor-parallel-size");
    uint64_t tp = 1;
    if (!weights || !*log->architecture || quant || (stages && strcmp(stages, "1") != 0) || (ranks && (!hwl_text_u64(ranks, &tp) || !tp || tp > 64)))
        return false;
    const hwl_catalogue_model *m;
    double nearest = tp > 1 ? 0.02 : 0.005;
    for (uint32_t i = 0; (m = hwl_catalogue_at(i)); i++) {
        hwl_model *model = NULL;
        hwl_model_info info;
        hwl_error e;
        if (hwl_model_open(m->name, options, &model, &e) != HWL_OK)
            continue;
        hwl_model_get_info(model, &info);
        const double off = info.weights_bytes == HWL_UNKNOWN ? 1 : fabs((double)info.weights_bytes / (double)tp / weights->value - 1);
        if (strcmp(model->hints.class_name, log->architecture) == 0 && off < nearest) {
            hwl_model_free(*out);
            *out = model;
            nearest = off;
        } else
            hwl_model_free(model);
    }
    if (!*out)
        return false;
    log->n_notes = 0;
    hwl_log_add_note(log, "the name tells no known model: planned as %s, of the same class (%s) and as heavy", (*out)->name, log->architecture);
    log->n_open_notes = log->n_notes;
    return true;
}

hwl_status hwl_log_open_model(hwl_log *log, const hwl_open_options *options, hwl_model **out, hwl_error *error)
{
    const char *general = hwl_log_setting_of(log, "general.name");
    const char *names[] = {log->model, general ? general : "", log->served};
    hwl_error first = {.offset = HWL_NO_OFFSET};
    for (int i = 0; i < 3; i++)
        if (open_named(log, names[i], options, out, &first))
            return HWL_OK;
    for (int i = 0; i < 3 && log->engine != HWL_LOG_LLAMACPP; i += 2)
        if (open_inside(log, names[i], options, out))
            return HWL_OK;
    if (log->engine == HWL_LOG_VLLM && open_alike(log, options, out))
        return HWL_OK;
    if (log->engine == HWL_LOG_LLAMACPP && log->n_meta) {
        log->n_notes = 0;
        const hwl_status status = hwl_log_model_of_metadata(log, options, out, error);
        if (status == HWL_OK) {
            hwl_log_add_note(log, "the model is made of the metadata that the log prints");
            log->n_open_notes = log->n_notes;
        }
        if (status == HWL_OK || !*first.message)
            return status;
        if (error && *names[0]) {
            const hwl_error e = *error;
            return hwl_fail(error, status, "%.150s; its file is not here and no known model has that name: name one behind the log", e.message);
        }
        return status;
    }
    if (!*first.message)
        return hwl_fail(error, HWL_E_NOT_FOUND, "the log names no model; name one behind the file");
    if (error)
        *error = first;
    return first.status ? first.status : HWL_E_NOT_FOUND;
}
