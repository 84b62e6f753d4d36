#include "test/support/scenario.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cri/base/clock.h"
#include "test/support/scenario_names.h"
#include "test/support/scenario_proc.h"
#include "test/support/scratch.h"

/* The boot of the node, 2026-11-23T08:00:00Z, and the look a day later. */
static const int64_t boot = INT64_C(1795420800);
static const int64_t day = 86400;

enum { WORDS = 32, TICKS = 100 };

struct place {
    const char *alias, *cgroup;
};

struct writing {
    struct scenario *s;
    const char *dir;
    bool without_paths;
    unsigned line;
    struct word words[WORDS];
    unsigned n_words;
    struct proc_writer proc;
    json_t *runtime, *pods, *containers, *node, *ids;
    struct place *places;
    size_t n_places, cap_places;
};

static bool refuse(struct writing *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct writing *w, const char *fmt, ...)
{
    char what[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    snprintf(w->s->error, sizeof(w->s->error), "line %u: %s", w->line, what);
    return false;
}

/* ---- Words of a line ------------------------------------------------------------------------- */

static const char *bare(const struct writing *w, unsigned i)
{
    for (unsigned k = 0; k < w->n_words; k++) {
        if (!w->words[k].key && i-- == 0) {
            return w->words[k].value;
        }
    }
    return NULL;
}

static const char *value(const struct writing *w, const char *key)
{
    for (unsigned k = 0; k < w->n_words; k++) {
        if (w->words[k].key && strcmp(w->words[k].key, key) == 0) {
            return w->words[k].value;
        }
    }
    return NULL;
}

static int64_t number(const struct writing *w, const char *key, int64_t otherwise)
{
    const char *v = value(w, key);

    return v ? strtoll(v, NULL, 10) : otherwise;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static json_t *time_of(int64_t ticks)
{
    char text[40];

    text_time((boot * TICKS + ticks) * (NSEC_PER_SEC / TICKS), text, sizeof(text));
    return json_string(text);
}

static void set_text(json_t *o, const char *key, const char *text)
{
    if (text) {
        json_object_set_new(o, key, json_string(text));
    }
}

static void set_time(const struct writing *w, json_t *o, const char *key, const char *word,
                     int64_t otherwise)
{
    int64_t ticks = number(w, word, otherwise);

    if (ticks >= 0) {
        json_object_set_new(o, key, time_of(ticks));
    }
}

static void place_set(struct writing *w, const char *alias, const char *cgroup)
{
    if (arena_grow(&w->s->arena, (void **)&w->places, w->n_places, &w->cap_places,
                   sizeof(*w->places)) < 0) {
        abort();
    }
    w->places[w->n_places++] = (struct place){alias, cgroup};
}

static const char *place_of(const struct writing *w, const char *alias)
{
    for (size_t i = w->n_places; i-- > 0;) {
        if (strcmp(w->places[i].alias, alias) == 0) {
            return w->places[i].cgroup;
        }
    }
    return NULL;
}

/* Read what a pod and a container have in common: at=, path=, pid=, type=, error=. pod is "-" for a
 * container without a pod. */
static void set_status(struct writing *w, json_t *o, const char *alias, const char *pod)
{
    struct scenario *s = w->s;
    const char *at = value(w, "at"), *path = value(w, "path");

    if (!at && strcmp(pod, "-") == 0) {
        at = arena_printf(&s->arena, "/docker/%s", scenario_id(s, alias));
    } else if (!at) {
        at = arena_printf(&s->arena, "/kubepods/pod%s/%s", scenario_uid(s, pod),
                          scenario_id(s, alias));
    }
    place_set(w, alias, at);
    if (!path) {
        path = at;
    }
    if (*path && !w->without_paths) {
        set_text(o, "cgroups_path", path);
    }
    json_object_set_new(o, "pid", json_integer(number(w, "pid", 0)));
    set_text(o, "runtime_type", value(w, "type"));
    set_text(o, "error", value(w, "error"));
    json_object_set_new(o, "attempt", json_integer(number(w, "attempt", 0)));
}

static void set_labels(const struct writing *w, json_t *o)
{
    json_t *labels = json_object();

    for (unsigned k = 0; k < w->n_words; k++) {
        const char *text = w->words[k].value;
        size_t n = strcspn(text, ":");

        if (w->words[k].key && strcmp(w->words[k].key, "label") == 0) {
            json_object_setn_new(labels, text, n,
                                 text[n] ? json_string(text + n + 1) : json_null());
        }
    }
    json_object_set_new(o, "labels", labels);
}

static bool add_pod(struct writing *w)
{
    const char *alias = bare(w, 1), *name = bare(w, 2), *state = bare(w, 3);
    const char *slash = name ? strchr(name, '/') : NULL;
    char namespace[128];
    json_t *o;

    if (!slash) {
        return refuse(w, "pod ALIAS NAMESPACE/NAME [notready] ...");
    }
    o = json_object();
    json_array_append_new(w->pods, o);
    snprintf(namespace, sizeof(namespace), "%.*s", (int)(slash - name), name);
    set_text(o, "id", scenario_id(w->s, alias));
    set_text(o, "namespace", namespace);
    set_text(o, "name", slash + 1);
    if (value(w, "uid")) {
        char uid[64];

        snprintf(uid, sizeof(uid), "%s.uid", alias);
        scenario_set(w->s, uid, value(w, "uid"), false);
    }
    set_text(o, "uid", scenario_uid(w->s, alias));
    set_text(o, "state", state ? state : "ready");
    set_text(o, "runtime_handler", value(w, "handler") ? value(w, "handler") : "");
    set_text(o, "cgroup_parent", value(w, "parent"));
    set_time(w, o, "created_at", "created", 900);
    set_status(w, o, alias, alias);
    set_labels(w, o);
    return true;
}

static bool add_container(struct writing *w)
{
    const char *alias = bare(w, 1), *pod = bare(w, 2), *name = bare(w, 3), *state = bare(w, 4);
    bool started, ended;
    json_t *o;

    if (!state) {
        return refuse(w, "ctr ALIAS POD|- NAME STATE ...");
    }
    started = strcmp(state, "created") != 0;
    ended = strcmp(state, "exited") == 0;
    o = json_object();
    json_array_append_new(w->containers, o);
    set_text(o, "id", scenario_id(w->s, alias));
    set_text(o, "sandbox_id", strcmp(pod, "-") != 0 ? scenario_id(w->s, pod) : NULL);
    set_text(o, "name", name);
    set_text(o, "image", value(w, "image"));
    set_text(o, "state", state);
    set_time(w, o, "created_at", "created", 1000);
    set_time(w, o, "started_at", "started", started ? 1005 : -1);
    set_time(w, o, "finished_at", "finished", ended ? 2000 : -1);
    if (ended) {
        json_object_set_new(o, "exit_code", json_integer(number(w, "exit", 0)));
    }
    set_status(w, o, alias, pod);
    set_labels(w, o);
    return true;
}

/* The cgroups of a process: in=ALIAS or cg=PATH; v1= and v2= where the hierarchies differ. */
static bool cgroup_words(struct writing *w, struct proc_cgroup *ret)
{
    const char *in = value(w, "in"), *cg = value(w, "cg");

    if (in) {
        cg = place_of(w, in);
        if (!cg) {
            return refuse(w, "%s has no at=", in);
        }
    }
    cg = cg ? cg : "/";
    *ret = (struct proc_cgroup){.v1 = value(w, "v1") ? value(w, "v1") : cg,
                                .v2 = value(w, "v2") ? value(w, "v2") : cg,
                                .odd = value(w, "odd")};
    return true;
}

static bool add_process(struct writing *w)
{
    const char *comm = bare(w, 4), *state = value(w, "state");
    struct proc_words p = {.in = value(w, "in"), .ns = value(w, "ns"), .comm = comm};
    char why[160];

    if (!comm) {
        return refuse(w, "proc PID PPID START COMM ...");
    }
    if (!cgroup_words(w, &p.cgroup)) {
        return false;
    }
    p.pid = (int)strtol(bare(w, 1), NULL, 10);
    p.ppid = (int)strtol(bare(w, 2), NULL, 10);
    p.start = strtoull(bare(w, 3), NULL, 10);
    p.state = state ? *state : 'S';
    p.threads = (int)number(w, "threads", 1);
    p.session = (int)number(w, "sid", p.pid);
    return proc_write(&w->proc, &p, why, sizeof(why)) || refuse(w, "%s", why);
}

static bool add_thread(struct writing *w)
{
    struct proc_cgroup cgroup;

    if (!bare(w, 2)) {
        return refuse(w, "thread PID TID ...");
    }
    if (!cgroup_words(w, &cgroup)) {
        return false;
    }
    proc_write_thread(&w->proc, bare(w, 1), bare(w, 2),
                      value(w, "state") ? *value(w, "state") : 'S', &cgroup);
    return true;
}

/* Write a runtime's shim: the parent of containers' main processes. */
static bool add_shim(struct writing *w)
{
    struct proc_words p = {.ppid = 1,
                           .start = 300,
                           .comm = "containerd-shim",
                           .state = 'S',
                           .threads = 1,
                           .cgroup = {.v1 = "/system.slice/containerd.service",
                                      .v2 = "/system.slice/containerd.service"}};
    char why[160];

    if (!bare(w, 1)) {
        return refuse(w, "shim PID");
    }
    p.pid = p.session = (int)strtol(bare(w, 1), NULL, 10);
    return proc_write(&w->proc, &p, why, sizeof(why)) || refuse(w, "%s", why);
}

static bool set_node(struct writing *w)
{
    const char *mode = value(w, "cgroups");

    if (mode) {
        json_object_set_new(w->node, "cgroup_mode", json_string(mode));
        w->proc.v1 = strcmp(mode, "v2") != 0;
        w->proc.v2 = strcmp(mode, "v1") != 0;
    }
    w->proc.without_ns = bare(w, 1) && strcmp(bare(w, 1), "nons") == 0;
    return true;
}

static bool set_runtime(struct writing *w)
{
    if (bare(w, 1) && strcmp(bare(w, 1), "none") == 0) {
        json_object_del(w->runtime, "name");
        json_object_del(w->runtime, "version");
        json_object_del(w->runtime, "api");
        json_object_del(w->runtime, "endpoint");
        return true;
    }
    if (!bare(w, 2)) {
        return refuse(w, "runtime NAME VERSION ...");
    }
    set_text(w->runtime, "name", bare(w, 1));
    set_text(w->runtime, "version", bare(w, 2));
    set_text(w->runtime, "api", value(w, "api"));
    set_text(w->runtime, "endpoint", value(w, "endpoint"));
    set_text(w->runtime, "cgroup_driver", value(w, "driver"));
    return true;
}

static bool set_let(struct writing *w)
{
    for (unsigned k = 1; k < w->n_words; k++) {
        if (!w->words[k].key) {
            return refuse(w, "let NAME=TEXT");
        }
        scenario_set(w->s, w->words[k].key, w->words[k].value, false);
    }
    return true;
}

/* Set the IDs of aliases that were recorded on a real node. */
static bool set_ids(struct writing *w)
{
    for (unsigned k = 1; k < w->n_words; k++) {
        if (!w->words[k].key) {
            return refuse(w, "id ALIAS=HEX");
        }
        scenario_set(w->s, w->words[k].key, w->words[k].value, true);
    }
    return true;
}

static bool set_option(struct writing *w)
{
    if (value(w, "vm_handlers")) {
        w->s->vm_handlers = value(w, "vm_handlers");
    } else if (value(w, "paths") && strcmp(value(w, "paths"), "needed") == 0) {
        w->s->paths_needed = true;
    } else {
        return refuse(w, "option vm_handlers=A,B or option paths=needed");
    }
    return true;
}

static bool add_cgroup_id(struct writing *w)
{
    if (!bare(w, 2)) {
        return refuse(w, "cgid PATH NUMBER");
    }
    json_object_set_new(w->ids, bare(w, 1), json_integer(strtoll(bare(w, 2), NULL, 10)));
    return true;
}

static bool do_line(struct writing *w)
{
    static const struct {
        const char *verb;
        bool (*run)(struct writing *w);
    } verbs[] = {
        {"pod", add_pod},         {"ctr", add_container}, {"proc", add_process},
        {"thread", add_thread},   {"shim", add_shim},     {"node", set_node},
        {"runtime", set_runtime}, {"let", set_let},       {"id", set_ids},
        {"cgid", add_cgroup_id},  {"option", set_option},
    };

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (w->words[0].value && strcmp(w->words[0].value, verbs[i].verb) == 0) {
            return verbs[i].run(w);
        }
    }
    return refuse(w, "no such word: %s", w->words[0].value);
}

/* ---- The scenario ---------------------------------------------------------------------------- */

static void write_json(const char *dir, const char *name, json_t *o)
{
    char *text = json_dumps(o, JSON_INDENT(1));

    if (!text) {
        abort();
    }
    scratch_puts(dir, name, text);
    free(text);
    json_decref(o);
}

static void start(struct writing *w)
{
    w->proc.v2 = true;
    w->runtime =
        json_pack("{s:i, s:s, s:s, s:s, s:s}", "format", 1, "name", "containerd", "version",
                  "1.6.20", "api", "cri/v1", "endpoint", "unix:///run/containerd/containerd.sock");
    w->pods = json_array();
    w->containers = json_array();
    w->ids = json_object();
    w->node = json_pack("{s:s, s:s, s:s, s:s, s:I}", "hostname", "node-1", "boot_id",
                        "8a4c4f0e-58d2-4bb0-9d0f-6d2f0c1a77e5", "kernel", "6.1.0-18-amd64",
                        "cgroup_mode", "v2", "pid_namespace", (json_int_t)HOST_PID_NS);
    json_object_set_new(w->node, "taken_at", time_of(day * TICKS));
}

static void finish(struct writing *w)
{
    static const struct proc_words init = {.pid = 1,
                                           .start = 1,
                                           .session = 1,
                                           .comm = "systemd",
                                           .state = 'S',
                                           .threads = 1,
                                           .cgroup = {.v1 = "/init.scope", .v2 = "/init.scope"}};
    char text[64];

    if (!w->proc.has_init) {
        proc_write(&w->proc, &init, text, sizeof(text));
    }
    snprintf(text, sizeof(text), "btime %" PRId64 "\n", boot);
    scratch_puts(w->dir, "proc/stat", text);
    json_object_set_new(w->runtime, "pods", w->pods);
    json_object_set_new(w->runtime, "containers", w->containers);
    write_json(w->dir, "runtime.json", w->runtime);
    write_json(w->dir, "node.json", w->node);
    write_json(w->dir, "cgroups.json", w->ids);
}

bool scenario_write(struct scenario *s, struct str text, const char *dir, bool without_paths)
{
    struct writing w = {.s = s, .dir = dir, .without_paths = without_paths, .proc = {.dir = dir}};
    struct str line;
    bool good = true;

    start(&w);
    while (good && str_next_line(&text, &line)) {
        const char *p = line.p;

        w.line++;
        w.n_words = 0;
        while (w.n_words < WORDS && scenario_word(s, &p, line.p + line.n, &w.words[w.n_words])) {
            w.n_words++;
        }
        good = w.n_words == 0 || do_line(&w);
    }
    finish(&w);
    proc_writer_done(&w.proc);
    return good;
}
