#include "cri/grpc/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int grow(struct grpc_deframer *d)
{
    size_t cap = d->cap ? d->cap * 2 : 4096;
    uint8_t *p;

    if (cap > d->size) {
        cap = d->size ? d->size : 1;
    }
    p = realloc(d->body, cap);
    if (!p) {
        return -ENOMEM;
    }
    d->body = p;
    d->cap = cap;
    return 0;
}

static size_t move(uint8_t *to, size_t room, const uint8_t **p, size_t *n)
{
    size_t k = *n < room ? *n : room;

    if (k) {
        memcpy(to, *p, k);
    }
    *p += k;
    *n -= k;
    return k;
}

int grpc_deframer_push(struct grpc_deframer *d, const uint8_t **p, size_t *n)
{
    if (d->n_prefix < GRPC_PREFIX) {
        d->n_prefix += move(d->prefix + d->n_prefix, GRPC_PREFIX - d->n_prefix, p, n);
        if (d->n_prefix < GRPC_PREFIX) {
            return 0;
        }
        if (d->prefix[0] != 0) {
            return -EPROTO;
        }
        d->size = (uint32_t)d->prefix[1] << 24 | (uint32_t)d->prefix[2] << 16 |
                  (uint32_t)d->prefix[3] << 8 | d->prefix[4];
        if (d->size > GRPC_MESSAGE_MOST) {
            return -EMSGSIZE;
        }
    }
    do {
        if (d->n == d->cap && (d->n < d->size || !d->body) && grow(d) < 0) {
            return -ENOMEM;
        }
        if (d->n < d->size) {
            size_t room = d->cap < d->size ? d->cap : d->size;

            d->n += move(d->body + d->n, room - d->n, p, n);
        }
    } while (*n && d->n < d->size);
    return d->n == d->size ? 1 : 0;
}

bool grpc_deframer_partial(const struct grpc_deframer *d)
{
    return d->n_prefix > 0;
}

void grpc_deframer_reset(struct grpc_deframer *d)
{
    free(d->body);
    *d = (struct grpc_deframer){0};
}

void grpc_put_prefix(uint8_t prefix[GRPC_PREFIX], uint32_t n)
{
    prefix[0] = 0;
    prefix[1] = (uint8_t)(n >> 24);
    prefix[2] = (uint8_t)(n >> 16);
    prefix[3] = (uint8_t)(n >> 8);
    prefix[4] = (uint8_t)n;
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void grpc_percent_decode(const uint8_t *p, size_t n, char *ret, size_t size)
{
    size_t out = 0;

    for (size_t i = 0; i < n && out + 1 < size; i++) {
        int c = p[i];

        if (c == '%' && n - i > 2 && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
            c = hex(p[i + 1]) * 16 + hex(p[i + 2]);
            i += 2;
        }
        ret[out++] = (char)(c ? c : '?');
    }
    ret[out] = '\0';
}
