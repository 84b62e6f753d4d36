/* The gRPC core, fed with frames made by hand: what goes out first, and what comes of what comes
 * in, in one piece and in single bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "cri/grpc/grpc.h"
#include "cri/grpc/message.h"
#include "cri/grpc/peer.h"
#include "test/support/unit.h"

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void frame(struct buf *b, unsigned type, unsigned flags, unsigned stream, const void *p,
                  size_t n)
{
    const unsigned char head[9] = {
        (unsigned char)(n >> 16),      (unsigned char)(n >> 8),      (unsigned char)n,
        (unsigned char)type,           (unsigned char)flags,         (unsigned char)(stream >> 24),
        (unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream};

    buf_append(b, head, sizeof(head));
    if (n) {
        buf_append(b, p, n);
    }
}

/* HPACK: a literal that is not indexed, with a new name. */
static void literal(struct buf *b, const char *name, const char *value)
{
    unsigned char lengths[2] = {(unsigned char)strlen(name), (unsigned char)strlen(value)};

    buf_append(b, "", 1);
    buf_append(b, &lengths[0], 1);
    buf_puts(b, name);
    buf_append(b, &lengths[1], 1);
    buf_puts(b, value);
}

static void answer_headers(struct buf *b, unsigned stream)
{
    CLEANUP(buf_free) struct buf block = {0};

    buf_append(&block, "\x88", 1); /* :status 200 */
    literal(&block, "content-type", "application/grpc+proto");
    frame(b, HEADERS, END_HEADERS, stream, block.p, block.n);
}

static void trailers(struct buf *b, unsigned stream, const char *status, const char *message)
{
    CLEANUP(buf_free) struct buf block = {0};

    literal(&block, "grpc-status", status);
    literal(&block, "grpc-message", message);
    frame(b, HEADERS, END_HEADERS | END_STREAM, stream, block.p, block.n);
}

static void message(struct buf *b, unsigned stream, const char *text, size_t cut)
{
    CLEANUP(buf_free) struct buf m = {0};
    uint8_t prefix[GRPC_PREFIX];

    grpc_put_prefix(prefix, (uint32_t)strlen(text));
    buf_append(&m, prefix, sizeof(prefix));
    buf_puts(&m, text);
    for (size_t at = 0; at < m.n; at += cut) {
        frame(b, DATA, 0, stream, m.p + at, m.n - at < cut ? m.n - at : cut);
    }
}

/* Whatever wants to go out is taken and dropped; what is in it may be wanted. */
static void drain(struct grpc *g, struct buf *out)
{
    struct err err = {0};
    const uint8_t *p;
    size_t n;

    do {
        if (grpc_send(g, &p, &n, &err) != 0) {
            fail_msg("%s", err.text);
        }
        if (out && n) {
            buf_append(out, p, n);
        }
        grpc_sent(g, n);
    } while (n > 0);
}

static struct grpc *start(unsigned calls)
{
    struct grpc *g;
    struct err err;

    assert_int_equal(grpc_new("podpid/test", &g, &err), 0);
    for (unsigned i = 0; i < calls; i++) {
        assert_int_equal(grpc_call(g, "/p.S/M", "request", 7, false, i, &err), 0);
    }
    return g;
}

/* The offset of the next frame of a type after *at; fails the test if there is none. */
static const unsigned char *find_frame(const struct buf *b, size_t *at, unsigned type)
{
    while (*at + 9 <= b->n) {
        const unsigned char *f = (const unsigned char *)b->p + *at;

        *at += 9 + ((size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2]);
        if (f[3] == type) {
            return f;
        }
    }
    fail_msg("no frame of type %u", type);
    return NULL;
}

static void preface_settings_and_calls_go_out_together(void **state)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct grpc *g = start(3);
    const unsigned char *f;
    size_t at = sizeof(PREFACE) - 1, at_data = at;

    (void)state;
    drain(g, &out); /* nothing was received yet */
    assert_memory_equal(out.p, PREFACE, at);
    f = find_frame(&out, &at, SETTINGS);
    assert_ptr_equal(f, out.p + sizeof(PREFACE) - 1);
    f = find_frame(&out, &at, WINDOW_UPDATE);
    assert_int_equal(f[8], 0);
    assert_true((f[9] << 24 | f[10] << 16 | f[11] << 8 | f[12]) > 100 * 1024 * 1024);
    for (unsigned i = 0; i < 3; i++) {
        f = find_frame(&out, &at, HEADERS);
        assert_int_equal(f[8], 2 * i + 1);
        f = find_frame(&out, &at_data, DATA);
        assert_int_equal(f[8], 2 * i + 1);
        assert_int_equal(f[4], END_STREAM);
        assert_memory_equal(f + 9, "\0\0\0\0\7request", 12);
    }
    grpc_free(g);
}

