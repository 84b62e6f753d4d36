/* The events that a watch has queued and its caller has not taken yet. */
#include <errno.h>
#include <stdlib.h>

#include "resolver/watch/impl.h"

enum { QUEUE_FIRST = 64 /* events; then twice as many each time */ };

int watch_queue_push(struct podpid_watch *w, const struct podpid_event *e)
{
    struct podpid_event *to;

    if (w->queue_n == w->queue_cap) {
        size_t cap = w->queue_cap ? w->queue_cap * 2 : QUEUE_FIRST;
        struct podpid_event *more = realloc(w->queue, cap * sizeof(*more));

        if (!more) {
            return -ENOMEM;
        }
        w->queue = more;
        w->queue_cap = cap;
    }
    to = &w->queue[w->queue_n++];
    *to = *e;
    to->seq = ++w->seq;
    to->generation = w->generation;
    to->at = clock_read(CLOCK_REALTIME);
    to->stale = w->stale;
    return 0;
}

int watch_queue_runtime(struct podpid_watch *w, const char *detail)
{
    struct podpid_event e = {.kind = PODPID_EVENT_RUNTIME, .source = "look"};

    e.detail = arena_strdup(&w->queue_arena, detail);
    if (!e.detail) {
        return -ENOMEM;
    }
    w->generation++;
    return watch_queue_push(w, &e);
}

void watch_queue_number(struct podpid_watch *w, size_t from)
{
    w->generation++;
    for (size_t i = from; i < w->queue_n; i++) {
        w->queue[i].generation = w->generation;
    }
}

void watch_queue_free(struct podpid_watch *w)
{
    arena_free(&w->queue_arena);
    free(w->queue);
}

const struct podpid_event *watch_queue_take(struct podpid_watch *w)
{
    if (w->queue_at == w->queue_n) {
        w->queue_at = w->queue_n = 0;
        arena_free(&w->queue_arena);
        return NULL;
    }
    return &w->queue[w->queue_at++];
}
