/* SPDX-License-Identifier: Apache-2.0 */
/* replay FOLDER...: each file of the folders as it is, cut at every 64th byte, and with single bytes changed. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* An exact copy, so that sanitizers see each overread. */
static void one(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    if (n)
        memcpy(copy, data, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void variants(uint8_t *data, size_t n)
{
    static const uint8_t values[] = {0, 0x7f, 0xff, '"', '['};
    one(data, n);
    for (size_t i = 0; i < n; i += 64)
        one(data, i);
    const size_t step = n / 512 + 1;
    for (size_t i = 0; i < n; i += step) {
        const uint8_t old = data[i];
        for (size_t v = 0; v < sizeof values; v++) {
            data[i] = values[v];
            one(data, n);
        }
        data[i] = old;
    }
}

static int file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    const size_t n = fread(data, 1, sizeof data, f);
    (void)fclose(f);
    variants(data, n);
    return 0;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            fprintf(stderr, "cannot open %s\n", argv[i]);
            return 1;
        }
        for (const struct dirent *e; (e = readdir(folder));) {
            char path[4096];
            if (e->d_name[0] == '.')
                continue;
            (void)snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            if (file(path) != 0) {
                fprintf(stderr, "cannot read %s\n", path);
                return 1;
            }
            files++;
        }
        (void)closedir(folder);
    }
    printf("%d files replayed\n", files);
    return files == 0; /* an empty corpus tests nothing */
}
