#include "cri/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How much of s is left when everything behind its last slash is cut off. */
static size_t upto_last_slash(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] != '/') {
        s.n--;
    }
    return s.n;
}

struct str path_last(struct str path)
{
    size_t n;

    while (path.n > 0 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    n = upto_last_slash(path);
    return n > 0 ? (struct str){path.p + n, path.n - n} : path;
}

struct str path_parent(struct str path)
{
    size_t n = upto_last_slash(path);

    return (struct str){path.p, n > 0 ? n - 1 : 0};
}

bool str_next_line(struct str *text, struct str *ret_line)
{
    const char *end;
    size_t n;

    if (text->n == 0) {
        return false;
    }
    end = memchr(text->p, '\n', text->n);
    n = end ? (size_t)(end - text->p) : text->n;
    *ret_line = (struct str){text->p, n};
    n += end ? 1 : 0;
    text->p += n;
    text->n -= n;
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - (unsigned)'0';

        if (d > 9 || v > (UINT64_MAX - d) / 10) {
            return false;
        }
        v = v * 10 + d;
    }
    *ret = v;
    return true;
}

bool str_to_i32(struct str s, int32_t *ret)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t v;

    if (minus) {
        s.p++;
        s.n--;
    }
    if (!str_to_u64(s, &v) || v > (uint64_t)INT32_MAX + (minus ? 1 : 0)) {
        return false;
    }
    *ret = (int32_t)(minus ? -(int64_t)v : (int64_t)v);
    return true;
}

bool str_is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return s.n > 0;
}

static bool duration_unit(const char **s, int64_t *ret)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},         {"us", 1000},       {"ms", 1000000},
                 {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};

    for (size_t i = 0; i < N_ELEMENTS(units); i++) {
        size_t n = strlen(units[i].name);
        char after;

        if (strncmp(*s, units[i].name, n) != 0) {
            continue;
        }
        after = (*s)[n];
        if (after == '\0' || (after >= '0' && after <= '9')) {
            *s += n;
            *ret = units[i].ns;
            return true;
        }
    }
    return false;
}

bool text_to_duration(const char *s, int64_t *ret)
{
    int64_t total = 0;
    bool bare = true;

    if (!*s) {
        return false;
    }
    for (size_t i = 0; s[i]; i++) {
        bare = bare && s[i] >= '0' && s[i] <= '9';
    }
    while (*s) {
        const char *start = s;
        int64_t unit = 1000000000;
        uint64_t v;
        size_t n = strspn(s, "0123456789");

        if (!str_to_u64((struct str){start, n}, &v)) {
            return false;
        }
        s += n;
        if (!bare && !duration_unit(&s, &unit)) {
            return false;
        }
        if (v > (uint64_t)((INT64_MAX - total) / unit)) {
            return false;
        }
        total += (int64_t)v * unit;
    }
    *ret = total;
    return true;
}

void text_time(int64_t epoch_ns, char *buf, size_t size)
{
    int64_t frac = epoch_ns % 1000000000;
    time_t sec = (time_t)(epoch_ns / 1000000000);
    char date[32], tail[12] = "";
    struct tm tm;

    if (frac < 0) {
        frac += 1000000000;
        sec--;
    }
    if (!gmtime_r(&sec, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        snprintf(buf, size, "?");
        return;
    }
    if (frac) {
        snprintf(tail, sizeof(tail), ".%09d", (int)frac);
        for (size_t n = strlen(tail); n > 0 && tail[n - 1] == '0'; n--) {
            tail[n - 1] = '\0';
        }
    }
    snprintf(buf, size, "%s%sZ", date, tail);
}

static bool two_digits(const char *s, int lo, int hi, int *ret)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') {
        return false;
    }
    *ret = (s[0] - '0') * 10 + (s[1] - '0');
    return *ret >= lo && *ret <= hi;
}

