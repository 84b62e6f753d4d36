/* A snapshot lives as long as anybody holds a reference to it. AddressSanitizer and valgrind see
 * where one does not. */
#include <pthread.h>
#include <string.h>

#include "test/support/snap.h"
#include "test/support/unit.h"

enum { TURNS = 10000 };

static void the_last_reference_frees(void **state)
{
    struct podpid_snapshot *s = snap_zoo();

    (void)state;
    assert_false(snapshot_is_shared(s));
    assert_ptr_equal(podpid_snapshot_ref(s), s);
    assert_true(snapshot_is_shared(s));
    podpid_snapshot_free(s);
    assert_false(snapshot_is_shared(s));
    podpid_snapshot_free(s);
}

static void a_selection_keeps_what_it_was_made_from(void **state)
{
    struct podpid_snapshot *s = snap_zoo(), *all = NULL, *again = NULL;
    const char *id = s->pods[0]->containers[0]->id;

    (void)state;
    s->no_label_values = true;
    assert_int_equal(
        podpid_snapshot_select(s, PODPID_SELECT_ALL_STATES, NULL, NULL, NULL, &all, NULL), 0);
    podpid_snapshot_free(s);
    assert_int_equal(
        podpid_snapshot_select(all, PODPID_SELECT_ALL_STATES, NULL, NULL, NULL, &again, NULL), 0);
    podpid_snapshot_free(all);
    assert_string_equal(again->pods[0]->containers[0]->id, id);
    assert_true(again->n_strays > 0 && strlen(again->strays[0]->container_id) > 0);
    assert_true(again->no_label_values);
    podpid_snapshot_free(again);
}

static void an_index_keeps_what_it_was_made_from(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    const struct podpid_container *c = s->pods[0]->containers[0];
    struct podpid_index *x = NULL;

    (void)state;
    assert_int_equal(podpid_index_new(s, &x, NULL), 0);
    podpid_snapshot_free(s);
    assert_ptr_equal(podpid_index_by_id(x, c->id), c);
    podpid_index_free(x);
}

static void *take_and_give_back(void *s)
{
    for (int i = 0; i < TURNS; i++) {
        podpid_snapshot_free(podpid_snapshot_ref(s));
    }
    return NULL;
}

static void threads_may_take_and_give_back_at_once(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    pthread_t other;

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, take_and_give_back, s), 0);
    take_and_give_back(s);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_false(snapshot_is_shared(s));
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(a_selection_keeps_what_it_was_made_from),
        cmocka_unit_test(an_index_keeps_what_it_was_made_from),
        cmocka_unit_test(threads_may_take_and_give_back_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
