/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SETTINGS_DOTTED_H
#define HWL_SETTINGS_DOTTED_H

#include <hwledger/error.h>

#include <stdbool.h>
#include <stdint.h>

/* A command line whose "--name.member value" are joined into one "--name {...}" each, behind all others. argv may be the
 * one that was given; it is valid until hwl_dotted_free. */
struct hwl_dotted {
    int argc;
    const char *const *argv;
    const char **own; /* private */
    char *made[32];
    uint32_t n_made;
};

hwl_status hwl_dotted_join(int argc, const char *const *argv, struct hwl_dotted *out, hwl_error *error);
void hwl_dotted_free(struct hwl_dotted *d);
/* "--name" or "-n"; "-1" is a value. */
bool hwl_arg_is_option(const char *arg);

#endif
