#include "cri/rpc/info.h"

#include <errno.h>

#include "cri/rpc/json_cursor.h"

/* The places in the JSON at which a value is wanted: a tree of keys. A new runtime's place is a
 * line. */
enum field {
    WITHIN, /* an object: its wanted keys are in below */
    PID,
    RUNTIME_TYPE,
    RUNTIME_HANDLER,
    CGROUPS_PATH,
    CGROUP_PARENT,
};

struct place {
    const char *key; /* NULL: the end of the list */
    enum field field;
    const struct place *below;
};

static const struct place spec_linux[] = {{"cgroupsPath", CGROUPS_PATH, NULL}, {0}};
static const struct place spec_annotations[] = {
    {"io.kubernetes.cri-o.CgroupParent", CGROUP_PARENT, NULL}, {0}};
static const struct place spec[] = {
    {"linux", WITHIN, spec_linux}, {"annotations", WITHIN, spec_annotations}, {0}};
static const struct place config_linux[] = {{"cgroup_parent", CGROUP_PARENT, NULL}, {0}};
static const struct place config[] = {{"linux", WITHIN, config_linux}, {0}};
static const struct place root[] = {
    {"pid", PID, NULL},
    {"runtimeType", RUNTIME_TYPE, NULL},
    {"runtimeHandler", RUNTIME_HANDLER, NULL},
    {"runtimeSpec", WITHIN, spec},
    {"config", WITHIN, config},
    {0},
};

enum { LEVELS = 3 }; /* depth of the tree of places */

struct parser {
    struct json_cursor j;
    struct arena *arena;
    struct info info;
    struct err *err;
};

static int broken(struct parser *p)
{
    return err_set(p->err, ERR_RUNTIME, EBADMSG, "the verbose info is no valid JSON");
}

static int take_pid(struct parser *p)
{
    struct str text;
    int32_t pid;

    if (json_cursor_skip(&p->j, &text) < 0) {
        return broken(p);
    }
    if (str_is(text, "null")) {
        return 0;
    }
    if (!str_to_i32(text, &pid) || pid < 0) {
        return err_set(p->err, ERR_RUNTIME, EBADMSG,
                       "the verbose info gives %.*s as pid, which is none",
                       (int)(text.n < 64 ? text.n : 64), text.p);
    }
    p->info.pid = pid;
    return 0;
}

static int take_string(struct parser *p, const char **ret)
{
    struct str text;
    int rc;

    if (json_cursor_skip(&p->j, &text) < 0) {
        return broken(p);
    }
    if (text.p[0] != '"') {
        return 0; /* null, or of a type that no known runtime gives: not given */
    }
    rc = json_cursor_unquote(text, p->arena, ret);
    if (rc == -ENOMEM) {
        return err_nomem(p->err);
    }
    return rc < 0 ? broken(p) : 0;
}

static int take(struct parser *p, enum field field)
{
    switch (field) {
    case PID:
        return take_pid(p);
    case RUNTIME_TYPE:
        return take_string(p, &p->info.runtime_type);
    case RUNTIME_HANDLER:
        return take_string(p, &p->info.runtime_handler);
    case CGROUPS_PATH:
        return take_string(p, &p->info.cgroups_path);
    case CGROUP_PARENT:
        return take_string(p, &p->info.cgroup_parent);
    case WITHIN:
        break;
    }
    return json_cursor_skip(&p->j, NULL) < 0 ? broken(p) : 0;
}

static const struct place *find(const struct place *list, struct str key)
{
    for (; list->key; list++) {
        if (str_is(key, list->key)) {
            return list;
        }
    }
    return NULL;
}

/* Go through the entered object, and through objects in it that the tree has. */
static int walk(struct parser *p)
{
    struct {
        const struct place *list;
        bool first;
    } level[LEVELS] = {{root, true}};
    size_t depth = 0;

    for (;;) {
        const struct place *at;
        struct str key;
        int rc = json_cursor_key(&p->j, &level[depth].first, &key);

        if (rc < 0) {
            return broken(p);
        }
        if (rc == 0) {
            if (depth-- == 0) {
                return 0;
            }
            continue;
        }
        at = find(level[depth].list, key);
        if (at && at->below && depth + 1 < LEVELS && json_cursor_enter(&p->j)) {
            depth++;
            level[depth].list = at->below;
            level[depth].first = true;
            continue;
        }
        rc = take(p, at ? at->field : WITHIN);
        if (rc < 0) {
            return rc;
        }
    }
}

int info_parse(struct str text, struct arena *a, struct info *ret, struct err *err)
{
    struct parser p = {.arena = a, .err = err};
    int rc;

    if (text.n > 0) {
        p.j = (struct json_cursor){text.p, text.p + text.n};
    }
    if (json_cursor_enter(&p.j)) {
        rc = walk(&p);
        if (rc < 0) {
            return rc;
        }
        if (json_cursor_peek(&p.j) != JSON_CURSOR_NONE || p.j.p != p.j.end) {
            return broken(&p);
        }
    }
    *ret = p.info;
    return 0;
}
