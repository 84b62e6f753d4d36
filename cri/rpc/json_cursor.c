#include "cri/rpc/json_cursor.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static void skip_space(struct json_cursor *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) {
        j->p++;
    }
}

enum json_cursor_kind json_cursor_peek(struct json_cursor *j)
{
    skip_space(j);
    if (j->p == j->end) {
        return JSON_CURSOR_NONE;
    }
    switch (*j->p) {
    case '{':
        return JSON_CURSOR_OBJECT;
    case '[':
        return JSON_CURSOR_ARRAY;
    case '"':
        return JSON_CURSOR_STRING;
    case 't':
    case 'f':
    case 'n':
        return JSON_CURSOR_WORD;
    default:
        return *j->p == '-' || (*j->p >= '0' && *j->p <= '9') ? JSON_CURSOR_NUMBER
                                                              : JSON_CURSOR_NONE;
    }
}

bool json_cursor_enter(struct json_cursor *j)
{
    if (json_cursor_peek(j) != JSON_CURSOR_OBJECT) {
        return false;
    }
    j->p++;
    return true;
}

/* Over a string; the cursor is at its first quote. */
static int skip_string(struct json_cursor *j)
{
    const char *p = j->p + 1;

    while (p < j->end && *p != '"') {
        p += *p == '\\' && j->end - p > 1 ? 2 : 1;
    }
    if (p >= j->end) {
        return -EBADMSG;
    }
    j->p = p + 1;
    return 0;
}

/* Over a number, or over true, false, null. */
static void skip_scalar(struct json_cursor *j)
{
    while (j->p < j->end && !strchr(" \t\r\n,:]}[{\"", *j->p)) {
        j->p++;
    }
}

/* Over an object or an array: brackets have to match, a bit for each open one. */
static int skip_brackets(struct json_cursor *j)
{
    uint64_t objects = 0;
    unsigned depth = 0;

    do {
        char c = *j->p;

        if (c == '"') {
            if (skip_string(j) < 0) {
                return -EBADMSG;
            }
            continue;
        }
        j->p++;
        if (c == '{' || c == '[') {
            if (depth == JSON_CURSOR_DEPTH) {
                return -EBADMSG;
            }
            objects = objects << 1 | (c == '{' ? 1 : 0);
            depth++;
        } else if (c == '}' || c == ']') {
            if ((objects & 1) != (c == '}' ? 1 : 0)) {
                return -EBADMSG;
            }
            objects >>= 1;
            if (--depth == 0) {
                return 0;
            }
        } else if (c == '\0') {
            return -EBADMSG;
        }
    } while (j->p < j->end);
    return -EBADMSG;
}

int json_cursor_skip(struct json_cursor *j, struct str *ret)
{
    enum json_cursor_kind kind = json_cursor_peek(j);
    const char *start = j->p;
    int rc = 0;

    switch (kind) {
    case JSON_CURSOR_OBJECT:
    case JSON_CURSOR_ARRAY:
        rc = skip_brackets(j);
        break;
    case JSON_CURSOR_STRING:
        rc = skip_string(j);
        break;
    case JSON_CURSOR_NUMBER:
    case JSON_CURSOR_WORD:
        skip_scalar(j);
        break;
    case JSON_CURSOR_NONE:
        rc = -EBADMSG;
        break;
    }
    if (rc == 0 && ret) {
        *ret = (struct str){start, (size_t)(j->p - start)};
    }
    return rc;
}

int json_cursor_key(struct json_cursor *j, bool *first, struct str *ret)
{
    struct str quoted;

    skip_space(j);
    if (j->p < j->end && *j->p == '}') {
        j->p++;
        return 0;
    }
    if (!*first) {
        if (j->p == j->end || *j->p != ',') {
            return -EBADMSG;
        }
        j->p++;
    }
    *first = false;
    if (json_cursor_peek(j) != JSON_CURSOR_STRING || json_cursor_skip(j, &quoted) < 0) {
        return -EBADMSG;
    }
    skip_space(j);
    if (j->p == j->end || *j->p != ':') {
        return -EBADMSG;
    }
    j->p++;
    *ret = (struct str){quoted.p + 1, quoted.n - 2};
    return 1;
}

static int hex4(const char *p, const char *end)
{
    int v = 0;

    if (end - p < 4) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        int c = p[i], lower = c | 0x20;

        if (c >= '0' && c <= '9') {
            v = v * 16 + (c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            v = v * 16 + (lower - 'a' + 10);
        } else {
            return -1;
        }
    }
    return v;
}

static char *put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* \uXXXX, a pair of surrogates taken together; a lone one becomes U+FFFD. *p is after the u. 0 or
 * -EBADMSG. */
static int unescape_unicode(const char **p, const char *end, char **out)
{
    int c = hex4(*p, end), low;

    if (c <= 0) {
        return -EBADMSG;
    }
    *p += 4;
    if (c >= 0xd800 && c < 0xe000) {
        low = c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ? hex4(*p + 2, end)
                                                                               : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            *p += 6;
            c = 0x10000 + (c - 0xd800) * 0x400 + (low - 0xdc00);
        } else {
            c = 0xfffd;
        }
    }
    *out = put_utf8(*out, (unsigned)c);
    return 0;
}

int json_cursor_unquote(struct str quoted, struct arena *a, const char **ret)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = quoted.p + 1, *end, *at;
    char *text, *out;

    if (quoted.n < 2 || quoted.p[0] != '"' || quoted.p[quoted.n - 1] != '"') {
        return -EBADMSG;
    }
    end = quoted.p + quoted.n - 1;
    text = arena_alloc(a, quoted.n); /* the value is never longer than its text */
    if (!text) {
        return -ENOMEM;
    }
    out = text;
    while (p < end) {
        if (*p == '\0') {
            return -EBADMSG;
        }
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        p++;
        if (p == end) {
            return -EBADMSG;
        }
        if (*p == 'u') {
            p++;
            if (unescape_unicode(&p, end, &out) < 0) {
                return -EBADMSG;
            }
            continue;
        }
        at = *p ? strchr(from, *p) : NULL;
        if (!at) {
            return -EBADMSG;
        }
        *out++ = to[at - from];
        p++;
    }
    *out = '\0';
    *ret = text;
    return 0;
}
