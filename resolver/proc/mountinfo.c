#include "resolver/proc/mountinfo.h"

#include <string.h>

/* Cut the text up to a separator off *text. False at the end. */
static bool cut_field(struct str *text, char at, struct str *ret)
{
    const char *end;

    if (text->n == 0) {
        return false;
    }
    end = memchr(text->p, at, text->n);
    ret->p = text->p;
    ret->n = end ? (size_t)(end - text->p) : text->n;
    text->p += ret->n + (end ? 1 : 0);
    text->n -= ret->n + (end ? 1 : 0);
    return true;
}

/* A line is "id parent major:minor root point options optional... - type source options". */
bool mountinfo_parse(struct str line, struct mount_line *ret)
{
    struct mount_line m;
    struct str word;

    if (!cut_field(&line, ' ', &word) || !str_to_u64(word, &m.id) ||
        !cut_field(&line, ' ', &word) || !cut_field(&line, ' ', &word) ||
        !cut_field(&line, ' ', &m.root) || !cut_field(&line, ' ', &m.point)) {
        return false;
    }
    do {
        if (!cut_field(&line, ' ', &word)) {
            return false;
        }
    } while (!str_is(word, "-"));
    if (!cut_field(&line, ' ', &m.type) || !cut_field(&line, ' ', &word) ||
        !cut_field(&line, ' ', &m.options)) {
        return false;
    }
    *ret = m;
    return true;
}

bool mountinfo_option(struct str options, const char *name, struct str *ret)
{
    struct str key = str_of(name), word;

    while (cut_field(&options, ',', &word)) {
        if (str_starts(word, key) && word.n > key.n && word.p[key.n] == '=') {
            *ret = (struct str){word.p + key.n + 1, word.n - key.n - 1};
            return true;
        }
    }
    return false;
}

enum { ESCAPE_LENGTH = 4 };

/* Whether s starts with \ooo, an octal number that fits a byte. */
static bool is_escape(struct str s)
{
    return s.n >= ESCAPE_LENGTH && s.p[0] == '\\' && s.p[1] >= '0' && s.p[1] <= '3' &&
           s.p[2] >= '0' && s.p[2] <= '7' && s.p[3] >= '0' && s.p[3] <= '7';
}

char *mountinfo_unescape(struct arena *a, struct str s)
{
    char *text = arena_strndup(a, s.p, s.n), *to = text;

    if (!text) {
        return NULL;
    }
    while (s.n) {
        size_t n = 1;

        *to = s.p[0];
        if (is_escape(s)) {
            *to = (char)((s.p[1] - '0') << 6 | (s.p[2] - '0') << 3 | (s.p[3] - '0'));
            n = ESCAPE_LENGTH;
        }
        to++;
        s.p += n;
        s.n -= n;
    }
    *to = '\0';
    return text;
}
