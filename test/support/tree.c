#include "test/support/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/scratch.h"
#include "test/support/unit.h"

void tree_make(struct tree *t)
{
    t->path = scratch_new();
    t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(t->fd >= 0);
}

void tree_remove(struct tree *t)
{
    close(t->fd);
    scratch_remove(t->path);
}

void tree_put(const struct tree *t, const struct tree_thing *thing)
{
    mode_t mode = thing->mode ? thing->mode : 0644;

    /* Makes the folders on the way. */
    scratch_puts(t->path, thing->path, "");
    if (strncmp(thing->text, TREE_LINK(""), strlen(TREE_LINK(""))) == 0) {
        assert_int_equal(unlinkat(t->fd, thing->path, 0), 0);
        assert_int_equal(symlinkat(thing->text + strlen(TREE_LINK("")), t->fd, thing->path), 0);
        return;
    }
    if (strcmp(thing->text, TREE_SOCKET) == 0) {
        assert_int_equal(unlinkat(t->fd, thing->path, 0), 0);
        assert_int_equal(mknodat(t->fd, thing->path, S_IFSOCK | 0660, 0), 0);
        return;
    }
    if (strcmp(thing->text, TREE_FOLDER) == 0) {
        assert_int_equal(unlinkat(t->fd, thing->path, 0), 0);
        assert_int_equal(mkdirat(t->fd, thing->path, 0755), 0);
        mode = thing->mode ? thing->mode : 0755;
    } else {
        scratch_puts(t->path, thing->path, thing->text);
    }
    assert_int_equal(fchmodat(t->fd, thing->path, mode, 0), 0);
}
