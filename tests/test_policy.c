#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

/* Three WANs of which the second is down, and a thousand flows between as many pairs. */
static void every_policy_is_found_by_its_name_and_picks_the_living(void **state)
{
    (void)state;
    for (unsigned i = 0; i < policies_len; i++) {
        const struct policy *p = policies[i];
        unsigned by_a = 0, by_c = 0;
        char text[300];
        struct lab *l;

        if (policy_find(p->name) != p)
            fail_msg("%s", p->name);
        if (!p->about || !p->about[0])
            fail_msg("%s says nothing about itself", p->name);
        snprintf(text, sizeof text,
                 "policy %s\nhash l4 1\ntracking on\n"
                 "iface lan 192.0.2.1/24\n"
                 "iface a 198.51.100.2/30\n"
                 "iface b 198.51.100.6/30 disabled\n"
                 "iface c 198.51.100.10/30\n"
                 "route 0.0.0.0/0 via 198.51.100.1 198.51.100.5 198.51.100.9\n",
                 p->name);
        l = lab_create(text);
        for (unsigned port = 1000; port < 2000; port++) {
            const char *said;

            snprintf(text, sizeof text, "udp 192.0.2.9:%u > 203.0.%u.%u:53", port,
                     port / 250, port % 250);
            said = lab_send(l, "lan", text, port);
            by_a += strncmp(said, "a ", 2) == 0;
            by_c += strncmp(said, "c ", 2) == 0;
        }
        lab_destroy(l);
        if (by_a + by_c != 1000 || by_a < 400 || by_c < 400)
            fail_msg("%s: of 1000 flows %u by a and %u by c", p->name, by_a, by_c);
    }
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
    assert_non_null(policy_find(c.policies[0].name));
    config_set_defaults(&c, PLATFORM_ROUTEROS7);
    assert_non_null(policy_find(c.policies[0].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_is_found_by_its_name_and_picks_the_living),
        cmocka_unit_test(an_unknown_name_finds_no_policy),
        cmocka_unit_test(every_default_configuration_names_a_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
