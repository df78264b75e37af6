/* SPDX-License-Identifier: Apache-2.0 */
/* The question as arguments. */
#include "view/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool read_value(const hwl_settings *settings, const char *option, uint32_t index, char *buf, uint64_t size);

static bool whole(const hwl_settings *settings, const char *option, uint32_t index, char *buf, uint64_t size)
{
    (void)index;
    return hwl_settings_get(settings, option, buf, size);
}

/* The buffer grows until the text leaves a byte free. */
static char *text_of(read_value *read, const hwl_settings *settings, const char *option, uint32_t index)
{
    char *buf = NULL;
    for (size_t size = 128; size <= (size_t)1 << 24; size *= 2) {
        char *grown = realloc(buf, size);
        if (!grown)
            break;
        buf = grown;
        if (!read(settings, option, index, buf, size))
            break;
        if (strlen(buf) + 1 < size)
            return buf;
    }
    free(buf);
    return NULL;
}

char *hwl_view_setting(const hwl_settings *settings, const char *option)
{
    return text_of(whole, settings, option, 0);
}

char *hwl_view_setting_item(const hwl_settings *settings, const char *option, uint32_t index)
{
    return text_of(hwl_settings_item, settings, option, index);
}

static void take(struct hwl_view_request *r, char *word)
{
    char **grown = r->n < r->cap ? r->word : realloc(r->word, (r->cap * 2 + 16) * sizeof *grown);
    r->failed = r->failed || !word || !grown;
    if (!word || !grown) {
        free(word);
        return;
    }
    r->cap = r->n < r->cap ? r->cap : r->cap * 2 + 16;
    r->word = grown;
    r->word[r->n++] = word;
}

void hwl_view_request_add(struct hwl_view_request *r, const char *option, const char *value)
{
    const size_t size = (option ? strlen(option) : 0) + strlen(value) + 4;
    char *word = malloc(size);
    if (word)
        (void)snprintf(word, size, "%s%s%s%s", option ? "--" : "", option ? option : "", option ? "=" : "", value);
    take(r, word);
}

/* What is there under that name is named so that it is found from anywhere. */
static void add_file(struct hwl_view_request *r, const char *option, const char *name)
{
    char *path = *name ? realpath(name, NULL) : NULL;
    hwl_view_request_add(r, option, path ? path : name);
    free(path);
}

void hwl_view_request_model(struct hwl_view_request *r, const char *model)
{
    add_file(r, NULL, model);
}

static void add_setting(struct hwl_view_request *r, const char *option, char *value)
{
    const bool file = strcmp(option, "mmproj") == 0 || strcmp(option, "draft") == 0 || strcmp(option, "lora") == 0;
    (file ? add_file : hwl_view_request_add)(r, option, value);
    free(value);
}

void hwl_view_request_settings(struct hwl_view_request *r, const hwl_settings *settings)
{
    const hwl_option_info *o;
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        char *value;
        if (o->type == HWL_TYPE_LIST)
            for (uint32_t k = 0; (value = hwl_view_setting_item(settings, o->name, k)); k++)
                add_setting(r, o->name, value);
        else if ((value = hwl_view_setting(settings, o->name)))
            add_setting(r, o->name, value);
    }
}

void hwl_view_request_free(struct hwl_view_request *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        free(r->word[i]);
    free(r->word);
    *r = (struct hwl_view_request){.word = NULL};
}
