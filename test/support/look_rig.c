#include "test/support/look_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cri/base/text.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

static const unsigned namespace_of_host = 4026531836;

#define CREATED INT64_C(1700000000)

const char *rig_id(char digit)
{
    static char ids[256][65];

    memset(ids[(unsigned char)digit], digit, 64);
    return ids[(unsigned char)digit];
}

const char *rig_cgroup(char digit)
{
    static char paths[256][160];

    snprintf(paths[(unsigned char)digit], sizeof(paths[0]), "%s/%.64s", RIG_POD, rig_id(digit));
    return paths[(unsigned char)digit];
}

/* ---- The runtime --------------------------------------------------------------------------- */

static json_t *replies(struct look_rig *r, const char *method)
{
    return json_object_get(json_object_get(fake_cri_script(r->fake), "replies"), method);
}

static json_t *containers(struct look_rig *r)
{
    return json_object_get(replies(r, "ListContainers"), "containers");
}

void rig_unlist(struct look_rig *r, char digit)
{
    json_t *all = containers(r), *c;
    size_t i;

    json_array_foreach(all, i, c)
    {
        if (strcmp(json_string_value(json_object_get(c, "id")), rig_id(digit)) == 0) {
            json_array_remove(all, i);
            return;
        }
    }
}

static json_t *container_json(char digit, const char *state)
{
    char word[32], name[2] = {digit, '\0'};

    snprintf(word, sizeof(word), "CONTAINER_%s", state);
    return json_pack("{s:s, s:{s:s}, s:s, s:I}", "id", rig_id(digit), "metadata", "name", name,
                     "state", word, "created_at", (json_int_t)(CREATED * NSEC_PER_SEC));
}

void rig_list(struct look_rig *r, char digit, const char *state)
{
    json_t *c = container_json(digit, state);

    json_object_set_new(c, "pod_sandbox_id", json_string(rig_id('5')));
    rig_unlist(r, digit);
    json_array_append_new(containers(r), c);
}

static json_t *info_json(const char *cgroup, int pid)
{
    char info[512];

    snprintf(info, sizeof(info),
             "{\"pid\": %d, \"runtimeSpec\": {\"linux\": {\"cgroupsPath\": \"%.256s\"}}}", pid,
             cgroup);
    return json_pack("{s:s}", "info", info);
}

void rig_status(struct look_rig *r, char digit, const char *state, int pid)
{
    json_t *c = container_json(digit, state);

    json_object_set_new(c, "started_at", json_integer(CREATED * NSEC_PER_SEC));
    json_object_set_new(
        replies(r, "ContainerStatus"), rig_id(digit),
        json_pack("{s:o, s:o}", "status", c, "info", info_json(rig_cgroup(digit), pid)));
}

void rig_forget(struct look_rig *r, char digit)
{
    json_object_del(replies(r, "ContainerStatus"), rig_id(digit));
}

void rig_container(struct look_rig *r, char digit, const char *state, int pid)
{
    rig_list(r, digit, state);
    rig_status(r, digit, state, pid);
}

void rig_fault(struct look_rig *r, const char *call, const char *fault)
{
    char text[256];
    json_t *f;

    snprintf(text, sizeof(text), "%s", fault);
    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    f = json_loads(text, 0, NULL);
    assert_non_null(f);
    json_object_set_new(json_object_get(fake_cri_script(r->fake), "faults"), call, f);
}

void rig_fault_of_status(struct look_rig *r, char digit, const char *fault)
{
    char call[96];

    snprintf(call, sizeof(call), "ContainerStatus %s", rig_id(digit));
    rig_fault(r, call, fault);
}

void rig_sandbox_state(struct look_rig *r, const char *state)
{
    /* The list and the status share this object. */
    json_t *pod = json_array_get(json_object_get(replies(r, "ListPodSandbox"), "items"), 0);
    char word[32];

    snprintf(word, sizeof(word), "SANDBOX_%s", state);
    assert_int_equal(json_object_set_new(pod, "state", json_string(word)), 0);
}

static json_t *script(void)
{
    json_t *pod = json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:I}", "id", rig_id('5'), "metadata",
                            "name", "web", "uid", RIG_UID, "namespace", "prod", "state",
                            "SANDBOX_READY", "created_at", (json_int_t)(CREATED * NSEC_PER_SEC));

    return json_pack(
        "{s:{s:{s:s, s:s}, s:{s:{s:[]}}, s:{s:[O]}, s:{s:[]}, s:{s:{s:o, s:o}}, s:{}}, s:{}}",
        "replies", "Version", "runtime_name", "containerd", "runtime_version", "2.1.9", "Status",
        "status", "conditions", "ListPodSandbox", "items", pod, "ListContainers", "containers",
        "PodSandboxStatus", rig_id('5'), "status", pod, "info", info_json(rig_cgroup('5'), 100),
        "ContainerStatus", "faults");
}

/* ---- The kernel ---------------------------------------------------------------------------- */

