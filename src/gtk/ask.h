/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_ASK_H
#define HWL_GTK_ASK_H

#include "view/request.h"

#include <glib.h>

/* The question that a person asks: a model on devices with settings. A value: copied for undo, saved as a plan file. */
struct hwl_ask {
    char *model;     /* as hwl_model_open takes it; NULL: none yet */
    bool detected;   /* this machine's GPUs come first */
    GPtrArray *gpus; /* "gpu=RTX4090x2", "gpu-memory=24G/20G": options of the command line, in device order */
    char *ram;       /* "TOTAL[/FREE]"; NULL: this machine's */
    bool generic;    /* an unknown decoder is read as a dense one */
    hwl_settings *settings;
};

struct hwl_ask *hwl_ask_new(void); /* detected, nothing set */
struct hwl_ask *hwl_ask_copy(const struct hwl_ask *ask);
void hwl_ask_free(struct hwl_ask *ask);

/* Another engine: what it does not have, or not with that value, is cleared. NULL: the model's default. */
void hwl_ask_set_engine(struct hwl_ask *ask, const char *engine, const char *next);

/* Makes one change of an advice. */
hwl_status hwl_ask_change(struct hwl_ask *ask, const hwl_change *change, hwl_error *error);

/* The devices asked for. machine: this machine's, read before. */
hwl_status hwl_ask_devices(const struct hwl_ask *ask, const hwl_devices *machine, hwl_devices **out, hwl_error *error);

/* A plan file ([Plan], [Devices], [Settings] with one option a line), and back. The caller frees text with g_free. */
char *hwl_ask_text(const struct hwl_ask *ask);
struct hwl_ask *hwl_ask_parse(const char *text, gsize length, hwl_error *error);

/* The words of a plan document's request, and back from such a document (text of `hwledger plan --json` or of an export). NULL with
 * HWL_E_NOT_FOUND in error: the text is no plan document at all. */
void hwl_ask_request(const struct hwl_ask *ask, struct hwl_view_request *request);
struct hwl_ask *hwl_ask_from_document(const char *json, gsize length, hwl_error *error);

/* "hwledger plan MODEL --gpu ...", quoted for a shell: the same plan on the command line. */
char *hwl_ask_command(const struct hwl_ask *ask, const char *tail);

#endif
