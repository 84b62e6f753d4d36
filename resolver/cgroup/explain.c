/* podpid_cgroup_*(): what a cgroup text says, and why, in words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/arguments.h"
#include "resolver/cgroup/facts.h"
#include "resolver/cgroup/line.h"
#include "resolver/format/json.h"

/* How many lines get a note: a hostile text may have thousands of lines, and nobody reads that many
 * notes. */
enum { LINE_NOTES_MAX = 16 };

struct podpid_cgroup {
    struct arena arena;
    struct podpid_cgroup_facts facts;
};

struct notes {
    struct arena *arena;
    struct texts texts;
    size_t n_lines;    /* lines that have the form of a cgroup line */
    size_t n_silent;   /* of those, lines that name nothing */
    size_t n_left_out; /* lines that got no note because of LINE_NOTES_MAX */
};

/* Add a note that lives in the arena. 0 or -ENOMEM; text NULL: memory is out. */
static int add_note(struct notes *notes, const char *text)
{
    return texts_add(&notes->texts, notes->arena, text);
}

/* Whether one more line may have a note. */
static bool has_room(struct notes *notes)
{
    if (notes->texts.n < LINE_NOTES_MAX) {
        return true;
    }
    notes->n_left_out++;
    return false;
}

/* What a line names, in words. NULL: memory is out. */
static char *name_in_words(struct arena *a, const struct cgroup_facts *f)
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

/* Whether a line names the container, helper or pod that the whole text names. */
static bool agrees(const struct cgroup_facts *f, const struct cgroup_facts *all)
{
    if (is_container(all)) {
        return is_container(f) && same_text(f->container_id, all->container_id);
    }
    return f->kind == all->kind && (same_text(f->helper_for, all->helper_for) ||
                                    (!all->helper_for && same_text(f->pod_uid, all->pod_uid)));
}

/* The note on a line that names something else than the whole text. NULL: memory is out. */
static char *disagreement(struct arena *a, size_t number, const struct cgroup_facts *f,
                          const struct cgroup_facts *all)
{
    const char *why = "the majority of the lines wins";
    char *words = name_in_words(a, f);

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

/* Add the note on one line, if it needs one; all is what the whole text says. */
static int note_line(struct str line, size_t number, const struct cgroup_facts *all,
                     struct notes *notes)
{
    CLEANUP(arena_free) struct arena scratch = {0};
    struct cgroup_facts f;
    struct cgroup_line l;

    if (!cgroup_line_parse(line, &l)) {
        if (!has_room(notes)) {
            return 0;
        }
        return add_note(notes,
                        arena_printf(notes->arena,
                                     "line %zu is not digits:controllers:/path: ignored", number));
    }
    notes->n_lines++;
    if (cgroup_parse(line, &scratch, &f) < 0) {
        return -ENOMEM;
    }
    if (f.kind == CGROUP_HOST) {
        notes->n_silent++;
        return 0;
    }
    if (agrees(&f, all) || !has_room(notes)) {
        return 0;
    }
    return add_note(notes, disagreement(notes->arena, number, &f, all));
}

static int note_lines(struct str text, const struct cgroup_facts *all, struct notes *notes)
{
    struct str line;
    int rc = 0;

    for (size_t number = 1; rc == 0 && str_next_line(&text, &line); number++) {
        rc = note_line(line, number, all, notes);
    }
    if (rc == 0 && notes->n_left_out > 0) {
        rc = add_note(
            notes, arena_printf(notes->arena, "and so on for %zu more lines", notes->n_left_out));
    }
    if (rc == 0 && notes->n_silent > 0 && all->kind != CGROUP_HOST) {
        rc = add_note(notes,
                      arena_printf(notes->arena, "%zu of %zu lines name nothing and do not count",
                                   notes->n_silent, notes->n_lines));
    }
    return rc;
}

/* Notes on the whole text. deleted: the cgroup of the line that decided was removed. */
static int note_facts(const struct cgroup_facts *f, bool deleted, struct notes *notes)
{
    int rc = 0;

    if (f->inner_id) {
        rc = add_note(notes, arena_printf(notes->arena,
                                          "%s is below the container's cgroup, where the container "
                                          "can make any name: it is reported, not believed",
                                          f->inner_id));
    }
    if (rc == 0 && f->in_user_slice) {
        rc = add_note(notes, "below /user.slice a local user can make any name: only rootless "
                             "engines are believed there, and never a pod");
    }
    if (rc == 0 && deleted) {
        rc = add_note(notes, "\" (deleted)\": the cgroup was removed, the process is a zombie");
    }
    return rc;
}

/* The decision in one sentence. NULL: memory is out. */
static char *reason_in_words(struct arena *a, const struct cgroup_facts *f)
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
        return arena_strdup(a,
                            "the component is the cgroup of a pod, and no container is below it");
    case CGROUP_HOST:
        break;
    }
    return arena_strdup(a, "no line names a container, a helper of one, or a pod");
}

/* Copy a line of the text, counted from 1. *ret_deleted: its cgroup was removed. NULL: memory is
 * out. */
static const char *copy_line(struct arena *a, struct str text, size_t number, bool *ret_deleted)
{
    struct str line = {NULL, 0};
    struct cgroup_line l;

    for (size_t i = 0; i < number; i++) {
        if (!str_next_line(&text, &line)) {
            break;
        }
    }
    *ret_deleted = cgroup_line_parse(line, &l) && l.deleted;
    return arena_strndup(a, line.p, line.n);
}

static int explain(struct podpid_cgroup *c, struct str text)
{
    struct arena *a = &c->arena;
    struct notes notes = {.arena = a};
    struct cgroup_facts f;
    bool deleted = false;
    int rc;

    /* The text may have come through a program that ends lines with \r\n. */
    rc = cgroup_drop_cr(text, a, &text);
    if (rc < 0) {
        return rc;
    }
    rc = cgroup_parse(text, a, &f);
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
        .why = reason_in_words(a, &f),
    };
    if (f.line > 0) {
        c->facts.line_text = copy_line(a, text, f.line, &deleted);
    }
    if (!c->facts.why || (f.line > 0 && !c->facts.line_text)) {
        return -ENOMEM;
    }
    rc = note_lines(text, &f, &notes);
    if (rc < 0) {
        return rc;
    }
    rc = note_facts(&f, deleted, &notes);
    if (rc < 0) {
        return rc;
    }
    c->facts.n_lines = notes.n_lines;
    c->facts.notes = notes.texts.items;
    c->facts.n_notes = notes.texts.n;
    return 0;
}

DEFINE_CLEANUP(podpid_cgroup_free, struct podpid_cgroup *)

int podpid_cgroup_parse(const char *text, size_t n, struct podpid_cgroup **ret,
                        struct podpid_error *error)
{
    CLEANUP(cleanup_podpid_cgroup_free) struct podpid_cgroup *c = NULL;
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
