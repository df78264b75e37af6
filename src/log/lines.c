/* SPDX-License-Identifier: Apache-2.0 */
/* Logs as people paste them: colours whose escape character was lost, lines that a terminal wrapped, commands continued with a
 * backslash, cells of a notebook in one JSON string, a page's markup. */
#include "log/lines.h"

#include "log/log.h"

#include <string.h>

/* A terminal wraps at 80 columns or more, and what stood in front of the line may be cut away. */
#define MIN_WRAP 60

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool holds_at(const char *p, const char *end, const char *word)
{
    const size_t n = strlen(word);
    return (uint64_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

bool hwl_log_begins_entry(const char *p, uint64_t n)
{
    static const char *const levels[] = {"INFO", "WARNING", "ERROR", "DEBUG", "CRITICAL"};
    static const char *const starts[] = {"Traceback", "Loading ", "Capturing ", "torch.", "ValueError", "RuntimeError", "vllm ", "docker ", "export ",
                                         "$ ", "[rank", "```", "- ", "* ", "#"};
    const char *end = p + (n < 160 ? n : 160);
    while (p < end && (*p == ' ' || *p == '>' || *p == '|' || *p == '"' || *p == '\''))
        p++;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (holds_at(p, end, starts[i]))
            return true;
    /* "2025-08-07", "10:00:00" */
    if (end - p >= 5 && is_digit(p[0]) && is_digit(p[1]) && (p[2] == ':' || (is_digit(p[2]) && is_digit(p[3]) && p[4] == '-')))
        return true;
    if (end - p >= 3 && *p == '[' && is_digit(p[1]) && is_digit(p[2]))
        return true;
    const char *word = p; /* "llama_model_loader: " */
    while (word < end && ((*word >= 'a' && *word <= 'z') || is_digit(*word) || *word == '_'))
        word++;
    if (word < end && *word == ':' && word > p && memchr(p, '_', (size_t)(word - p)))
        return true;
    for (const char *q = p; q < end; q++) {
        if (*q != '(' && *q != 'I' && *q != 'W' && *q != 'E' && *q != 'D' && *q != 'C')
            continue;
        if (*q == '(' && q - p < 40)
            for (const char *r = q; r < end && r - q < 48 && *r != ')'; r++)
                if (holds_at(r, end, "pid=") || holds_at(r, end, "rank="))
                    return true;
        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
            const char *after = q + strlen(levels[i]);
            if (holds_at(q, end, levels[i]) && after < end && (*after == ' ' || *after == ':' || *after == ']') && (q == p || !(q[-1] >= 'A' && q[-1] <= 'Z')))
                return true;
        }
    }
    return false;
}

/* Bytes of a control sequence at p: a real one, one in the words of a string, or one whose escape character was lost. */
static uint64_t control(const char *p, const char *end)
{
    static const char *const escapes[] = {"\033", "\\u001b", "\\x1b", "\\033", "^[", "\xe2\x90\x9b", "\xef\xbf\xbd"};
    const char *q = p;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes && q == p; i++)
        if (holds_at(p, end, escapes[i]))
            q = p + strlen(escapes[i]);
    if (q >= end || *q != '[')
        return *p == '\033' ? 1 : 0;
    const char *bracket = q++;
    while (q < end && (is_digit(*q) || *q == ';' || *q == '?'))
        q++;
    if (bracket == p) /* without its escape only a colour is sure to be none of the text */
        return q < end && *q == 'm' && q > p + 1 ? (uint64_t)(q + 1 - p) : 0;
    while (q < end && !(*q >= '@' && *q <= '~'))
        q++;
    return (uint64_t)((q < end ? q + 1 : q) - p);
}

/* A character that a page wrote by name; 0 where none stands there. */
static char entity(const char *p, const char *end, uint64_t *n)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"&quot;", '"'}, {"&#34;", '"'},  {"&#x22;", '"'}, {"&#39;", '\''}, {"&#x27;", '\''}, {"&apos;", '\''},
                 {"&lt;", '<'},   {"&gt;", '>'},   {"&nbsp;", ' '}, {"&amp;", '&'}};
    for (size_t i = 0; *p == '&' && i < sizeof names / sizeof *names; i++)
        if (holds_at(p, end, names[i].name)) {
            *n = strlen(names[i].name);
            return names[i].c;
        }
    return 0;
}

/* Bytes of a page's tag at p. */
static uint64_t tag(const char *p, const char *end)
{
    static const char *const names[] = {"span", "br", "div", "p", "code", "pre", "td", "tr", "li", "b", "em", "strong", "font", "a"};
    if (*p != '<')
        return 0;
    const char *q = p + 1 + (p + 1 < end && p[1] == '/');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *after = q + strlen(names[i]);
        if (!holds_at(q, end, names[i]) || after >= end || !strchr(" />", *after))
            continue;
        const char *close = memchr(after, '>', (size_t)(end - after));
        return close ? (uint64_t)(close + 1 - p) : 0;
    }
    return 0;
}

