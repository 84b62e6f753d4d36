/* A cgroup text explained in words: the public face of cgroup.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/arguments.h"
#include "resolver/cgroup/facts.h"
#include "resolver/cgroup/line.h"
#include "resolver/format/json.h"

/* A hostile text has thousands of lines; nobody reads thousands of notes. */
enum { NOTES_MOST = 16 };

struct podpid_cgroup {
    struct arena arena;
    struct podpid_cgroup_facts facts;
};

struct notes {
    struct arena *arena;
    const char *items[NOTES_MOST + 8];
    size_t n, left_out;
    bool failed;
};

static void note(struct notes *notes, char *text)
{
    notes->failed = notes->failed || !text;
    notes->items[notes->n++] = text;
}

/* What the line says of its own. */
static char *line_words(struct arena *a, const struct cgroup_facts *f)
{
    switch (f->kind) {
    case CGROUP_CONTAINER:
    case CGROUP_NESTED:
        return arena_printf(a, "container %s", f->container_id);
    case CGROUP_HELPER:
        return arena_printf(a, "a helper of container %s", f->helper_for);
    case CGROUP_POD:
        return arena_printf(a, "pod %s", f->pod_uid);
    case CGROUP_HOST:
        break;
    }
    return arena_strdup(a, "nothing");
}

static bool is_container(const struct cgroup_facts *f)
{
    return f->kind == CGROUP_CONTAINER || f->kind == CGROUP_NESTED;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Does the line f name what the whole text was found to be? */
static bool agrees(const struct cgroup_facts *f, const struct cgroup_facts *all)
{
    if (is_container(all)) {
        return is_container(f) && same_text(f->container_id, all->container_id);
    }
    return f->kind == all->kind && (same_text(f->helper_for, all->helper_for) ||
                                    (!all->helper_for && same_text(f->pod_uid, all->pod_uid)));
}

static char *disagreement(struct arena *a, size_t number, const struct cgroup_facts *f,
                          const struct cgroup_facts *all)
{
    const char *why = "the majority of the lines wins";
    char *words = line_words(a, f);

    if (!words) {
        return NULL;
    }
    if (is_container(f) != is_container(all)) {
        why = "a line that names a container beats it";
    } else if (f->kind != all->kind && !is_container(f)) {
        why = "a line that names a helper beats one that names a pod";
    } else if (!f->pod_uid && all->pod_uid) {
        why = "a line with a pod beats one without";
    }
    return arena_printf(a, "line %zu names %s: %s", number, words, why);
}

/* Notes on single lines; the text has been parsed as a whole. */
static int note_lines(struct str text, const struct cgroup_facts *all, struct notes *notes,
                      size_t *ret_lines)
{
    struct str line;
    size_t silent = 0, lines = 0;

    for (size_t number = 1; str_next_line(&text, &line); number++) {
        CLEANUP(arena_free) struct arena scratch = {0};
        struct cgroup_facts f;
        struct cgroup_line l;

        if (!cgroup_line_parse(line, &l)) {
            if (notes->n < NOTES_MOST) {
                note(notes,
                     arena_printf(notes->arena, "line %zu is not digits:controllers:/path: ignored",
                                  number));
            } else {
                notes->left_out++;
            }
            continue;
        }
        lines++;
        if (cgroup_parse(line, &scratch, &f) < 0) {
            return -ENOMEM;
        }
        if (f.kind == CGROUP_HOST) {
            silent++;
        } else if (!agrees(&f, all)) {
            if (notes->n < NOTES_MOST) {
                note(notes, disagreement(notes->arena, number, &f, all));
            } else {
                notes->left_out++;
            }
        }
    }
    if (notes->left_out > 0) {
        note(notes, arena_printf(notes->arena, "and so on for %zu more lines", notes->left_out));
    }
    if (silent > 0 && all->kind != CGROUP_HOST) {
        note(notes, arena_printf(notes->arena, "%zu of %zu lines name nothing and do not count",
                                 silent, lines));
    }
    *ret_lines = lines;
    return 0;
}

static void note_facts(const struct cgroup_facts *f, bool deleted, struct notes *notes)
{
    if (f->inner_id) {
        note(notes, arena_printf(notes->arena,
                                 "%s is below the container, which can make any name there: it is "
                                 "only reported",
                                 f->inner_id));
    }
    if (f->in_user_slice) {
        note(notes, arena_strdup(notes->arena,
                                 "below /user.slice a local user can make any name: only rootless "
                                 "engines are believed there, and never a pod"));
    }
    if (deleted) {
        note(notes, arena_strdup(notes->arena, "\" (deleted)\": the cgroup was removed, the "
                                               "process is a zombie"));
    }
}

static char *why(struct arena *a, const struct cgroup_facts *f)
{
    switch (f->kind) {
    case CGROUP_CONTAINER:
        return arena_printf(a,
                            "the outermost container component of the path is %s; the process "
                            "is in the container's own cgroup",
                            f->shape);
    case CGROUP_NESTED:
        return arena_printf(a,
                            "the outermost container component of the path is %s; the process "
                            "is in a cgroup below the container's own",
                            f->shape);
    case CGROUP_HELPER:
        return arena_printf(a, "the component is the cgroup of %s, outside of the container",
                            f->shape);
    case CGROUP_POD:
        return arena_strdup(a, "the component is a pod's, and below it is no container");
    case CGROUP_HOST:
        break;
    }
    return arena_strdup(a, "no line names a container, a helper of one, or a pod");
}

/* The line of that number, as it is in the text; deleted says whether its cgroup was removed. */
static const char *line_text(struct arena *a, struct str text, size_t number, bool *deleted)
{
    struct str line = {NULL, 0};
    struct cgroup_line l;

    for (size_t i = 0; i < number; i++) {
        if (!str_next_line(&text, &line)) {
            break;
        }
    }
    *deleted = cgroup_line_parse(line, &l) && l.deleted;
    return arena_strndup(a, line.p, line.n);
}

static int explain(struct podpid_cgroup *c, struct str text)
{
    struct arena *a = &c->arena;
    struct notes notes = {.arena = a};
    struct cgroup_facts f;
    bool deleted = false;
    const char **items;
    int rc;

    /* Nobody knows what the text went through on its way here. */
    rc = cgroup_drop_cr(text, a, &text);
    if (rc == 0) {
        rc = cgroup_parse(text, a, &f);
    }
    if (rc < 0) {
        return rc;
    }
    c->facts = (struct podpid_cgroup_facts){
        .kind = cgroup_kind_name(f.kind),
        .container_id = f.container_id,
        .pod_uid = f.pod_uid,
        .qos = f.qos,
        .manager = f.manager,
        .inner_id = f.inner_id,
        .inner_pod_uid = f.inner_pod_uid,
        .helper_for = f.helper_for,
        .line = f.line,
        .component = f.component,
        .why = why(a, &f),
    };
    if (f.line > 0) {
        c->facts.line_text = line_text(a, text, f.line, &deleted);
    }
    rc = note_lines(text, &f, &notes, &c->facts.n_lines);
    if (rc < 0) {
        return rc;
    }
    note_facts(&f, deleted, &notes);
    items = arena_calloc(a, notes.n, sizeof(*items));
    if (!items || notes.failed || !c->facts.why || (f.line > 0 && !c->facts.line_text)) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < notes.n; i++) {
        items[i] = notes.items[i];
    }
    c->facts.notes = items;
    c->facts.n_notes = notes.n;
    return 0;
}

