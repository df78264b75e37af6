/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_REQUEST_H
#define HWL_VIEW_REQUEST_H

#include <hwledger/hwledger.h>

/* A question as arguments of `hwledger plan`, each one word ("--ctx=8192", "--mmap=false"), so that it is read back without a table of
 * which options take a value. Files are named by their whole path. Made by the command line and the desktop, for plan documents. */
struct hwl_view_request {
    char **word; /* each and all: malloc */
    uint32_t n, cap;
    bool failed; /* out of memory: it is not whole */
};

void hwl_view_request_add(struct hwl_view_request *request, const char *option, const char *value); /* option NULL: value alone */
void hwl_view_request_model(struct hwl_view_request *request, const char *model);
void hwl_view_request_settings(struct hwl_view_request *request, const hwl_settings *settings);
void hwl_view_request_free(struct hwl_view_request *request);

/* The value of an option as text of whatever length; NULL: not set (or out of memory). free() it. */
char *hwl_view_setting(const hwl_settings *settings, const char *option);
/* Item index of a list, likewise. */
char *hwl_view_setting_item(const hwl_settings *settings, const char *option, uint32_t index);

#endif
