/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/reader.h"

#include "view/view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tui_reader {
    pthread_mutex_t lock;
    char name[512];
    hwl_open_options options;
    uint64_t at, whole;
    bool done, left;
    hwl_status status;
    hwl_model *model;
    hwl_error error;
};

static void progress(void *user, uint64_t done, uint64_t total)
{
    struct tui_reader *r = user;
    (void)pthread_mutex_lock(&r->lock);
    r->at = done;
    r->whole = total;
    (void)pthread_mutex_unlock(&r->lock);
}

static void drop(struct tui_reader *r)
{
    hwl_model_free(r->model);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

static void *read_model(void *user)
{
    struct tui_reader *r = user;
    hwl_model *model = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    const hwl_status status = hwl_model_open(r->name, &r->options, &model, &error);
    (void)pthread_mutex_lock(&r->lock);
    r->status = status;
    r->error = error;
    r->model = status == HWL_OK ? model : NULL;
    r->done = true;
    const bool left = r->left;
    (void)pthread_mutex_unlock(&r->lock);
    if (left)
        drop(r);
    return NULL;
}

struct tui_reader *tui_reader_start(const char *name, const hwl_open_options *options)
{
    pthread_t thread;
    struct tui_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    r->options = *options;
    r->options.progress = progress;
    r->options.user = r;
    if (pthread_create(&thread, NULL, read_model, r) != 0) {
        drop(r);
        return NULL;
    }
    (void)pthread_detach(thread);
    return r;
}

unsigned tui_reader_percent(struct tui_reader *r)
{
    (void)pthread_mutex_lock(&r->lock);
    const unsigned percent = hwl_view_percent(r->at, r->whole);
    (void)pthread_mutex_unlock(&r->lock);
    return percent;
}

const char *tui_reader_name(const struct tui_reader *r)
{
    return r->name;
}

bool tui_reader_take(struct tui_reader **r, hwl_model **out, hwl_error *error)
{
    (void)pthread_mutex_lock(&(*r)->lock);
    const bool done = (*r)->done;
    (void)pthread_mutex_unlock(&(*r)->lock);
    if (!done)
        return false;
    *out = (*r)->model;
    *error = (*r)->error;
    (*r)->model = NULL;
    drop(*r);
    *r = NULL;
    return true;
}

void tui_reader_leave(struct tui_reader **r)
{
    (void)pthread_mutex_lock(&(*r)->lock);
    const bool done = (*r)->done;
    (*r)->left = true;
    (void)pthread_mutex_unlock(&(*r)->lock);
    if (done)
        drop(*r);
    *r = NULL;
}
