/* SPDX-License-Identifier: Apache-2.0 */
/* A backtracking matcher over the pattern's own text, bounded in steps and depth. A node is a range of the pattern; what
 * follows it is a chain of frames on the stack, so that no memory is taken. */
#include "engine/llamacpp/regex.h"

#include "base/status.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 200000, MAX_DEPTH = 3000, MAX_GROUPS = 10 };

struct run {
    const char *pattern, *end; /* whole pattern */
    const char *text;
    const char *from[MAX_GROUPS], *to[MAX_GROUPS];
    uint32_t steps, depth;
    bool limit, bad;
};

/* What comes behind the current node: the rest of a sequence, then up. */
struct next {
    bool (*go)(struct run *r, const char *t, const struct next *n);
    const struct next *up;
    const char *p, *end; /* rest of a sequence */
    const char *atom, *atom_end, *start;
    uint64_t min, max, done;
    bool lazy;
    int group;
};

static bool alternatives(struct run *r, const char *p, const char *end, const char *t, const struct next *n);
static bool sequence(struct run *r, const char *p, const char *end, const char *t, const struct next *n);

static const char *skip_class(const char *p, const char *end)
{
    p++;
    if (p < end && *p == '^')
        p++;
    while (p < end && *p != ']')
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return p < end ? p + 1 : NULL;
}

/* End of the group that opens at p; NULL when it never closes. */
static const char *skip_group(const char *p, const char *end)
{
    int depth = 0;
    while (p < end) {
        if (*p == '\\') {
            p += 2;
            continue;
        }
        if (*p == '[') {
            p = skip_class(p, end);
            if (!p)
                return NULL;
            continue;
        }
        if (*p == '(')
            depth++;
        if (*p == ')' && --depth == 0)
            return p + 1;
        p++;
    }
    return NULL;
}

static const char *skip_atom(const char *p, const char *end)
{
    if (*p == '\\')
        return p + 1 < end ? p + 2 : NULL;
    if (*p == '[')
        return skip_class(p, end);
    if (*p == '(')
        return skip_group(p, end);
    return p + 1;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool escape_has(char e, char c, bool *known)
{
    *known = true;
    switch (e) {
    case 'd': return isdigit((unsigned char)c);
    case 'D': return !isdigit((unsigned char)c);
    case 'w': return is_word(c);
    case 'W': return !is_word(c);
    case 's': return isspace((unsigned char)c);
    case 'S': return !isspace((unsigned char)c);
    }
    *known = false;
    return false;
}

static char plain(char e)
{
    switch (e) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    }
    return e;
}

static bool class_has(const char *p, const char *end, char c)
{
    bool negative = false, found = false;
    p++;
    end--;
    if (p < end && *p == '^') {
        negative = true;
        p++;
    }
    while (p < end) {
        bool known = false;
        char a = *p++;
        if (a == '\\' && p < end) {
            found |= escape_has(*p, c, &known);
            a = plain(*p++);
        }
        if (known)
            continue;
        char b = a;
        if (p + 1 < end && *p == '-') {
            b = p[1];
            p += 2;
            if (b == '\\' && p < end)
                b = plain(*p++);
        }
        found |= (unsigned char)c >= (unsigned char)a && (unsigned char)c <= (unsigned char)b;
    }
    return found != negative;
}

static bool follow(struct run *r, const char *t, const struct next *n)
{
    return n ? n->go(r, t, n) : true;
}

static bool go_sequence(struct run *r, const char *t, const struct next *n)
{
    return sequence(r, n->p, n->end, t, n->up);
}

static bool go_close(struct run *r, const char *t, const struct next *n)
{
    const char *f = r->from[n->group], *e = r->to[n->group];
    r->from[n->group] = n->start;
    r->to[n->group] = t;
    if (follow(r, t, n->up))
        return true;
    r->from[n->group] = f;
    r->to[n->group] = e;
    return false;
}

static int group_number(const struct run *r, const char *p)
{
    int n = 1;
    for (const char *q = r->pattern; q < p;) {
        if (*q == '\\') {
            q += 2;
            continue;
        }
        if (*q == '[') {
            const char *s = skip_class(q, r->end);
            q = s ? s : r->end;
            continue;
        }
        if (*q == '(' && q[1] != '?')
            n++;
        q++;
    }
    return n;
}

static bool group(struct run *r, const char *p, const char *end, const char *t, const struct next *n)
{
    if (p[1] == '?' && (p[2] == '=' || p[2] == '!'))
        return alternatives(r, p + 3, end - 1, t, NULL) == (p[2] == '=') && follow(r, t, n);
    if (p[1] == '?' && p[2] == ':')
        return alternatives(r, p + 3, end - 1, t, n);
    const int number = group_number(r, p);
    if (p[1] == '?' || number >= MAX_GROUPS) {
        r->bad |= p[1] == '?';
        return alternatives(r, p + 1, end - 1, t, n);
    }
    const struct next close = {.go = go_close, .up = n, .group = number, .start = t};
    return alternatives(r, p + 1, end - 1, t, &close);
}

