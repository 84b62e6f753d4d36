/* Makes one pod or container and keeps, in the folder, what has to be known of it later. What fails
 * has been printed. */
#ifndef PODPID_TEST_PODMAKER_MAKER_H
#define PODPID_TEST_PODMAKER_MAKER_H

#include "cri/base/arena.h"
#include "test/podmaker/options.h"
#include "test/podmaker/rpc.h"

struct maker {
    struct rpc *rpc;
    const char *folder;
    struct arena arena; /* of what is returned below */
};

/* A copy. */
char *maker_text(struct maker *m, const char *s);

/* The id, or NULL. */
char *maker_run_pod(struct maker *m, Podmaker__SandboxConfig *config);
char *maker_run_container(struct maker *m, char *sandbox, Podmaker__SandboxConfig *pod,
                          const struct options *o);

/* What maker_run_pod() was given for that sandbox, to be freed; NULL: it is not known. */
Podmaker__SandboxConfig *maker_pod_config(struct maker *m, const char *sandbox);

/* A call whose reply is empty; one that is asked with an id alone (NULL: none). 0 or -1. */
int maker_call(struct maker *m, const char *method, const ProtobufCMessage *request);
int maker_call_id(struct maker *m, const char *method, char *id);

/* A line to stdout, with its newline: one write, so that the lines of several workers stay whole.
 * 0 or -1. */
int maker_say(const char *line);

#endif
