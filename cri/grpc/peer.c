#include "cri/grpc/peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FRAME_HEADER = 9, TYPE_SETTINGS = 4 };

/* Whether the byte at this offset can belong to the header of a first SETTINGS frame: length (at
 * most 16384), type SETTINGS, no ACK, stream 0. */
static bool fits_settings(size_t at, uint8_t byte)
{
    switch (at) {
    case 0:
        return byte == 0;
    case 1:
        return byte <= 0x40;
    case 2:
        return true;
    case 3:
        return byte == TYPE_SETTINGS;
    default:
        return byte == 0;
    }
}

static enum grpc_peer judge(const uint8_t *p, size_t n)
{
    static const char http1[] = "HTTP/1.";
    size_t k = n < sizeof(http1) - 1 ? n : sizeof(http1) - 1;

    if (n > 0 && memcmp(p, http1, k) == 0) {
        return k == sizeof(http1) - 1 ? GRPC_PEER_HTTP1 : GRPC_PEER_SILENT;
    }
    for (size_t i = 0; i < n && i < FRAME_HEADER; i++) {
        if (!fits_settings(i, p[i])) {
            return GRPC_PEER_ALIEN;
        }
    }
    return n >= FRAME_HEADER ? GRPC_PEER_HTTP2 : GRPC_PEER_SILENT;
}

enum grpc_peer grpc_sniff(struct grpc_sniffer *s, const uint8_t *p, size_t n)
{
    size_t room = sizeof(s->head) - s->n;

    if (s->peer != GRPC_PEER_SILENT) {
        return s->peer;
    }
    if (n > room) {
        n = room;
    }
    memcpy(s->head + s->n, p, n);
    s->n += n;
    s->peer = judge(s->head, s->n);
    return s->peer;
}

/* Bytes as a C string would have them. */
static void escape(const uint8_t *p, size_t n, char *ret, size_t size)
{
    size_t out = 0;

    for (size_t i = 0; i < n && out + 5 < size; i++) {
        if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
            ret[out++] = (char)p[i];
        } else if (p[i] == '\r' || p[i] == '\n') {
            ret[out++] = '\\';
            ret[out++] = p[i] == '\r' ? 'r' : 'n';
        } else {
            out += (size_t)snprintf(ret + out, size - out, "\\x%02x", p[i]);
        }
    }
    ret[out] = '\0';
}

int grpc_sniff_error(const struct grpc_sniffer *s, struct err *err)
{
    char head[4 * sizeof(s->head) + 8];

    escape(s->head, s->n, head, sizeof(head));
    switch (s->peer) {
    case GRPC_PEER_HTTP1:
        err_set(err, ERR_RUNTIME, EPROTONOSUPPORT,
                "answers HTTP/1, not gRPC: a Docker Engine or another web server (\"%s\")", head);
        err_hint(err, "name the container runtime's own socket");
        return -EPROTONOSUPPORT;
    case GRPC_PEER_ALIEN:
        err_set(err, ERR_RUNTIME, EPROTO, "answers neither gRPC nor HTTP: it begins with \"%s\"",
                head);
        err_hint(err, "this is another program's socket: name the container runtime's");
        return -EPROTO;
    case GRPC_PEER_SILENT:
    case GRPC_PEER_HTTP2:
        break;
    }
    if (s->n > 0) {
        err_set(err, ERR_RUNTIME, ECONNRESET, "closed the connection after \"%s\"", head);
    } else {
        err_set(err, ERR_RUNTIME, ECONNRESET, "closed the connection without an answer");
    }
    err_hint(err, "the runtime stopped, was restarted or crashed (look at its log), or this is "
                  "another program's socket");
    return -ECONNRESET;
}
