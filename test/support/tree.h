/* A scratch folder that stands in for the root of a file system, with sockets, links and modes. */
#ifndef PODPID_TEST_TREE_H
#define PODPID_TEST_TREE_H

#include <sys/types.h>

/* A file, socket, folder or link to make. text is TREE_SOCKET, TREE_FOLDER, TREE_LINK(target), or
 * the text of a file. */
struct tree_thing {
    const char *path; /* without the leading slash */
    const char *text;
    mode_t mode; /* 0: 0644 of a file, 0755 of a folder */
};

#define TREE_SOCKET "<socket>"
#define TREE_FOLDER "<folder>"
#define TREE_LINK(to) "<link>" to

struct tree {
    char *path;
    int fd;
};

void tree_make(struct tree *t);
void tree_put(const struct tree *t, const struct tree_thing *thing);
void tree_remove(struct tree *t);

#endif