/* n characters of p into out, as a person would see them; the trailing spaces stay. */
static uint64_t clean(const char *p, uint64_t n, char *out)
{
    uint64_t k = 0, skip;
    const char *end = p + n;
    while (p < end && k < HWL_LOG_MAX_LINE) {
        char c = *p == '&' ? entity(p, end, &skip) : 0;
        if (holds_at(p, end, "\xe2\x80") && p + 2 < end && (unsigned char)p[2] >= 0x98 && (unsigned char)p[2] <= 0x9d) { /* a word processor's quotes */
            c = (unsigned char)p[2] < 0x9c ? '\'' : '"';
            skip = 3;
        }
        if (c) {
            out[k++] = c;
            p += skip;
        } else if ((strchr("\033\\^[\xe2\xef", *p) && *p && (skip = control(p, end))) || (*p == '<' && (skip = tag(p, end)))) {
            p += skip;
        } else {
            out[k++] = (unsigned char)*p < 32 ? ' ' : *p;
            p++;
        }
    }
    out[k] = 0;
    return k;
}

/* Bytes of what ends a line at p: its end, the carriage return of a progress bar, an escaped one with an entry behind it, a
 * page's break. */
static uint64_t line_end(const char *p, const char *end)
{
    if (*p == '\n')
        return 1;
    if (*p == '\r')
        return p + 1 < end && p[1] == '\n' ? 2 : 1;
    if (*p == '\\' && p + 2 < end && p[1] == 'n' && hwl_log_begins_entry(p + 2, (uint64_t)(end - p - 2)))
        return 2;
    if (*p == '<' && (holds_at(p, end, "<br>") || holds_at(p, end, "<br/>") || holds_at(p, end, "<br />")))
        return tag(p, end);
    return 0;
}

static bool read_segment(struct hwl_log_lines *l)
{
    l->have_next = false;
    if (l->at >= l->length)
        return false;
    const char *start = l->text + l->at, *end = l->text + l->length, *p = start;
    l->number += l->at == 0 || start[-1] == '\n';
    l->next_number = l->number;
    uint64_t skip = 0;
    while (p < end) {
        if ((*p == '\n' || *p == '\r' || *p == '\\' || *p == '<') && (skip = line_end(p, end)))
            break;
        p++;
    }
    l->next_n = clean(start, (uint64_t)(p - start), l->next);
    l->at += (uint64_t)(p - start) + skip;
    l->have_next = true;
    return true;
}

/* How far the brackets of what an engine shows of its arguments are open. */
struct open_list {
    uint64_t at; /* the next character to look at; 0: no list has begun */
    uint32_t depth;
    char quote;
    bool endless; /* the list has no bracket of its own */
};

static void follow(struct open_list *o, const char *line, uint64_t n)
{
    static const char *const lists[] = {"args: {", "args: Namespace(", "ServerArgs("};
    for (size_t i = 0; !o->at && i < sizeof lists / sizeof *lists; i++) {
        const char *at = strstr(line, lists[i]);
        o->at = at ? (uint64_t)(at - line) + strlen(lists[i]) - 1 : 0;
    }
    o->endless = o->endless || strstr(line, "with config: ") != NULL;
    for (; o->at && o->at < n; o->at++) {
        const char c = line[o->at];
        if (o->quote) {
            o->at += c == '\\';
            o->quote = c == o->quote ? 0 : o->quote;
        } else if (c == '\'' || c == '"')
            o->quote = c;
        else if (strchr("([{", c))
            o->depth++;
        else if (strchr(")]}", c))
            o->depth -= o->depth > 0;
    }
}

static uint64_t visible(const char *p, uint64_t n)
{
    while (n && p[n - 1] == ' ')
        n--;
    return n;
}

static uint64_t append(struct hwl_log_lines *l, char *line, uint64_t n)
{
    const uint64_t room = HWL_LOG_MAX_LINE - n, k = l->next_n < room ? l->next_n : room;
    memcpy(line + n, l->next, (size_t)k);
    line[n + k] = 0;
    l->have_next = false;
    return n + k;
}

bool hwl_log_next_line(struct hwl_log_lines *l, char *line, uint64_t *number)
{
    if (!l->have_next && !read_segment(l))
        return false;
    *number = l->next_number;
    uint64_t last = l->next_n, n = append(l, line, 0);
    const bool entry = hwl_log_begins_entry(line, n) && (strstr(line, ".py:") || strstr(line, "args: ") || strstr(line, "ServerArgs("));
    struct open_list open = {0};
    for (int joined = 0; n < HWL_LOG_MAX_LINE; joined++) {
        const uint64_t shown = visible(line, n);
        if (shown && (line[shown - 1] == '\\' || (shown > 1 && line[shown - 1] == '^' && line[shown - 2] == ' ')) && joined < 300) { /* a shell's */
            line[shown - 1] = ' ';
            n = shown;
            if (!read_segment(l))
                break;
        } else if (entry && visible(l->next, last) >= MIN_WRAP) {
            if (joined == 0 || open.at || open.endless)
                follow(&open, line, n);
            if (joined >= 2 && !open.depth && !open.endless)
                break;
            if (!read_segment(l) || !visible(l->next, l->next_n) || hwl_log_begins_entry(l->next, l->next_n))
                break;
            if (line[n - 1] == ':' || line[n - 1] == ',') /* the space that it was wrapped at */
                line[n++] = ' ';
        } else
            break;
        last = l->next_n;
        n = append(l, line, n);
    }
    line[visible(line, n)] = 0;
    return true;
}
