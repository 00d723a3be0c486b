#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "sim/traffic/livetuples.h"
#include "tests/packets.h"
#include "tests/routers.h"

static uint64_t key(unsigned i)
{
    struct demand d = {.src = address("192.168.10.5"),
                       .dst = address("198.51.100.1"),
                       .protocol = PROTO_TCP};

    d.sport = (uint16_t)i;
    d.dport = (uint16_t)(i >> 16);
    return livetuples_key(&d);
}

/* Against a plain table of what is in, while keys come and go. */
static void what_is_in_is_known_whatever_came_and_went(void **state)
{
    enum { KEYS = 5000, STEPS = 200000 };
    static bool in[KEYS];
    struct random_stream s = random_stream_make(1, 1);
    struct livetuples t = {.slots = NULL};
    size_t count = 0;

    (void)state;
    livetuples_remove(&t, key(1));
    for (int n = 0; n < STEPS; n++) {
        const unsigned i = (unsigned)random_below(&s, KEYS);

        if (random_next(&s) & 1) {
            assert_true(livetuples_add(&t, key(i)) == !in[i]);
            count += !in[i];
            in[i] = true;
        } else {
            livetuples_remove(&t, key(i));
            count -= in[i];
            in[i] = false;
        }
        assert_int_equal(t.len, count);
    }
    livetuples_free(&t);
}

static void each_field_of_a_tuple_counts(void **state)
{
    const struct demand base = {.src = address("192.168.10.5"),
                                .dst = address("198.51.100.1"),
                                .sport = 1,
                                .dport = 2,
                                .protocol = PROTO_TCP};
    struct demand others[6];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        others[i] = base;
    others[0].src = base.dst;
    others[1].dst = base.src;
    others[2].sport = 2;
    others[3].dport = 1;
    others[4].protocol = PROTO_UDP;
    others[5].src = base.dst, others[5].dst = base.src;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (livetuples_key(&others[i]) == livetuples_key(&base))
            fail_msg("row %zu", i);
    assert_true(livetuples_key(&base) == livetuples_key(&base));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_is_known_whatever_came_and_went),
        cmocka_unit_test(each_field_of_a_tuple_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
