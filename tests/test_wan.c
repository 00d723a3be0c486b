#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/timeline/wan.h"

/* The table of wan.h. */
static void what_is_wrong_decides_who_answers(void **state)
{
    static const struct {
        const char *what;
        struct wan_link link;
        enum reason fault;
        bool up, gateway_answers, internet_answers;
    } rows[] = {
        {"nothing", {0}, REASON_NONE, true, true, true},
        {"carrier lost", {.carrier_lost = 1}, REASON_LINK_DOWN, false, false, false},
        {"admin down", {.admin_down = 1}, REASON_LINK_DOWN, false, false, false},
        {"gateway down", {.gateway_down = 1}, REASON_GATEWAY_DOWN, true, false, false},
        {"blackhole", {.blackholed = 1}, REASON_BLACKHOLED, true, true, false},
        {"both", {.blackholed = 1, .carrier_lost = 2}, REASON_LINK_DOWN, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct wan_link *w = &rows[i].link;

        if (wan_fault(w) != rows[i].fault || wan_is_up(w) != rows[i].up ||
            wan_answers(w, false) != rows[i].gateway_answers ||
            wan_answers(w, true) != rows[i].internet_answers)
            fail_msg("%s", rows[i].what);
    }
}

static void time_up_counts_only_while_the_link_is_up(void **state)
{
    struct wan_link w;

    (void)state;
    wan_init(&w);
    assert_int_equal(wan_up_ns(&w, 10), 10);
    w.carrier_lost = 1;
    wan_note_time(&w, 30);
    w.admin_down = 1;
    wan_note_time(&w, 40);
    assert_int_equal(wan_up_ns(&w, 50), 30);
    w.carrier_lost = 0;
    wan_note_time(&w, 60);
    w.admin_down = 0;
    wan_note_time(&w, 70);
    assert_int_equal(wan_up_ns(&w, 100), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_decides_who_answers),
        cmocka_unit_test(time_up_counts_only_while_the_link_is_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