void rig_process(struct look_rig *r, int pid, int ppid, unsigned long start, char state,
                 const char *cgroup)
{
    bool host = strcmp(cgroup, "/") == 0;
    char name[64], text[512];

    snprintf(name, sizeof(name), "proc/%d/cgroup", pid);
    snprintf(text, sizeof(text), "0::%s\n", cgroup);
    scratch_puts(r->dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/stat", pid);
    snprintf(text, sizeof(text),
             "%d (p%d) %c %d %d %d 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 %lu 0 0\n", pid, pid,
             state, ppid, pid, pid, start);
    scratch_puts(r->dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/status", pid);
    snprintf(text, sizeof(text),
             "Name:\tp%d\nState:\t%c (x)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nNSpid:\t%d%s\n"
             "Threads:\t1\n",
             pid, state, pid, pid, ppid, pid, host ? "" : "\t1");
    scratch_puts(r->dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/ns.json", pid);
    snprintf(text, sizeof(text), "{\"pid\": %u}", namespace_of_host + (host ? 0 : pid));
    scratch_puts(r->dir, name, text);
}

void rig_reap(struct look_rig *r, int pid)
{
    char name[64];

    snprintf(name, sizeof(name), "proc/%d", pid);
    scratch_delete(r->dir, name);
}

void rig_running(struct look_rig *r, char digit, int pid)
{
    rig_container(r, digit, "RUNNING", pid);
    rig_process(r, pid, 50, RIG_STARTED, 'S', rig_cgroup(digit));
}

/* ---- The look ------------------------------------------------------------------------------ */

void look_rig_open(struct look_rig *r)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    *r = (struct look_rig){.dir = scratch_new(),
                           .options = PODPID_OPTIONS_INIT,
                           .error = {.size = sizeof(r->error)},
                           .now = NSEC_PER_SEC};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s/s", r->dir);
    snprintf(r->endpoint, sizeof(r->endpoint), "unix://%s/s", r->dir);
    snprintf(r->proc, sizeof(r->proc), "%s/proc", r->dir);
    r->options.endpoint = r->endpoint;
    r->options.proc = r->proc;
    r->options.no_environment = true;
    r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->listener, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(listen(r->listener, 4), 0);
    r->fake = fake_cri_new(script(), ".");
    assert_non_null(r->fake);
    scratch_puts(r->dir, "proc/stat", "btime 1699999900\n");
    rig_process(r, 1, 0, 1, 'S', "/");
    rig_process(r, 50, 1, 5000, 'S', "/");
    rig_process(r, 100, 50, RIG_STARTED, 'S', rig_cgroup('5'));
}

void look_rig_open_verified(struct look_rig *r)
{
    look_rig_open(r);
    rig_running(r, 'a', 200);
}

bool rig_once(struct look_rig *r)
{
    return r->acts++ == 0;
}

static void look_again(struct look_rig *r)
{
    podpid_look_free(r->look);
    podpid_snapshot_free(r->snapshot);
    fake_conn_free(r->conn);
    r->look = NULL;
    r->snapshot = NULL;
    r->conn = NULL;
}

void look_rig_close(struct look_rig *r)
{
    look_again(r);
    fake_cri_free(r->fake);
    close(r->listener);
    scratch_remove(r->dir);
}

void rig_look(struct look_rig *r, unsigned most_ms)
{
    look_again(r);
    r->started = r->now;
    r->acts = 0;
    r->rc = podpid_look_new(&r->options, &r->look, &r->error);
    while (r->rc == 0 && rig_took_ms(r) < most_ms) {
        r->now += NSEC_PER_MSEC;
        if (r->act) {
            r->act(r);
        }
        if (r->step) {
            r->step(r);
        } else {
            r->rc = podpid_look_step(r->look, r->now, &r->error);
        }
        if (!r->conn) {
            int fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

            r->conn = fd < 0 ? NULL : fake_conn_new(r->fake, fd);
        }
        if (r->conn && !fake_conn_step(r->conn, r->now)) {
            fake_conn_free(r->conn);
            r->conn = NULL;
        }
    }
    r->snapshot = r->rc == 1 ? podpid_look_take(r->look) : NULL;
}

unsigned rig_took_ms(const struct look_rig *r)
{
    return (unsigned)((r->now - r->started) / NSEC_PER_MSEC);
}

unsigned rig_asked(const struct look_rig *r, const char *method)
{
    return fake_cri_calls(r->fake, method);
}

const struct podpid_container *rig_found(const struct look_rig *r, char digit)
{
    size_t n;
    const struct podpid_pod *const *pods;

    assert_int_equal(r->rc, 1);
    pods = podpid_snapshot_pods(r->snapshot, &n);
    for (size_t p = 0; p < n; p++) {
        for (size_t c = 0; c < pods[p]->n_containers; c++) {
            if (strcmp(pods[p]->containers[c]->id, rig_id(digit)) == 0) {
                return pods[p]->containers[c];
            }
        }
    }
    return NULL;
}

void rig_expect(const struct look_rig *r, char digit, enum podpid_verdict verdict, int pid)
{
    const struct podpid_container *c = rig_found(r, digit);

    assert_non_null(c);
    if (c->verdict != verdict || c->pid != pid) {
        fail_msg("container %c: %s, PID %d: %s", digit, podpid_verdict_name(c->verdict), c->pid,
                 c->reason);
    }
}
