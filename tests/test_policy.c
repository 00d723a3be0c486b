#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/routers.h"

static void every_policy_is_found_by_its_name_and_picks(void **state)
{
    struct nexthop hops[3] = {{.weight = 1, .up = true, .iface = 0},
                              {.weight = 1, .up = false, .iface = 1},
                              {.weight = 1, .up = true, .iface = 2}};
    struct nexthop_group *g = nexthop_group_create(hops, 3);

    (void)state;
    assert_true(policies_len > 0);
    for (unsigned i = 0; i < policies_len; i++) {
        if (policy_find(policies[i].name) != &policies[i])
            fail_msg("%s", policies[i].name);
        if (!policies[i].about || !policies[i].about[0])
            fail_msg("%s says nothing about itself", policies[i].name);
        for (uint64_t hash = 0; hash <= LAST_HASH; hash += 9999991) {
            const unsigned member = policies[i].pick(g, (uint32_t)hash);

            if (member != 0 && member != 2)
                fail_msg("%s: hash %u goes to %u, which is dead or none",
                         policies[i].name, (unsigned)hash, member);
        }
    }
    nexthop_group_destroy(g);
}

static void an_unknown_name_finds_no_policy(void **state)
{
    static const char *const names[] = {"", "hash", "Hash-Threshold", "hash-threshold ",
                                        "no-such-policy"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (policy_find(names[i]))
            fail_msg("'%s'", names[i]);
}

static void every_default_configuration_names_a_policy(void **state)
{
    struct router_config c;

    (void)state;
    config_set_defaults(&c, PLATFORM_LINUX);
    assert_non_null(policy_find(c.policy));
    config_set_defaults(&c, PLATFORM_ROUTEROS7);
    assert_non_null(policy_find(c.policy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_is_found_by_its_name_and_picks),
        cmocka_unit_test(an_unknown_name_finds_no_policy),
        cmocka_unit_test(every_default_configuration_names_a_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
