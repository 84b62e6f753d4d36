/* The stream of container events: of whom it may be read, how it goes on and ends. */
#include <errno.h>

#include "test/support/cri_rig.h"
#include "test/support/unit.h"

static void the_event_stream_goes_on_and_ends(void **state)
{
    struct view_runtime who;
    struct rig r;

    (void)state;
    rig_open_runtime(&r, "containerd-2.1.9");
    rig_ask_all(&r);
    who = rig_reply(&r, CLIENT_IDENTITY)->runtime;
    assert_true(client_watch_events(r.client, &who));
    assert_false(client_watch_events(r.client, &who)); /* one stream is enough */
    rig_rounds(&r, 10);
    assert_true(rig_count(&r, CLIENT_EVENT) >= 1);
    assert_int_equal(rig_count(&r, CLIENT_EVENTS_END), 0);
    client_cancel(r.client); /* requests only: the stream goes on */
    assert_int_equal(client_get_identity(r.client, &r.arena, &r.err), 0);
    rig_run(&r);
    assert_int_equal(rig_count(&r, CLIENT_EVENTS_END), 0);
    rig_close(&r);

    rig_open_runtime(&r, "crio-1.37"); /* with pod events off */
    rig_ask_all(&r);
    assert_true(client_watch_events(r.client, &rig_reply(&r, CLIENT_IDENTITY)->runtime));
    rig_rounds(&r, 10);
    assert_int_equal(r.rc, 0);
    assert_int_equal(rig_count(&r, CLIENT_EVENTS_END), 1);
    assert_int_equal(r.replies[r.n_replies - 1].rc, 0);
    rig_close(&r);

    rig_open(&r, "{'replies': {" SCRIPT_BASE "}}");
    rig_ask_all(&r);
    assert_true(client_watch_events(r.client, &rig_reply(&r, CLIENT_IDENTITY)->runtime));
    rig_rounds(&r, 10);
    assert_int_equal(r.replies[r.n_replies - 1].kind, CLIENT_EVENTS_END);
    assert_int_equal(r.replies[r.n_replies - 1].rc, -EOPNOTSUPP);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_event_stream_goes_on_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
