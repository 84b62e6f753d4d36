/* How answers come to the CRI client: never, late, in pieces, many at once, huge, or too late. */
#include <stdio.h>

#include "cri/grpc/grpc.h"
#include "test/support/cri_rig.h"
#include "test/support/unit.h"

static void a_silent_peer_is_no_error(void **state)
{
    static const char *const scripts[] = {"{'silent': true}",
                                          "{'replies': {" SCRIPT_BASE
                                          "}, 'faults': {'ListContainers': {'never': 1}}}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_open(&r, scripts[i]);
        rig_ask(&r);
        rig_rounds(&r, 1000);
        assert_int_equal(r.rc, 0);
        assert_int_equal(client_pending(r.client), i == 0 ? 2 : 1);
        assert_true(client_deadline(r.client) == NSEC_NEVER);
        rig_close(&r);
    }
}

static void a_slow_answer_is_waited_for(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" SCRIPT_BASE "}, 'faults': {'ListContainers': {'hold': 300}}}");
    rig_ask(&r);
    rig_run(&r);
    assert_int_equal(rig_reply(&r, CLIENT_LIST)->rc, 0);
    assert_true(r.now > NSEC_PER_SEC + 300 * NSEC_PER_MSEC);
    rig_close(&r);
}

static void answers_may_come_byte_by_byte(void **state)
{
    struct rig r;

    (void)state;
    rig_open_runtime(&r, "containerd-2.1.9");
    json_object_set_new(fake_cri_script(r.fake), "piece", json_integer(1));
    rig_ask_all(&r);
    assert_int_equal(rig_status_named(&r, "facts-a1")->pid, 27498);
    rig_close(&r);
}

static void ask_for_many(struct rig *r, unsigned n)
{
    json_t *statuses = json_object();

    for (unsigned i = 0; i < n; i++) {
        char id[16];

        snprintf(id, sizeof(id), "c%u", i);
        json_object_set_new(statuses, id, json_pack("{s:{s:s}}", "status", "id", id));
        assert_int_equal(client_get_container(r->client, id, &r->arena, &r->err), 0);
    }
    json_object_set_new(fake_cri_script(r->fake), "replies",
                        json_pack("{s:o}", "ContainerStatus", statuses));
}

static void calls_in_flight_are_bounded(void **state)
{
    static const struct {
        const char *script;
        unsigned peak;
    } cases[] = {{"{}", GRPC_STREAMS_MOST}, {"{'max_streams': 7}", 7}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_open(&r, cases[i].script);
        ask_for_many(&r, 450);
        rig_run(&r);
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.n_replies, 450);
        for (unsigned k = 0; k < 450; k++) {
            char id[16];

            snprintf(id, sizeof(id), "c%u", k);
            assert_int_equal(rig_reply_of(&r, id)->rc, 0);
        }
        assert_true(fake_cri_peak(r.fake) > 5);
        assert_true(fake_cri_peak(r.fake) <= cases[i].peak);
        rig_close(&r);
    }
}

static void a_reply_of_nearly_64_mib_is_taken(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" SCRIPT_BASE "}, 'faults': {'ListContainers': {'pad': 67108000}}}");
    rig_ask(&r);
    rig_run(&r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(rig_reply(&r, CLIENT_LIST)->rc, 0);
    rig_close(&r);
}

static void cancelled_requests_have_no_reply(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r,
             "{'replies': {" SCRIPT_BASE ", 'ContainerStatus': {'d': {'status': {'id': 'd'}}}}, "
             "'faults': {'ContainerStatus c': {'hold': 50}, 'ListContainers': {'never': 1}}}");
    rig_ask(&r);
    client_get_container(r.client, "c", &r.arena, &r.err);
    rig_rounds(&r, 5);
    assert_int_equal(client_pending(r.client), 2);
    client_cancel(r.client);
    assert_int_equal(client_pending(r.client), 0);
    client_get_container(r.client, "d", &r.arena, &r.err);
    rig_rounds(&r, 200);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.n_replies, 2);
    assert_non_null(rig_reply(&r, CLIENT_IDENTITY));
    assert_int_equal(rig_reply_of(&r, "d")->rc, 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_peer_is_no_error),
        cmocka_unit_test(a_slow_answer_is_waited_for),
        cmocka_unit_test(answers_may_come_byte_by_byte),
        cmocka_unit_test(calls_in_flight_are_bounded),
        cmocka_unit_test(a_reply_of_nearly_64_mib_is_taken),
        cmocka_unit_test(cancelled_requests_have_no_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
