/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TESTS_TAP_H
#define HWL_TESTS_TAP_H

/* What cmocka needs before its own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
