#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/timeline/course.h"

/* Two events on WAN 0, one on WAN 1. */
static const struct scenario_event events[] = {
    {.kind = EVENT_LINK_DOWN, .wan = 0},
    {.kind = EVENT_GATEWAY_DOWN, .wan = 0},
    {.kind = EVENT_BLACKHOLE, .wan = 1},
};
static const struct scenario scenario = {.events = events, .events_len = 3};

static void a_course_is_told_by_its_first_and_last_loss(void **state)
{
    struct courses c;

    (void)state;
    courses_init(&c, &scenario);
    assert_int_equal(c.of[0].began_ns, -1);
    course_begins(&c, 0, 10);
    course_lost(&c, 0, 0, 1, 20);
    course_lost(&c, 0, 0, 2, 30);
    course_lost(&c, 0, 1, 5, 40); /* of another WAN than its own */
    course_lost(&c, -1, 0, 5, 50);
    assert_int_equal(c.of[0].began_ns, 10);
    assert_int_equal(c.of[0].detected_ns, 20);
    assert_int_equal(c.of[0].effective_ns, 30);
    assert_int_equal(c.of[0].ended_ns, -1);
    assert_int_equal(c.of[0].recovered_ns, -1);
    courses_free(&c);
}

/* What returns pays what the first events that are over lost: 1 of 3, then all, then more. */
static void what_returns_is_of_the_first_event_that_is_over(void **state)
{
    struct courses c;

    (void)state;
    courses_init(&c, &scenario);
    for (unsigned i = 0; i < 2; i++) {
        course_begins(&c, i, 1);
        course_lost(&c, (int)i, 0, i == 0 ? 3 : 2, 2);
    }
    course_returned(&c, 0, 1, 3); /* none is over */
    assert_int_equal(c.of[0].recovered_ns, -1);
    course_ends(&c, 0, 4);
    course_returned(&c, 1, 1, 5); /* another WAN's */
    assert_int_equal(c.of[0].recovered_ns, -1);
    course_returned(&c, 0, 1, 6);
    assert_int_equal(c.of[0].recovered_ns, 6);
    course_ends(&c, 1, 7);
    course_returned(&c, 0, 2, 8);
    assert_int_equal(c.of[0].recovered_ns, 8);
    assert_int_equal(c.of[1].recovered_ns, -1);
    course_returned(&c, 0, 9, 10);
    assert_int_equal(c.of[0].recovered_ns, 8);
    assert_int_equal(c.of[1].recovered_ns, 10);
    courses_free(&c);
}

static void what_acts_by_itself_is_known_at_once(void **state)
{
    struct courses c;

    (void)state;
    courses_init(&c, &scenario);
    course_begins(&c, 2, 5);
    course_at_once(&c, 2, 5);
    assert_int_equal(c.of[2].detected_ns, 5);
    assert_int_equal(c.of[2].effective_ns, 5);
    assert_int_equal(c.of[2].recovered_ns, -1);
    course_ends(&c, 2, 9);
    course_at_once(&c, 2, 9);
    assert_int_equal(c.of[2].recovered_ns, 9);
    assert_int_equal(c.of[2].effective_ns, 5);
    courses_free(&c);
}

/* Outage i lasts from 100 i to 100 i + 50; every other one is noticed after 20, one after its
 * end. */
static void outages_are_counted_and_the_first_ones_kept(void **state)
{
    enum { ALL = 3 * COURSE_OUTAGES_KEPT };
    const struct course_outages *o;
    struct courses c;

    (void)state;
    courses_init(&c, &scenario);
    o = &c.outages[0];
    course_begins(&c, 0, 0);
    assert_int_equal(course_outages_down_ns(o, 1000), 0);
    for (int64_t i = 0; i < ALL; i++) {
        course_outage_begins(&c, 0, false, 100 * i);
        if (i % 2 == 1)
            course_lost(&c, 0, 0, 1, 100 * i + 20);
        course_returned(&c, 0, 1, 100 * i + 30); /* it is not over */
        course_outage_ends(&c, 0, 100 * i + 50);
        if (i == 2)
            course_lost(&c, 0, 0, 1, 100 * i + 60);
        course_returned(&c, 0, 1, 100 * i + 70);
    }
    assert_int_equal(o->count, ALL);
    assert_int_equal(o->detected, ALL / 2 + 1);
    assert_int_equal(course_outages_down_ns(o, 100 * ALL), 50 * ALL);
    assert_int_equal(course_outages_undetected_ns(o, 100 * ALL), 20 * ALL / 2 + 50 * ALL / 2);
    assert_int_equal(o->kept[0].detected_ns, -1);
    assert_int_equal(o->kept[0].recovered_ns, -1);
    assert_int_equal(o->kept[1].effective_ns, 120);
    assert_int_equal(o->kept[1].recovered_ns, 170);
    assert_int_equal(o->kept[2].detected_ns, 260);
    assert_int_equal(o->kept[63].began_ns, 6300);
    assert_int_equal(c.of[0].detected_ns, 120);
    assert_int_equal(c.of[0].effective_ns, 120);
    assert_int_equal(c.of[0].recovered_ns, 100 * (ALL - 1) + 70);
    course_outage_begins(&c, 0, false, 100 * ALL);
    assert_int_equal(course_outages_down_ns(o, 100 * ALL + 7), 50 * ALL + 7);
    assert_int_equal(course_latest(&c, 0)->began_ns, 100 * ALL);
    assert_int_equal(course_latest(&c, 1)->began_ns, -1);
    courses_free(&c);
}

static void an_outage_where_no_route_leads_has_no_window(void **state)
{
    struct courses c;

    (void)state;
    courses_init(&c, &scenario);
    course_begins(&c, 0, 0);
    course_outage_begins(&c, 0, false, 100);
    course_lost(&c, 0, 0, 1, 120);
    course_outage_ends(&c, 0, 150);
    course_outage_begins(&c, 0, true, 200);
    course_outage_ends(&c, 0, 250);
    course_returned(&c, 0, 1, 300);
    assert_int_equal(c.outages[0].count, 2);
    assert_int_equal(c.outages[0].detected, 1);
    assert_int_equal(course_outages_down_ns(&c.outages[0], 400), 100);
    assert_int_equal(course_outages_undetected_ns(&c.outages[0], 400), 20);
    assert_int_equal(c.outages[0].kept[1].effective_ns, 200);
    assert_int_equal(c.outages[0].kept[1].detected_ns, -1);
    assert_int_equal(c.of[0].detected_ns, 120);
    assert_int_equal(c.of[0].recovered_ns, 300);
    courses_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_course_is_told_by_its_first_and_last_loss),
        cmocka_unit_test(what_returns_is_of_the_first_event_that_is_over),
        cmocka_unit_test(what_acts_by_itself_is_known_at_once),
        cmocka_unit_test(outages_are_counted_and_the_first_ones_kept),
        cmocka_unit_test(an_outage_where_no_route_leads_has_no_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
