#include "resolver/proc/mountinfo.h"

#include <string.h>

static bool cut(struct str *text, char at, struct str *ret)
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

/* "id parent major:minor root point options optional... - type source options" */
bool mountinfo_parse(struct str line, struct mount_line *ret)
{
    struct mount_line m;
    struct str word;

    if (!cut(&line, ' ', &word) || !str_to_u64(word, &m.id) || !cut(&line, ' ', &word) ||
        !cut(&line, ' ', &word) || !cut(&line, ' ', &m.root) || !cut(&line, ' ', &m.point)) {
        return false;
    }
    do {
        if (!cut(&line, ' ', &word)) {
            return false;
        }
    } while (!str_is(word, "-"));
    if (!cut(&line, ' ', &m.type) || !cut(&line, ' ', &word) || !cut(&line, ' ', &m.options)) {
        return false;
    }
    *ret = m;
    return true;
}

bool mountinfo_option(struct str options, const char *name, struct str *ret)
{
    struct str key = str_of(name), word;

    while (cut(&options, ',', &word)) {
        if (str_starts(word, key) && word.n > key.n && word.p[key.n] == '=') {
            *ret = (struct str){word.p + key.n + 1, word.n - key.n - 1};
            return true;
        }
    }
    return false;
}

static bool is_octal(struct str s)
{
    return s.n >= 4 && s.p[0] == '\\' && s.p[1] >= '0' && s.p[1] <= '3' && s.p[2] >= '0' &&
           s.p[2] <= '7' && s.p[3] >= '0' && s.p[3] <= '7';
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
        if (is_octal(s)) {
            *to = (char)((s.p[1] - '0') << 6 | (s.p[2] - '0') << 3 | (s.p[3] - '0'));
            n = 4;
        }
        to++;
        s.p += n;
        s.n -= n;
    }
    *to = '\0';
    return text;
}
