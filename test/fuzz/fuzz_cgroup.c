/* cgroup_parse() and podpid_cgroup_parse(): the input is a cgroup text. */
#include <string.h>

#include "resolver/cgroup/facts.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "resolver/podpid.h"
#include "test/fuzz/fuzz.h"

static int discard(void *context, const char *data, size_t n)
{
    (void)context;
    (void)data;
    (void)n;
    return 0;
}

static void check_facts(const struct cgroup_facts *f)
{
    bool container = f->kind == CGROUP_CONTAINER || f->kind == CGROUP_NESTED;

    must(container == (f->container_id != NULL));
    must((f->kind == CGROUP_HELPER) == (f->helper_for != NULL));
    must((f->kind == CGROUP_HOST) == (f->line == 0));
    must(f->kind != CGROUP_POD || f->pod_uid);
    must(!f->qos || f->pod_uid);
    must(!f->inner_id || f->kind == CGROUP_NESTED);
    must(!f->inner_pod_uid || f->inner_id);
    must((f->n_chain > 0) == (f->inner_id != NULL));
    must(f->n_chain == 0 || strcmp(f->chain[f->n_chain - 1], f->inner_id) == 0);
    must(!f->path || cgroup_container_prefix((struct str){f->path, strlen(f->path)}).n <=
                         cgroup_node_root((struct str){f->path, strlen(f->path)}).n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct podpid_cgroup *c = NULL;
    struct cgroup_facts f;
    struct arena a = {0};

    must(cgroup_parse((struct str){text, size}, &a, &f) == 0);
    check_facts(&f);
    must(cgroup_parse_below((struct str){text, size}, STR("/docker"), &a, &f) == 0);
    check_facts(&f);
    arena_free(&a);

    must(podpid_cgroup_parse(text, size, &c, NULL) == PODPID_OK);
    must(podpid_cgroup_to_json(c, discard, NULL, NULL) == PODPID_OK);
    podpid_cgroup_free(c);
    return 0;
}
