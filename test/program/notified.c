/* notified SOCKET: print what services tell their manager there (sd_notify), until killed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[4096];
    ssize_t n;

    if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
        fprintf(stderr, "usage: notified SOCKET\n");
        return 2;
    }
    strcpy(addr.sun_path, argv[1]);
    if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
        perror(argv[1]);
        return 1;
    }
    while ((n = recv(fd, text, sizeof(text) - 1, 0)) >= 0) {
        text[n] = '\0';
        puts(text);
        fflush(stdout);
    }
    return 0;
}