static bool atom(struct run *r, const char *p, const char *end, const char *t, const struct next *n)
{
    switch (*p) {
    case '(': return group(r, p, end, t, n);
    case '^': return t == r->text && follow(r, t, n);
    case '$': return !*t && follow(r, t, n);
    case '.': return *t && *t != '\n' && follow(r, t + 1, n);
    case '[': return *t && class_has(p, end, *t) && follow(r, t + 1, n);
    case '\\': {
        const char e = p[1];
        bool known;
        if (e == 'b' || e == 'B') {
            const bool edge = (t > r->text && is_word(t[-1])) != is_word(*t);
            return edge == (e == 'b') && follow(r, t, n);
        }
        if (e >= '1' && e <= '9') {
            const int g = e - '0';
            const size_t len = r->from[g] ? (size_t)(r->to[g] - r->from[g]) : 0;
            return strncmp(t, r->from[g] ? r->from[g] : "", len) == 0 && follow(r, t + len, n);
        }
        if (!*t)
            return false;
        const bool has = escape_has(e, *t, &known);
        return (known ? has : *t == plain(e)) && follow(r, t + 1, n);
    }
    default: return *t == *p && follow(r, t + 1, n);
    }
}

static bool go_repeat(struct run *r, const char *t, const struct next *n)
{
    if (++r->steps > MAX_STEPS || r->depth > MAX_DEPTH) {
        r->limit = true;
        return false;
    }
    if (n->done > n->min && t == n->start) /* an empty turn ends it */
        return false;
    struct next again = *n;
    again.done++;
    again.start = t;
    r->depth++;
    bool ok = false;
    if (n->done < n->min) {
        ok = atom(r, n->atom, n->atom_end, t, &again);
    } else {
        if (n->lazy)
            ok = sequence(r, n->p, n->end, t, n->up);
        if (!ok && n->done < n->max)
            ok = atom(r, n->atom, n->atom_end, t, &again);
        if (!ok && !n->lazy)
            ok = sequence(r, n->p, n->end, t, n->up);
    }
    r->depth--;
    return ok;
}

/* Reads a quantifier at p; false when there is none. */
static bool quantifier(const char **p, const char *end, uint64_t *min, uint64_t *max, bool *bad)
{
    const char *q = *p;
    if (q >= end)
        return false;
    *min = 0;
    *max = UINT64_MAX;
    if (*q == '?')
        *max = 1;
    else if (*q == '+')
        *min = 1;
    else if (*q == '{') {
        char *after;
        if (!isdigit((unsigned char)q[1])) {
            *bad = true;
            return false;
        }
        *min = *max = strtoul(q + 1, &after, 10);
        if (*after == ',') {
            *max = UINT64_MAX;
            after++;
            if (isdigit((unsigned char)*after))
                *max = strtoul(after, &after, 10);
        }
        if (*after != '}' || after >= end || *max < *min) {
            *bad = true;
            return false;
        }
        q = after;
    } else if (*q != '*') {
        return false;
    }
    *p = q + 1;
    return true;
}

static bool sequence(struct run *r, const char *p, const char *end, const char *t, const struct next *n)
{
    if (++r->steps > MAX_STEPS || r->depth > MAX_DEPTH) {
        r->limit = true;
        return false;
    }
    if (p >= end)
        return follow(r, t, n);
    if (strchr("*+?{)", *p)) {
        r->bad = true;
        return false;
    }
    const char *a_end = skip_atom(p, end);
    if (!a_end || a_end > end) {
        r->bad = true;
        return false;
    }
    const char *rest = a_end;
    struct next q = {.go = go_repeat, .up = n, .end = end, .atom = p, .atom_end = a_end};
    bool ok;
    r->depth++;
    if (quantifier(&rest, end, &q.min, &q.max, &r->bad)) {
        q.lazy = rest < end && *rest == '?';
        q.p = rest + q.lazy;
        q.start = NULL;
        ok = go_repeat(r, t, &q);
    } else {
        const struct next s = {.go = go_sequence, .up = n, .p = rest, .end = end};
        ok = !r->bad && atom(r, p, a_end, t, &s);
    }
    r->depth--;
    return ok;
}

static bool alternatives(struct run *r, const char *p, const char *end, const char *t, const struct next *n)
{
    const char *from = p;
    while (p <= end) {
        if (p == end || *p == '|') {
            if (sequence(r, from, p, t, n))
                return true;
            from = p + 1;
            p++;
            continue;
        }
        const char *q = skip_atom(p, end);
        if (!q) {
            r->bad = true;
            return false;
        }
        p = q;
    }
    return false;
}

hwl_status hwl_lc_regex(const char *pattern, const char *text, bool *matches, hwl_error *error)
{
    struct run r = {.pattern = pattern, .end = pattern + strlen(pattern), .text = text};
    *matches = false;
    for (const char *t = text;; t++) {
        if (alternatives(&r, pattern, r.end, t, NULL)) {
            *matches = true;
            break;
        }
        if (r.bad || r.limit || !*t)
            break;
    }
    if (r.bad)
        return hwl_fail(error, HWL_E_USAGE, "'%.120s' is no regular expression", pattern);
    if (r.limit)
        return hwl_fail(error, HWL_E_LIMIT, "the regular expression '%.120s' takes too long on '%.100s'", pattern, text);
    return HWL_OK;
}
