/* The formats of watch: a line of text or of JSON an event. */
#include <stdio.h>
#include <time.h>

#include "resolver/cli/format.h"

static void print_time(int64_t at)
{
    time_t seconds = (time_t)(at / 1000000000);
    struct tm tm;
    char text[32] = "?";

    if (localtime_r(&seconds, &tm)) {
        strftime(text, sizeof(text), "%H:%M:%S", &tm);
    }
    printf("%s.%03d", text, (int)(at / 1000000 % 1000));
}

static int print_container(const struct cli *cli, const char *event,
                           const struct podpid_container *c)
{
    const struct podpid_pod *p = c->pod;
    char *namespace_ = cli_text(cli, p->namespace_, 64), *pod = cli_text(cli, p->name, 64);
    char *name = cli_text(cli, c->name, 64);
    int status = namespace_ && pod && name ? CLI_OK : cli_nomem();

    if (status == CLI_OK) {
        printf(" %-8s %.12s %s/%s/%s %s ", event, c->id, namespace_, pod, name,
               podpid_verdict_name(c->verdict));
        if (c->pid) {
            printf("%d\n", c->pid);
        } else {
            puts("-");
        }
    }
    free(namespace_);
    free(pod);
    free(name);
    return status;
}

/* A line for the event; for a whole snapshot a line for each of its containers. */
int out_event_line(const struct cli *cli, const struct podpid_event *e)
{
    const char *name = podpid_event_name(e->kind);
    const struct podpid_pod *const *pods;
    size_t n;
    int status = CLI_OK;

    if (e->container) {
        print_time(e->at);
        return print_container(cli, name, e->container);
    }
    if (!e->snapshot) {
        char *detail = cli_text(cli, e->detail, 512);

        print_time(e->at);
        printf(" %-8s %s\n", name, detail ? detail : "");
        free(detail);
        return CLI_OK;
    }
    pods = podpid_snapshot_pods(e->snapshot, &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; status == CLI_OK && k < pods[i]->n_containers; k++) {
            print_time(e->at);
            status = print_container(cli, name, pods[i]->containers[k]);
        }
    }
    return status;
}

int out_event_json(const struct cli *cli, const struct podpid_event *e)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    (void)cli;
    return podpid_event_to_json(e, cli_write, NULL, &error) < 0 ? cli_fail(&error) : CLI_OK;
}