static void free_cgroup(struct podpid_cgroup **c)
{
    podpid_cgroup_free(*c);
}

int podpid_cgroup_parse(const char *text, size_t n, struct podpid_cgroup **ret,
                        struct podpid_error *error)
{
    CLEANUP(free_cgroup) struct podpid_cgroup *c = NULL;
    struct err err = {0};

    if ((!text && n) || !ret) {
        return bad_argument(__func__, error);
    }
    c = calloc(1, sizeof(*c));
    if (!c || explain(c, (struct str){text, n}) < 0) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    *ret = TAKE_PTR(c);
    return PODPID_OK;
}

void podpid_cgroup_free(struct podpid_cgroup *c)
{
    if (c) {
        arena_free(&c->arena);
        free(c);
    }
}

const struct podpid_cgroup_facts *podpid_cgroup_facts(const struct podpid_cgroup *c)
{
    return c ? &c->facts : NULL;
}

int podpid_cgroup_to_json(const struct podpid_cgroup *c, podpid_write_fn write, void *context,
                          struct podpid_error *error)
{
    const struct podpid_cgroup_facts *f = podpid_cgroup_facts(c);
    struct doc_writer w;
    struct err err = {0};

    if (!f || !write) {
        return bad_argument(__func__, error);
    }
    doc_writer_init(&w, write, context, false);
    doc_open(&w, NULL, '{');
    doc_value(&w, "kind", doc_text(f->kind));
    doc_value(&w, "container_id", doc_text(f->container_id));
    doc_value(&w, "pod_uid", doc_text(f->pod_uid));
    doc_value(&w, "qos", doc_text(f->qos));
    doc_value(&w, "manager", doc_text(f->manager));
    doc_value(&w, "inner_id", doc_text(f->inner_id));
    doc_value(&w, "inner_pod_uid", doc_text(f->inner_pod_uid));
    doc_value(&w, "helper_for", doc_text(f->helper_for));
    doc_close(&w, '}');
    return doc_finish(&w, &err) < 0 ? error_publish(&err, error) : PODPID_OK;
}
