#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/observe/flows.h"

static void a_cookie_names_its_record_with_or_without_the_watch_bit(void **state)
{
    (void)state;
    assert_int_equal(flows_of_cookie(0), FLOWS_NONE);
    assert_int_equal(flows_of_cookie(1), 0);
    assert_int_equal(flows_of_cookie(42 | FLOW_WATCHED), 41);
}

static void records_are_recycled(void **state)
{
    struct flows f;

    (void)state;
    flows_init(&f);
    for (int i = 0; i < 1000; i++) {
        const uint32_t a = flows_add(&f), b = flows_add(&f);

        assert_true(a != b);
        flows_at(&f, a)->worst = FLOW_BROKEN;
        flows_remove(&f, a);
        flows_remove(&f, b);
    }
    assert_int_equal(f.len, 2);
    assert_int_equal(f.live, 0);
    assert_int_equal(flows_at(&f, flows_add(&f))->worst, FLOW_SURVIVED);
    flows_free(&f);
}

static void a_new_record_has_no_path_host_or_touch(void **state)
{
    struct flows f;
    const struct flow *flow;

    (void)state;
    flows_init(&f);
    flow = flows_at(&f, flows_add(&f));
    assert_int_equal(flow->path, -1);
    assert_int_equal(flow->request_wan, -1);
    assert_int_equal(flow->outward, FLOW_NO_DIRECTION);
    assert_int_equal(flow->host, FLOWS_NONE);
    assert_int_equal(flow->touched, FLOWS_NONE);
    flows_free(&f);
}

static void what_an_event_did_is_found_again(void **state)
{
    struct flows f;
    struct flow *flow;
    bool is_new;

    (void)state;
    flows_init(&f);
    flow = flows_at(&f, flows_add(&f));
    flows_touch(&f, flow, 3, &is_new)->fate = FLOW_BROKEN;
    assert_true(is_new);
    assert_int_equal(flows_touch(&f, flow, 5, &is_new)->fate, FLOW_SURVIVED);
    assert_true(is_new);
    assert_int_equal(flows_touch(&f, flow, 3, &is_new)->fate, FLOW_BROKEN);
    assert_false(is_new);
    flows_free(&f);
}

static void a_flow_keeps_its_latest_events_and_memory_stays(void **state)
{
    struct flows f;
    uint32_t number;
    bool is_new;

    (void)state;
    flows_init(&f);
    for (int round = 0; round < 3; round++) {
        number = flows_add(&f);
        for (int event = 0; event < 1000; event++)
            flows_touch(&f, flows_at(&f, number), event, &is_new);
        assert_int_equal(f.touches_len, FLOW_TOUCHES_MAX);
        flows_touch(&f, flows_at(&f, number), 999 - FLOW_TOUCHES_MAX + 1, &is_new);
        assert_false(is_new);
        flows_touch(&f, flows_at(&f, number), 999 - FLOW_TOUCHES_MAX, &is_new);
        assert_true(is_new);
        flows_remove(&f, number);
    }
    flows_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_names_its_record_with_or_without_the_watch_bit),
        cmocka_unit_test(records_are_recycled),
        cmocka_unit_test(a_new_record_has_no_path_host_or_touch),
        cmocka_unit_test(what_an_event_did_is_found_again),
        cmocka_unit_test(a_flow_keeps_its_latest_events_and_memory_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
