/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LOG_LINES_H
#define HWL_LOG_LINES_H

#include <stdbool.h>
#include <stdint.h>

/* A pasted text, read as the lines that a program wrote. */
struct hwl_log_lines {
    const char *text;
    uint64_t length, at;
    uint64_t number; /* of the last line that was begun, from 1 */
    char *next;      /* the segment that was read ahead; room for HWL_LOG_MAX_LINE and one */
    uint64_t next_n, next_number;
    bool have_next, next_ended; /* next_ended: behind the segment a line of the program ends, whatever follows */
};

/* The next line, without control sequences, markup and escapes, what was wrapped joined again; line has room for
 * HWL_LOG_MAX_LINE and one. False past the end. */
bool hwl_log_next_line(struct hwl_log_lines *lines, char *line, uint64_t *number);

/* Does the text begin as a new entry of a log does? */
bool hwl_log_begins_entry(const char *line, uint64_t n);

#endif
