/* SPDX-License-Identifier: Apache-2.0 */
/* A slow disk for tests, to be preloaded: looking at a config.json below a folder with "slow" in its name takes five seconds. */
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FAKE __attribute__((visibility("default")))
FAKE int stat64(const char *path, struct stat64 *st);

int stat64(const char *path, struct stat64 *st)
{
    int (*real)(const char *, struct stat64 *);
    void *symbol = dlsym(RTLD_NEXT, "stat64");
    memcpy(&real, &symbol, sizeof real);
    if (strstr(path, "slow") && strstr(path, "config.json"))
        (void)nanosleep(&(struct timespec){.tv_sec = 5}, NULL);
    return real(path, st);
}
