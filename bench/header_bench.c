/* SPDX-License-Identifier: Apache-2.0 */
/* header_bench WHAT FILE: microseconds of reading one header, the least and the median of 31 rounds.
 * WHAT: gguf; safetensors (ours, whole); json (our strict parse, of a safetensors header); yyjson (its bare parse). */
#include "base/file.h"
#include "base/json.h"
#include "source/gguf.h"
#include "source/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 31 };

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Opens, reads, closes: nothing is kept from round to round but the page cache. */
static hwl_status once(const char *what, const char *path, hwl_error *error)
{
    struct hwl_arena arena = {0};
    hwl_status status = HWL_E_USAGE;
    if (strcmp(what, "gguf") == 0) {
        struct hwl_gguf *g;
        status = hwl_gguf_open(path, &arena, &g, error);
        if (status == HWL_OK)
            hwl_gguf_close(g);
    } else if (strcmp(what, "safetensors") == 0) {
        struct hwl_safetensors *st;
        status = hwl_safetensors_open(path, NULL, &arena, &st, error);
        if (status == HWL_OK)
            hwl_safetensors_close(st);
    } else {
        struct hwl_file file;
        yyjson_doc *doc = NULL;
        status = hwl_file_open(&file, path, error);
        if (status != HWL_OK)
            return status;
        uint64_t n;
        memcpy(&n, file.data, 8);
        const char *text = (const char *)file.data + 8;
        if (strcmp(what, "json") == 0)
            status = hwl_json_parse(text, n, HWL_JSON_DUPLICATES_REFUSED, path, &doc, error);
        else
            status = (doc = yyjson_read(text, (size_t)n, 0)) ? HWL_OK : HWL_E_FORMAT;
        yyjson_doc_free(doc);
        hwl_file_close(&file);
    }
    hwl_arena_free(&arena);
    return status;
}

int main(int argc, char **argv)
{
    double us[ROUNDS];
    hwl_error error;
    char text[1024];
    if (argc != 3)
        return 2;
    hwl_error *const e = &error;
    memset(e, 0, sizeof *e);
    for (int i = -1; i < ROUNDS; i++) { /* the first warms the page cache */
        const double start = now();
        if (once(argv[1], argv[2], e) != HWL_OK) {
            fprintf(stderr, "%s\n", hwl_error_text(e, text, sizeof text));
            return 1;
        }
        if (i >= 0)
            us[i] = now() - start;
    }
    qsort(us, ROUNDS, sizeof *us, by_value);
    printf("%.1f %.1f\n", us[0], us[ROUNDS / 2]);
    return 0;
}
