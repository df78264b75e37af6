/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as JSON, row by row to a stream. Models and plans have documents of their own in the library. */
#include "view/json.h"

#include <string.h>

/* Length of the UTF-8 sequence at s, 0 where there is none (RFC 3629: no overlong forms, no surrogates). */
static size_t sequence(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    const size_t n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    const bool wrong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
                       (s[0] == 0xf4 && s[1] > 0x8f);
    return wrong ? 0 : n;
}

/* The text up to end (NUL always ends it). */
static void string(FILE *out, const char *text, const char *end)
{
    (void)fputc('"', out);
    for (const unsigned char *s = (const unsigned char *)text; *s && (const char *)s != end;) {
        const size_t n = sequence(s);
        if (*s == '"' || *s == '\\')
            (void)fprintf(out, "\\%c", *s);
        else if (*s < 0x20)
            (void)fprintf(out, "\\u%04x", *s);
        else if (!n)
            (void)fputc('?', out); /* names of files may be no UTF-8 */
        else
            (void)fwrite(s, 1, n, out);
        s += n ? n : 1;
    }
    (void)fputc('"', out);
}

void hwl_view_json_begin(struct hwl_view_json *j, FILE *out, const char *schema, const char *list)
{
    *j = (struct hwl_view_json){.out = out};
    (void)fprintf(out, "{\n  \"schema\": \"%s\",\n  \"%s\": [", schema, list);
}

void hwl_view_json_row(struct hwl_view_json *j)
{
    (void)fprintf(j->out, "%s\n    {", j->n_rows++ ? "\n    }," : "");
    j->n_members = 0;
}

static void key(struct hwl_view_json *j, const char *name)
{
    (void)fprintf(j->out, "%s\n      \"%s\": ", j->n_members++ ? "," : "", name);
}

void hwl_view_json_text(struct hwl_view_json *j, const char *name, const char *value)
{
    key(j, name);
    if (value)
        string(j->out, value, NULL);
    else
        (void)fputs("null", j->out);
}

void hwl_view_json_number(struct hwl_view_json *j, const char *name, uint64_t value)
{
    key(j, name);
    if (value == HWL_UNKNOWN)
        (void)fputs("null", j->out);
    else
        (void)fprintf(j->out, "%llu", (unsigned long long)value);
}

void hwl_view_json_words(struct hwl_view_json *j, const char *name, const char *value)
{
    key(j, name);
    (void)fputc('[', j->out);
    unsigned n = 0;
    for (const char *s = value; *s;) {
        s += strspn(s, ", ");
        const char *end = s + strcspn(s, ",");
        if (end > s) {
            (void)fputs(n++ ? ", " : "", j->out);
            string(j->out, s, end);
        }
        s = end;
    }
    (void)fputc(']', j->out);
}

void hwl_view_json_list(struct hwl_view_json *j, const char *list)
{
    (void)fprintf(j->out, "%s],\n  \"%s\": [", j->n_rows ? "\n    }\n  " : "", list);
    j->n_rows = j->n_members = 0;
}

void hwl_view_json_end(struct hwl_view_json *j)
{
    (void)fputs(j->n_rows ? "\n    }\n  ]\n}\n" : "]\n}\n", j->out);
}