static void answers_may_come_in_any_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 64; piece += 7) {
        for (size_t cut = 1; cut < 16; cut += 2) {
            CLEANUP(buf_free) struct buf in = {0};
            struct grpc *g = start(2);
            struct grpc_result r;
            struct err err;

            drain(g, NULL);
            frame(&in, SETTINGS, 0, 0, NULL, 0);
            answer_headers(&in, 3);
            message(&in, 3, "second", cut);
            answer_headers(&in, 1);
            message(&in, 1, "", cut);
            trailers(&in, 1, "0", "");
            trailers(&in, 3, "0", "");
            for (size_t at = 0; at < in.n; at += piece) {
                size_t n = in.n - at < piece ? in.n - at : piece;

                assert_int_equal(grpc_recv(g, (const uint8_t *)in.p + at, n, &err), 0);
            }
            assert_int_equal(grpc_peer_seen(g), GRPC_PEER_HTTP2);
            assert_true(grpc_next(g, &r));
            assert_int_equal(r.tag, 0);
            assert_true(r.end && r.code == GRPC_OK && r.message && r.n == 0);
            assert_true(grpc_next(g, &r));
            assert_int_equal(r.tag, 1);
            assert_int_equal(r.n, 6);
            assert_memory_equal(r.message, "second", 6);
            assert_false(grpc_next(g, &r));
            grpc_free(g);
        }
    }
}

static void a_failed_call_has_the_peers_text(void **state)
{
    CLEANUP(buf_free) struct buf in = {0}, block = {0};
    struct grpc *g = start(2);
    struct grpc_result r;
    struct err err;

    (void)state;
    drain(g, NULL);
    frame(&in, SETTINGS, 0, 0, NULL, 0);
    /* trailers alone */
    buf_append(&block, "\x88", 1);
    literal(&block, "content-type", "application/grpc");
    literal(&block, "grpc-status", "5");
    literal(&block, "grpc-message", "no%20such%20%C3%A4%2");
    frame(&in, HEADERS, END_HEADERS | END_STREAM, 1, block.p, block.n);
    /* a message and then an error: the error counts */
    answer_headers(&in, 3);
    message(&in, 3, "half the truth", 100);
    trailers(&in, 3, "x", "");
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_true(grpc_next(g, &r));
    assert_int_equal(r.code, GRPC_NOT_FOUND);
    assert_string_equal(r.text, "no such \xc3\xa4%2");
    assert_null(r.message);
    assert_true(grpc_next(g, &r));
    assert_int_equal(r.code, GRPC_UNKNOWN);
    assert_null(r.message);
    grpc_free(g);
}

static void a_stream_has_a_result_a_message(void **state)
{
    CLEANUP(buf_free) struct buf in = {0};
    struct grpc *g = start(0);
    struct grpc_result r;
    struct err err;

    (void)state;
    assert_int_equal(grpc_call(g, "/p.S/Events", NULL, 0, true, 9, &err), 0);
    drain(g, NULL);
    frame(&in, SETTINGS, 0, 0, NULL, 0);
    answer_headers(&in, 1);
    message(&in, 1, "one", 3);
    message(&in, 1, "two", 100);
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_true(grpc_next(g, &r));
    assert_true(!r.end && r.n == 3 && memcmp(r.message, "one", 3) == 0);
    assert_true(grpc_next(g, &r));
    assert_true(!r.end && r.n == 3 && memcmp(r.message, "two", 3) == 0);
    assert_false(grpc_next(g, &r));
    in.n = 0;
    trailers(&in, 1, "0", "");
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_true(grpc_next(g, &r));
    assert_true(r.end && r.code == GRPC_OK && r.tag == 9);
    grpc_free(g);
}

