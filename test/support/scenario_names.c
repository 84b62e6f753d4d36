#include "test/support/scenario_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scenario_name *name_find(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->n_names; i++) {
        if (strcmp(s->names[i].name, name) == 0) {
            return &s->names[i];
        }
    }
    return NULL;
}

const char *scenario_set(struct scenario *s, const char *name, const char *text, bool is_id)
{
    if (arena_grow(&s->arena, (void **)&s->names, s->n_names, &s->cap_names, sizeof(*s->names)) <
        0) {
        abort();
    }
    s->names[s->n_names++] =
        (struct scenario_name){arena_strdup(&s->arena, name), arena_strdup(&s->arena, text), is_id};
    return s->names[s->n_names - 1].text;
}

const char *scenario_id(struct scenario *s, const char *alias)
{
    const struct scenario_name *known = name_find(s, alias);
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    char id[65];

    if (known) {
        return known->text;
    }
    for (const char *p = alias; *p; p++) {
        h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    for (int i = 0; i < 4; i++) {
        uint64_t x = h += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        snprintf(id + i * 16, 17, "%016" PRIx64, x ^ (x >> 31));
    }
    return scenario_set(s, alias, id, true);
}

const char *scenario_uid(struct scenario *s, const char *alias)
{
    const char *id = scenario_id(s, alias);
    char name[64], uid[37];
    const struct scenario_name *known;

    snprintf(name, sizeof(name), "%s.uid", alias);
    known = name_find(s, name);
    if (known) {
        return known->text;
    }
    snprintf(uid, sizeof(uid), "%.8s-%.4s-4%.3s-a%.3s-%.12s", id + 32, id + 40, id + 44, id + 47,
             id + 50);
    return scenario_set(s, name, uid, false);
}

/* {alias.uid}, {alias.uid_} (as in a slice's name), {alias.short}, {let}, {alias}. */
void scenario_put_name(struct scenario *s, struct buf *b, char *name)
{
    char *dot = strchr(name, '.');
    const struct scenario_name *known = name_find(s, name);

    if (known) {
        buf_puts(b, known->text);
    } else if (dot && strcmp(dot, ".uid_") == 0) {
        const char *uid;

        *dot = '\0';
        uid = scenario_uid(s, name);
        for (; *uid; uid++) {
            buf_append(b, *uid == '-' ? "_" : uid, 1);
        }
    } else if (dot && strcmp(dot, ".uid") == 0) {
        *dot = '\0';
        buf_puts(b, scenario_uid(s, name));
    } else if (dot && strcmp(dot, ".short") == 0) {
        *dot = '\0';
        buf_append(b, scenario_id(s, name), 12);
    } else {
        buf_puts(b, scenario_id(s, name));
    }
}

void scenario_expand(struct scenario *s, struct str text, struct buf *ret)
{
    const char *end = text.p + text.n;

    for (const char *p = text.p; p < end; p++) {
        const char *close = *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
        char name[64];

        if (close && (size_t)(close - p) < sizeof(name)) {
            snprintf(name, sizeof(name), "%.*s", (int)(close - p - 1), p + 1);
            scenario_put_name(s, ret, name);
            p = close;
        } else {
            buf_append(ret, p, 1);
        }
    }
}

void scenario_free(struct scenario *s)
{
    arena_free(&s->arena);
    *s = (struct scenario){0};
}

const char *scenario_alias(struct scenario *s, const char *text)
{
    for (size_t i = 0; i < s->n_names; i++) {
        const struct scenario_name *n = &s->names[i];
        const char *dot = strchr(n->name, '.');

        if (strcmp(n->text, text) != 0) {
            continue;
        }
        if (n->is_id) {
            return n->name;
        }
        if (dot && strcmp(dot, ".uid") == 0) {
            return arena_strndup(&s->arena, n->name, (size_t)(dot - n->name));
        }
    }
    return text;
}

static int unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'e':
        return 0x1b;
    case 'r':
        return '\r';
    default:
        return c;
    }
}

bool scenario_word(struct scenario *s, const char **p, const char *end, struct word *ret)
{
    struct buf b = {0};
    size_t key = 0;
    bool quoted = false;

    while (*p < end && **p == ' ') {
        (*p)++;
    }
    if (*p == end || **p == '#') {
        return false;
    }
    buf_puts(&b, "");
    for (; *p < end && (quoted || **p != ' '); (*p)++) {
        const char *close = **p == '{' ? memchr(*p, '}', (size_t)(end - *p)) : NULL;
        char name[64];

        if (**p == '"') {
            quoted = !quoted;
        } else if (**p == '\\' && *p + 1 < end) {
            char c = (char)unescape(*++*p);

            buf_append(&b, &c, 1);
        } else if (close && (size_t)(close - *p) < sizeof(name)) {
            snprintf(name, sizeof(name), "%.*s", (int)(close - *p - 1), *p + 1);
            scenario_put_name(s, &b, name);
            *p = close;
        } else {
            if (**p == '=' && !quoted && !key) {
                key = b.n;
            }
            buf_append(&b, *p, 1);
        }
    }
    *ret = (struct word){
        .value = arena_strndup(&s->arena, b.p + (key ? key + 1 : 0), b.n - (key ? key + 1 : 0))};
    if (key) {
        ret->key = arena_strndup(&s->arena, b.p, key);
    }
    buf_free(&b);
    return true;
}