/* "Z", "+hh:mm" or "-hh:mm" and then the end. */
static bool zone_offset(const char *s, int *ret_minutes)
{
    int h, m;

    if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0) {
        *ret_minutes = 0;
        return true;
    }
    if (strlen(s) != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' ||
        !two_digits(s + 1, 0, 23, &h) || !two_digits(s + 4, 0, 59, &m)) {
        return false;
    }
    *ret_minutes = (h * 60 + m) * (s[0] == '-' ? -1 : 1);
    return true;
}

bool text_to_time(const char *s, int64_t *ret_epoch_ns)
{
    struct tm tm = {0};
    int century, year, zone;
    int64_t frac = 0, scale = 100000000, sec;

    if (strlen(s) < 20 || !two_digits(s, 0, 99, &century) || !two_digits(s + 2, 0, 99, &year) ||
        s[4] != '-' || !two_digits(s + 5, 1, 12, &tm.tm_mon) || s[7] != '-' ||
        !two_digits(s + 8, 1, 31, &tm.tm_mday) || (s[10] != 'T' && s[10] != 't') ||
        !two_digits(s + 11, 0, 23, &tm.tm_hour) || s[13] != ':' ||
        !two_digits(s + 14, 0, 59, &tm.tm_min) || s[16] != ':' ||
        !two_digits(s + 17, 0, 60, &tm.tm_sec)) {
        return false;
    }
    s += 19;
    if (*s == '.') {
        s++;
        if (*s < '0' || *s > '9') {
            return false;
        }
        for (; *s >= '0' && *s <= '9'; s++, scale /= 10) {
            frac += (*s - '0') * scale;
        }
    }
    if (!zone_offset(s, &zone)) {
        return false;
    }
    tm.tm_year = century * 100 + year - 1900;
    tm.tm_mon -= 1;
    sec = (int64_t)timegm(&tm) - (int64_t)zone * 60;
    if (sec > INT64_MAX / 1000000000 - 1 || sec < INT64_MIN / 1000000000 + 1) {
        return false;
    }
    *ret_epoch_ns = sec * 1000000000 + frac;
    return true;
}

static bool buf_room(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 256;
    char *p;

    if (b->failed || more >= SIZE_MAX / 2 - b->n) {
        b->failed = true;
        return false;
    }
    while (cap < b->n + more + 1) {
        cap *= 2;
    }
    if (cap == b->cap) {
        return true;
    }
    p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

char *buf_reserve(struct buf *b, size_t more)
{
    return buf_room(b, more) ? b->p + b->n : NULL;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
    if (!buf_room(b, n)) {
        return;
    }
    if (n) {
        memcpy(b->p + b->n, p, n);
    }
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
    } else if (buf_room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

size_t text_utf8_char(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned char lo = 0x80, hi = 0xbf;
    size_t len;

    if (u[0] < 0x80) {
        return u[0] ? 1 : 0;
    }
    if (u[0] >= 0xc2 && u[0] <= 0xdf) {
        len = 2;
    } else if (u[0] >= 0xe0 && u[0] <= 0xef) {
        len = 3;
        lo = u[0] == 0xe0 ? 0xa0 : 0x80;
        hi = u[0] == 0xed ? 0x9f : 0xbf;
    } else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
        len = 4;
        lo = u[0] == 0xf0 ? 0x90 : 0x80;
        hi = u[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (len > n || u[1] < lo || u[1] > hi) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (u[i] < 0x80 || u[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

bool text_is_utf8(const char *s, size_t n)
{
    while (n) {
        size_t len = text_utf8_char(s, n);

        if (!len) {
            return false;
        }
        s += len;
        n -= len;
    }
    return true;
}

void buf_put_utf8(struct buf *b, const char *s, size_t n)
{
    while (n) {
        size_t good = 0, len;

        while (good < n && (len = text_utf8_char(s + good, n - good)) > 0) {
            good += len;
        }
        buf_append(b, s, good);
        s += good;
        n -= good;
        if (n) {
            buf_puts(b, "\xef\xbf\xbd");
            s++;
            n--;
        }
    }
}