static void goaway_lets_taken_calls_end(void **state)
{
    CLEANUP(buf_free) struct buf in = {0};
    struct grpc *g = start(3);
    struct grpc_result r;
    struct err err = {0};

    (void)state;
    drain(g, NULL);
    frame(&in, SETTINGS, 0, 0, NULL, 0);
    frame(&in, GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0bye", 11);
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_int_equal(grpc_call(g, "/p.S/M", NULL, 0, false, 7, &err), 0); /* too late */
    drain(g, NULL);
    for (unsigned i = 0; i < 3; i++) {
        static const uint64_t tags[] = {1, 2, 7};
        uint64_t seen = 0;

        assert_true(grpc_next(g, &r));
        for (unsigned k = 0; k < 3; k++) {
            seen += tags[k] == r.tag ? 1 : 0;
        }
        assert_int_equal(seen, 1);
        assert_true(r.end && r.retryable && r.code == GRPC_UNAVAILABLE);
    }
    in.n = 0;
    answer_headers(&in, 1);
    message(&in, 1, "first", 100);
    trailers(&in, 1, "0", "");
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), -ESHUTDOWN);
    assert_non_null(strstr(err.text, "bye"));
    assert_true(grpc_next(g, &r));
    assert_true(r.end && r.tag == 0 && r.code == GRPC_OK && r.n == 5);
    grpc_free(g);
}

static void pings_are_answered_and_never_sent(void **state)
{
    CLEANUP(buf_free) struct buf in = {0}, out = {0};
    struct grpc *g = start(1);
    const unsigned char *f;
    struct err err;
    size_t at = 0;

    (void)state;
    drain(g, NULL);
    frame(&in, SETTINGS, 0, 0, NULL, 0);
    frame(&in, PING, 0, 0, "12345678", 8);
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    drain(g, &out);
    f = find_frame(&out, &at, PING);
    assert_int_equal(f[4], ACK);
    assert_memory_equal(f + 9, "12345678", 8);
    grpc_free(g);
}

static void memory_follows_bytes_not_lengths(void **state)
{
    struct grpc_deframer d = {0};
    const uint8_t promise[] = {0, 3, 0xff, 0xff, 0xff, 'x'}, *p = promise;
    size_t n = sizeof(promise);

    (void)state;
    assert_int_equal(grpc_deframer_push(&d, &p, &n), 0);
    assert_int_equal(n, 0);
    assert_true(grpc_deframer_partial(&d));
    assert_true(d.cap <= 4096);
    grpc_deframer_reset(&d);
    p = (const uint8_t *)"\0\4\0\0\1";
    n = 5;
    assert_int_equal(grpc_deframer_push(&d, &p, &n), -EMSGSIZE);
    grpc_deframer_reset(&d);
    p = (const uint8_t *)"\1\0\0\0\1";
    n = 5;
    assert_int_equal(grpc_deframer_push(&d, &p, &n), -EPROTO);
    grpc_deframer_reset(&d);
}

static void grpc_message_is_percent_decoded(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},         {"plain", "plain"}, {"a%20b", "a b"}, {"%e4%E4", "\xe4\xe4"},
        {"100%", "100%"}, {"%2", "%2"},       {"%zz", "%zz"},   {"%00x", "?x"},
        {"%25", "%"},     {"%2541", "%41"},
    };
    char buf[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        grpc_percent_decode((const uint8_t *)cases[i].in, strlen(cases[i].in), buf, sizeof(buf));
        assert_string_equal(buf, cases[i].out);
    }
    grpc_percent_decode((const uint8_t *)"%41%42%43%44", 12, buf, 3);
    assert_string_equal(buf, "AB");
}

