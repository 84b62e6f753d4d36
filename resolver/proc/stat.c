#include "resolver/proc/stat.h"

#include <string.h>

/* Numbers of the fields, as in proc_pid_stat(5). */
enum { FIELD_STATE = 3, FIELD_PPID = 4, FIELD_SESSION = 6, FIELD_THREADS = 20, FIELD_START = 22 };

static bool is_state(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool to_u32(struct str s, uint32_t *ret)
{
    uint64_t v;

    if (!str_to_u64(s, &v) || v > UINT32_MAX) {
        return false;
    }
    *ret = (uint32_t)v;
    return true;
}

/* Cut the next word off *text; it must be followed by a space or the line's end, so that a text cut
 * short never gives the first half of a number. */
static bool next_word(struct str *text, struct str *ret)
{
    size_t n = 0;

    while (n < text->n && text->p[n] != ' ' && text->p[n] != '\n') {
        n++;
    }
    if (n == 0 || n == text->n) {
        return false;
    }
    *ret = (struct str){text->p, n};
    text->p += n + 1;
    text->n -= n + 1;
    return true;
}

static bool stat_field(int field, struct str word, struct stat_line *s)
{
    switch (field) {
    case FIELD_STATE:
        s->state = word.p[0];
        return word.n == 1 && is_state(s->state);
    case FIELD_PPID:
        return str_to_i32(word, &s->ppid);
    case FIELD_SESSION:
        return str_to_i32(word, &s->session);
    case FIELD_THREADS:
        return to_u32(word, &s->threads);
    case FIELD_START:
        return str_to_u64(word, &s->start);
    default:
        return true;
    }
}

bool stat_parse(struct str text, struct stat_line *ret)
{
    struct stat_line s = {0};
    const char *open, *close;
    struct str word;
    size_t n;

    if (text.n == 0) {
        return false;
    }
    open = memchr(text.p, '(', text.n);
    close = memrchr(text.p, ')', text.n);
    /* "pid (comm) S ..." */
    if (!open || !close || close < open || open == text.p || open[-1] != ' ' ||
        !str_to_i32((struct str){text.p, (size_t)(open - text.p) - 1}, &s.pid)) {
        return false;
    }
    n = (size_t)(close - open) - 1;
    n = n < sizeof(s.comm) ? n : sizeof(s.comm) - 1;
    memcpy(s.comm, open + 1, n);

    text.n -= (size_t)(close - text.p) + 1;
    text.p = close + 1;
    if (text.n == 0 || text.p[0] != ' ') {
        return false;
    }
    text.p++;
    text.n--;
    for (int field = FIELD_STATE; field <= FIELD_START; field++) {
        if (!next_word(&text, &word) || !stat_field(field, word, &s)) {
            return false;
        }
    }
    *ret = s;
    return true;
}

static struct str trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
        s.n--;
    }
    return s;
}

static bool nspid_parse(struct str value, struct status_text *s)
{
    s->n_nspid = 0;
    while (value.n) {
        size_t n = 0;

        while (n < value.n && value.p[n] != '\t' && value.p[n] != ' ') {
            n++;
        }
        if (s->n_nspid == NSPID_DEPTH ||
            !str_to_i32((struct str){value.p, n}, &s->nspid[s->n_nspid])) {
            return false;
        }
        s->n_nspid++;
        value.p += n;
        value.n -= n;
        value = trim(value);
    }
    return s->n_nspid > 0;
}

bool status_parse(struct str text, struct status_text *ret)
{
    enum { TGID = 1, PID = 2, PPID = 4, STATE = 8, ALL = TGID | PID | PPID | STATE };
    struct status_text s = {0};
    unsigned have = 0;
    struct str line;

    /* Drop a last line without a newline: it may have been cut within a number. */
    while (text.n && text.p[text.n - 1] != '\n') {
        text.n--;
    }
    while (str_next_line(&text, &line)) {
        const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        struct str key, value;
        bool good = true;

        if (!colon) {
            continue;
        }
        key = (struct str){line.p, (size_t)(colon - line.p)};
        value = trim((struct str){colon + 1, line.n - key.n - 1});
        if (str_is(key, "Tgid")) {
            have |= TGID;
            good = str_to_i32(value, &s.tgid);
        } else if (str_is(key, "Pid")) {
            have |= PID;
            good = str_to_i32(value, &s.pid);
        } else if (str_is(key, "PPid")) {
            have |= PPID;
            good = str_to_i32(value, &s.ppid);
        } else if (str_is(key, "State")) {
            have |= STATE;
            good = value.n > 0 && is_state(value.p[0]);
            s.state = good ? value.p[0] : 0;
        } else if (str_is(key, "Threads")) {
            good = to_u32(value, &s.threads);
        } else if (str_is(key, "NSpid")) {
            good = nspid_parse(value, &s);
        } else if (str_is(key, "Kthread")) {
            s.kthread = str_is(value, "1");
        }
        if (!good) {
            return false;
        }
    }
    if (have != ALL) {
        return false;
    }
    *ret = s;
    return true;
}

bool btime_parse(struct str text, uint64_t *ret)
{
    const struct str key = STR("btime ");
    struct str line;

    while (str_next_line(&text, &line)) {
        if (str_starts(line, key)) {
            return str_to_u64((struct str){line.p + key.n, line.n - key.n}, ret);
        }
    }
    return false;
}
