/* A peer on a unix socket that is no container runtime.
 *
 *   peer silent|garbage|middle|close PATH
 *
 * Serves until it is killed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An empty SETTINGS frame as a server starts with, then the start of a frame that never ends. */
static const char middle[] = "\0\0\0\4\0\0\0\0\0"
                             "\0\1\0\1\4\0";
static const char garbage[] = "\377\376 this is no protocol that anybody speaks \1\2\3\r\n\r\n";

static void serve(int fd, const char *mode)
{
    char in[4096];

    if (strcmp(mode, "garbage") == 0) {
        (void)!write(fd, garbage, sizeof(garbage));
        (void)!read(fd, in, sizeof(in));
        close(fd);
    } else if (strcmp(mode, "middle") == 0) {
        (void)!read(fd, in, sizeof(in));
        (void)!write(fd, middle, sizeof(middle) - 1);
        close(fd);
    } else if (strcmp(mode, "close") == 0) {
        close(fd);
    } else {
        /* silent: left open, never read, never answered */
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (argc != 3 || strlen(argv[2]) >= sizeof(addr.sun_path)) {
        fprintf(stderr, "usage: peer silent|garbage|middle|close PATH\n");
        return 2;
    }
    memcpy(addr.sun_path, argv[2], strlen(argv[2]));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, 16) < 0) {
        perror(argv[2]);
        return 1;
    }
    for (;;) {
        int peer = accept(fd, NULL, NULL);

        if (peer >= 0) {
            serve(peer, argv[1]);
        }
    }
}