static void peers_are_recognised_by_first_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum grpc_peer peer;
        const char *words;
    } cases[] = {
        {"", 0, GRPC_PEER_SILENT, "without an answer"},
        {"\0\0\0\4\0\0\0\0\0", 9, GRPC_PEER_HTTP2, NULL},
        {"\0\0\x12\4\0\0\0\0\0", 9, GRPC_PEER_HTTP2, NULL},
        {"\0\0\0\4\0\0\0\0", 8, GRPC_PEER_SILENT, "after \"\\x00\\x00\\x00\\x04"},
        {"\0\0\0\4\1\0\0\0\0", 9, GRPC_PEER_ALIEN, NULL}, /* an ACK of nothing */
        {"\0\0\0\4\0\0\0\0\1", 9, GRPC_PEER_ALIEN, NULL},
        {"\0\0\0\1\0\0\0\0\0", 9, GRPC_PEER_ALIEN, NULL},
        {"HTTP/1.1 400 Bad Request\r\n", 26, GRPC_PEER_HTTP1, "\"HTTP/1.1 400 Bad Request\\r\\n\""},
        {"HTTP/1.0 301", 12, GRPC_PEER_HTTP1, "HTTP/1"},
        {"HTTP", 4, GRPC_PEER_SILENT, "after \"HTTP\""},
        {"HTTP/2", 6, GRPC_PEER_ALIEN, "HTTP/2"},
        {"{\"x\":1}", 7, GRPC_PEER_ALIEN, "\"{\\x22x\\x22:1}\""},
        {"\x15\x03\x01\x00\x02\x02\x46", 7, GRPC_PEER_ALIEN, "\\x15\\x03\\x01"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct grpc_sniffer whole = {0}, bytes = {0};
        struct err err = {0};

        grpc_sniff(&whole, (const uint8_t *)cases[i].bytes, cases[i].n);
        for (size_t k = 0; k < cases[i].n; k++) {
            grpc_sniff(&bytes, (const uint8_t *)cases[i].bytes + k, 1);
        }
        assert_int_equal(whole.peer, cases[i].peer);
        assert_int_equal(bytes.peer, cases[i].peer);
        if (cases[i].words) {
            assert_true(grpc_sniff_error(&whole, &err) < 0);
            if (!strstr(err.text, cases[i].words)) {
                fail_msg("%s", err.text);
            }
        }
    }
}

static void each_end_of_the_connection_has_its_error(void **state)
{
    CLEANUP(buf_free) struct buf in = {0};
    struct grpc *g = start(2);
    struct err err = {0};

    (void)state;
    drain(g, NULL);
    assert_int_equal(grpc_eof(g, &err), -ECONNRESET);
    assert_non_null(strstr(err.text, "without an answer"));
    frame(&in, SETTINGS, 0, 0, NULL, 0);
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_int_equal(grpc_eof(g, &err), -ECONNRESET);
    assert_non_null(strstr(err.text, "2 calls"));
    in.n = 0;
    answer_headers(&in, 1);
    frame(&in, DATA, 0, 1, "\0\0\0\0\7re", 7);
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_int_equal(grpc_eof(g, &err), -ECONNRESET);
    assert_non_null(strstr(err.text, "middle of an answer"));
    in.n = 0;
    frame(&in, DATA, 0, 4711, "x", 1); /* of a stream that nobody opened */
    grpc_recv(g, (const uint8_t *)in.p, in.n, &err);
    {
        const uint8_t *p;
        size_t n;

        assert_int_equal(grpc_send(g, &p, &n, &err), -EPROTO);
        assert_non_null(strstr(err.text, "broke the HTTP/2 protocol"));
    }
    grpc_free(g);
}

static void a_refused_call_is_sent_again(void **state)
{
    CLEANUP(buf_free) struct buf in = {0}, out = {0};
    struct grpc *g = start(2);
    struct grpc_result r;
    const unsigned char *f;
    struct err err;
    size_t at = 0;

    (void)state;
    drain(g, NULL);
    frame(&in, SETTINGS, 0, 0, "\0\3\0\0\0\1", 6); /* one stream at a time */
    frame(&in, RST_STREAM, 0, 3, "\0\0\0\7", 4);
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_false(grpc_next(g, &r));
    drain(g, &out); /* the first one is still under way */
    in.n = out.n = 0;
    answer_headers(&in, 1);
    message(&in, 1, "a", 100);
    trailers(&in, 1, "0", "");
    assert_int_equal(grpc_recv(g, (const uint8_t *)in.p, in.n, &err), 0);
    assert_true(grpc_next(g, &r));
    drain(g, &out);
    f = find_frame(&out, &at, HEADERS);
    assert_int_equal(f[8], 5);
    f = find_frame(&out, &at, DATA);
    assert_memory_equal(f + 9, "\0\0\0\0\7request", 12);
    grpc_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preface_settings_and_calls_go_out_together),
        cmocka_unit_test(answers_may_come_in_any_pieces),
        cmocka_unit_test(a_failed_call_has_the_peers_text),
        cmocka_unit_test(a_stream_has_a_result_a_message),
        cmocka_unit_test(goaway_lets_taken_calls_end),
        cmocka_unit_test(pings_are_answered_and_never_sent),
        cmocka_unit_test(memory_follows_bytes_not_lengths),
        cmocka_unit_test(grpc_message_is_percent_decoded),
        cmocka_unit_test(peers_are_recognised_by_first_bytes),
        cmocka_unit_test(each_end_of_the_connection_has_its_error),
        cmocka_unit_test(a_refused_call_is_sent_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
