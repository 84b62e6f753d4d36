/* A small HTTP/1.1 server on a unix socket, stepped by the test itself: nothing sleeps, nothing
 * races. It answers what a script says, well or badly. */
#ifndef PODPID_TEST_HTTP_H
#define PODPID_TEST_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum http_how {
    HTTP_LENGTH,   /* Content-Length */
    HTTP_CHUNKED,  /* in chunks of a few bytes */
    HTTP_CLOSE,    /* neither: the end of the connection is the end of the body */
    HTTP_CUT,      /* Content-Length, half of it, and the connection is closed */
    HTTP_CUT_ONCE, /* as HTTP_CUT the first time, then HTTP_LENGTH */
    HTTP_RAW,      /* the body is all that is sent, then the connection is closed */
    HTTP_ENDLESS,  /* chunks that never end */
    HTTP_OPEN,     /* chunks: the body as one, and no end yet */
    HTTP_SILENT    /* no answer */
};

struct http_answer {
    const char *path; /* exactly; NULL: any */
    enum http_how how;
    int status; /* 0: 200 */
    const char *body;
    size_t n;       /* 0: strlen(body) */
    unsigned asked; /* counted */
};

struct http_server;

/* Listens at path; the script is borrowed, the first answer that matches is given; without one
 * 404. */
struct http_server *http_server_new(const char *path, struct http_answer *script, size_t n);
void http_server_free(struct http_server *s); /* closes everything and removes the socket */

/* Accept, read and write what can be without blocking. True if anything was done. */
bool http_server_step(struct http_server *s);

/* Ends the answers that were left open. */
void http_server_end_open(struct http_server *s);

unsigned http_server_connections(const struct http_server *s); /* accepted so far */
unsigned http_server_requests(const struct http_server *s);

#endif
