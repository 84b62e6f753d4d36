#include "test/podmaker/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void *must(void *p)
{
    if (!p) {
        fprintf(stderr, "podmaker: out of memory\n");
        exit(1);
    }
    return p;
}

static char *text(struct arena *a, const char *s)
{
    return must(arena_strdup(a, s));
}

static char *new_uid(struct arena *a)
{
    uint8_t r[16];

    if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r)) {
        abort();
    }
    return must(arena_printf(a,
                             "%02x%02x%02x%02x-%02x%02x-4%x%02x-8%x%02x-%02x%02x%02x%02x%02x%02x",
                             r[0], r[1], r[2], r[3], r[4], r[5], r[6] & 15U, r[7], r[8] & 15U, r[9],
                             r[10], r[11], r[12], r[13], r[14], r[15]));
}

/* protobuf-c gives each map its own entry type of the same shape: key and value. */
#define PUT_LABEL(a, list, n, type, init, k, v)                                                    \
    do {                                                                                           \
        type *entry_ = must(arena_alloc(a, sizeof(*entry_)));                                      \
        init(entry_);                                                                              \
        entry_->key = (k);                                                                         \
        entry_->value = (v);                                                                       \
        (list)[(n)++] = entry_;                                                                    \
    } while (0)

static void put_pod_label(struct arena *a, Podmaker__SandboxConfig *c, char *key, char *value)
{
    PUT_LABEL(a, c->labels, c->n_labels, Podmaker__SandboxConfig__LabelsEntry,
              podmaker__sandbox_config__labels_entry__init, key, value);
}

static void put_container_label(struct arena *a, Podmaker__ContainerConfig *c, char *key,
                                char *value)
{
    PUT_LABEL(a, c->labels, c->n_labels, Podmaker__ContainerConfig__LabelsEntry,
              podmaker__container_config__labels_entry__init, key, value);
}

/* "k=v" cut in two. */
static char *label_value(char *label)
{
    char *eq = strchr(label, '=');

    if (!eq) {
        return label + strlen(label);
    }
    *eq = '\0';
    return eq + 1;
}

static Podmaker__NamespaceOption *namespaces(struct arena *a, Podmaker__NamespaceMode pid)
{
    Podmaker__NamespaceOption *o = must(arena_alloc(a, sizeof(*o)));

    podmaker__namespace_option__init(o);
    o->network = PODMAKER__NAMESPACE_MODE__NODE; /* no CNI plugins needed */
    o->pid = pid;
    o->ipc = PODMAKER__NAMESPACE_MODE__POD;
    return o;
}

Podmaker__SandboxConfig *sandbox_config(struct arena *a, const struct options *o)
{
    Podmaker__SandboxConfig *c = must(arena_alloc(a, sizeof(*c)));

    podmaker__sandbox_config__init(c);
    c->metadata = must(arena_alloc(a, sizeof(*c->metadata)));
    podmaker__sandbox_metadata__init(c->metadata);
    c->metadata->namespace_ = text(a, o->namespace_);
    c->metadata->name = text(a, o->name);
    c->metadata->uid = o->uid ? text(a, o->uid) : new_uid(a);
    c->metadata->attempt = o->attempt;
    c->log_directory = must(arena_printf(a, "%s/log/%s", o->folder, c->metadata->uid));
    c->labels = must(arena_calloc(a, MAX_LABELS + 3, sizeof(*c->labels)));
    put_pod_label(a, c, text(a, "io.kubernetes.pod.namespace"), c->metadata->namespace_);
    put_pod_label(a, c, text(a, "io.kubernetes.pod.name"), c->metadata->name);
    put_pod_label(a, c, text(a, "io.kubernetes.pod.uid"), c->metadata->uid);
    for (size_t i = 0; i < o->n_labels; i++) {
        char *key = text(a, o->labels[i]);

        put_pod_label(a, c, key, label_value(key));
    }
    c->linux = must(arena_alloc(a, sizeof(*c->linux)));
    podmaker__sandbox_linux__init(c->linux);
    c->linux->cgroup_parent =
        o->cgroup_parent ? text(a, o->cgroup_parent)
                         : must(arena_printf(a, "/kubepods/besteffort/pod%s", c->metadata->uid));
    c->linux->security_context = must(arena_alloc(a, sizeof(*c->linux->security_context)));
    podmaker__sandbox_security__init(c->linux->security_context);
    c->linux->security_context->privileged = o->privileged;
    c->linux->security_context->namespace_options = namespaces(a, o->pid);
    return c;
}

Podmaker__ContainerConfig *container_config(struct arena *a, const struct options *o,
                                            const Podmaker__SandboxConfig *pod)
{
    Podmaker__ContainerConfig *c = must(arena_alloc(a, sizeof(*c)));

    podmaker__container_config__init(c);
    c->metadata = must(arena_alloc(a, sizeof(*c->metadata)));
    podmaker__container_metadata__init(c->metadata);
    c->metadata->name = text(a, o->name);
    c->metadata->attempt = o->attempt;
    c->image = must(arena_alloc(a, sizeof(*c->image)));
    podmaker__image_spec__init(c->image);
    c->image->image = text(a, o->image);
    c->command = o->command;
    c->n_command = o->n_command;
    c->log_path = must(arena_printf(a, "%s_%u.log", o->name, o->attempt));
    c->labels = must(arena_calloc(a, MAX_LABELS + 4, sizeof(*c->labels)));
    put_container_label(a, c, text(a, "io.kubernetes.container.name"), c->metadata->name);
    put_container_label(a, c, text(a, "io.kubernetes.pod.namespace"), pod->metadata->namespace_);
    put_container_label(a, c, text(a, "io.kubernetes.pod.name"), pod->metadata->name);
    put_container_label(a, c, text(a, "io.kubernetes.pod.uid"), pod->metadata->uid);
    for (size_t i = 0; i < o->n_labels; i++) {
        char *key = text(a, o->labels[i]);

        put_container_label(a, c, key, label_value(key));
    }
    c->mounts = must(arena_calloc(a, MAX_MOUNTS, sizeof(*c->mounts)));
    for (size_t i = 0; i < o->n_mounts; i++) {
        char *host = text(a, o->mounts[i]), *inside = strchr(host, ':');
        Podmaker__Mount *mount = must(arena_alloc(a, sizeof(*mount)));

        podmaker__mount__init(mount);
        if (inside) {
            *inside++ = '\0';
        }
        mount->host_path = host;
        mount->container_path = inside ? inside : host;
        c->mounts[c->n_mounts++] = mount;
    }
    c->linux = must(arena_alloc(a, sizeof(*c->linux)));
    podmaker__container_linux__init(c->linux);
    c->linux->security_context = must(arena_alloc(a, sizeof(*c->linux->security_context)));
    podmaker__container_security__init(c->linux->security_context);
    c->linux->security_context->privileged = o->privileged;
    c->linux->security_context->namespace_options =
        namespaces(a, pod->linux->security_context->namespace_options->pid);
    return c;
}
