/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that fit the terminal: a label in the first nine columns, its text behind it, further lines below the text. Where nobody
 * reads along (a pipe, a file) a line is as long as it is. */
#include "cli/cli.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

uint32_t cli_width(void)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    if (!isatty(STDOUT_FILENO))
        return UINT32_MAX;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col < 40 ? 40 : size.ws_col;
    const unsigned long n = columns ? strtoul(columns, NULL, 10) : 0;
    return n < 40 || n > 10000 ? 80 : (uint32_t)n;
}

/* Bytes of the first line: up to room cells, cut at a blank where there is one. */
static size_t first_line(const char *text, size_t room, const char *at)
{
    size_t n = 0, cells = 0, blank = 0;
    while (text[n] && cells < room) {
        if (text[n] == ' ' && (!*at || strncmp(text + n, at, strlen(at)) == 0))
            blank = n;
        n++;
        while (((unsigned char)text[n] & 0xc0) == 0x80)
            n++;
        cells++;
    }
    if (!text[n])
        return n;
    if (text[n] == ' ' && (!*at || strncmp(text + n, at, strlen(at)) == 0))
        return n;
    return blank ? blank : *at ? first_line(text, room, "") : n;
}

static void lines(const char *text, uint32_t indent, const char *at, const char *more)
{
    const uint32_t width = cli_width();
    const size_t room = width == UINT32_MAX ? SIZE_MAX : width > indent + 20 ? width - indent : 20;
    for (bool first = true; *text; first = false) {
        const size_t all = first_line(text, room, at), n = text[all] ? first_line(text, room - strlen(more), at) : all;
        (void)printf("%*s%.*s%s\n", first ? 0 : (int)indent, "", (int)n, text, text[n] ? more : "");
        text += n;
        text += strspn(text, " ");
    }
}

void cli_paragraph(const char *label, const char *text, uint32_t indent)
{
    (void)printf("%-*s", (int)indent, label);
    if (*text)
        lines(text, indent, "", "");
    else
        (void)printf("\n");
}

void cli_command_line(const char *label, const char *text)
{
    (void)printf("%-9s", label);
    lines(text, 9, " -", " \\");
}
