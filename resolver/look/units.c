#include "resolver/look/impl.h"

#include <string.h>

/* Index of the unit of that id, or of the first one behind it. */
static size_t place_of(const struct look_units *all, const char *id)
{
    size_t lo = 0, hi = all->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(all->items[mid]->id, id) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

struct look_unit *look_unit_find(const struct look_units *all, const char *id)
{
    size_t at = place_of(all, id);

    return at < all->n && strcmp(all->items[at]->id, id) == 0 ? all->items[at] : NULL;
}

struct look_unit *look_unit_add(struct look_units *all, struct arena *a, const char *id)
{
    size_t at = place_of(all, id);
    struct look_unit *lu;

    if (at < all->n && strcmp(all->items[at]->id, id) == 0) {
        return all->items[at];
    }
    lu = arena_alloc(a, sizeof(*lu));
    if (!lu || ARENA_APPEND(a, all->items, all->n, all->cap, lu) < 0) {
        return NULL;
    }
    *lu = (struct look_unit){.id = id, .open = true};
    memmove(&all->items[at + 1], &all->items[at], (all->n - 1 - at) * sizeof(*all->items));
    all->items[at] = lu;
    return lu;
}
