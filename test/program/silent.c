/* silent SOCKET: listen on a unix socket and never answer, until killed: clients can connect, and
 * what they send waits in the kernel. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
        fprintf(stderr, "usage: silent SOCKET\n");
        return 2;
    }
    strcpy(addr.sun_path, argv[1]);
    if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0) {
        perror(argv[1]);
        return 1;
    }
    pause();
    return 0;
}
