#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/policy.h"
#include "sim/input/scenario.h"
#include "tests/words.h"

static struct scenario *read_policies(void)
{
    const struct scenario_changes none = {0};
    struct diag *d = diag_create("", NULL, 0);
    struct scenario *s = scenario_read("tests/valid/policies.json", &none, d);

    assert_non_null(s);
    diag_destroy(d);
    return s;
}

/* In the order of the file: what each is told, as the result tells it. */
static void policies_keep_and_tell_what_they_are_told(void **state)
{
    static const struct {
        const char *name, *told;
    } rows[] = {
        {"maglev", "{\"table_size\":655373}"},
        {"modulo-n", "{}"},
        {"highest-random-weight", "{}"},
        {"per-pair", "{\"flush\":\"0s\"}"},
        {"round-robin", "{}"},
        {"weighted-round-robin", "{\"unit\":\"bytes\"}"},
        {"random-packet", "{}"},
        {"random-flow", "{}"},
        {"flowlet", "{\"gap\":\"500us\"}"},
        {"least-loaded", "{\"choices\":2,\"window\":\"1m\"}"},
        {"connection-mark", "{}"},
        {"pcc", "{\"classifier\":\"both-addresses-and-ports\"}"},
        {"hash-threshold", "{\"objects\":true,\"returns\":false}"},
    };
    struct scenario *s = read_policies();

    (void)state;
    assert_int_equal(s->router.policies_len, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct config_policy *p = &s->router.policies[i];
        json_t *told = scenario_policy_parameters(p);
        char *text = json_dumps(told, JSON_COMPACT | JSON_SORT_KEYS);

        if (strcmp(p->name, rows[i].name) != 0 || strcmp(text, rows[i].told) != 0)
            fail_msg("%s: %s %s", rows[i].name, p->name, text);
        free(text);
        json_decref(told);
    }
    assert_int_equal(s->router.policies[5].unit, UNIT_BYTES);
    assert_int_equal(s->router.policies[11].classifier,
                     CLASSIFIER_SRC_ADDRESS | CLASSIFIER_DST_ADDRESS |
                         CLASSIFIER_SRC_PORT | CLASSIFIER_DST_PORT);
    scenario_free(s);
}

/* A name alone is the policy with what config_policy_defaults() gives it. */
static void a_name_alone_stands_for_the_defaults(void **state)
{
    (void)state;
    for (unsigned i = 0; i < policies_len; i++) {
        const struct config_policy defaults = config_policy_defaults(policies[i]->name);
        char set[100];
        const char *const sets[] = {set};
        const struct scenario_changes changes = {.set = sets, .set_len = 1};
        struct diag *d = diag_create("", NULL, 0);
        struct scenario *s;
        json_t *one, *other;

        snprintf(set, sizeof set, "/router/policy=\"%s\"", policies[i]->name);
        s = scenario_read("scenarios/001-recipe.json", &changes, d);
        if (!s)
            fail_msg("%s is not read", policies[i]->name);
        one = scenario_policy_parameters(&s->router.policies[0]);
        other = scenario_policy_parameters(&defaults);
        if (!json_equal(one, other))
            fail_msg("%s: %s, not %s", policies[i]->name, json_dumps(one, 0),
                     json_dumps(other, 0));
        json_decref(one);
        json_decref(other);
        diag_destroy(d);
        scenario_free(s);
    }
}

/* So many routes, each by a gateway of its own, and the network that they lie on. */
static void write_routes(const char *path, const char *policy, unsigned routes)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fprintf(f,
            "{\"version\": 1, \"name\": \"many\", \"router\": {\"platform\": "
            "\"routeros7\", \"policy\": \"%s\","
            " \"interfaces\": [{\"name\": \"wan1\", \"addresses\": [\"172.16.0.1/12\"]}],"
            " \"routes\": [",
            policy);
    for (unsigned i = 0; i < routes; i++)
        fprintf(f,
                "%s{\"dst_address\": \"20.%u.%u.0/24\", \"gateway\": \"172.17.%u.%u\"}",
                i ? "," : "", i / 256, i % 256, i / 256, i % 256);
    fprintf(f,
            "]}, \"wans\": {\"wan1\": {}}, \"lan\": [\"10.0.0.0/8\"], \"traffic\": []}");
    assert_int_equal(fclose(f), 0);
}

/* A connection has 12 bits for the number of its next hop, and 0 is none. */
static void next_hops_that_cannot_be_told_apart_are_refused(void **state)
{
    static const struct {
        const char *policy;
        unsigned routes;
        bool good;
    } rows[] = {
        {"random-flow", 4094, true},
        {"random-flow", 4095, false},
        {"hash-threshold", 4095, true},
    };
    char path[] = "/tmp/test_scenario_policy.XXXXXX";
    const int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    close(file);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scenario_changes none = {0};
        struct diag *d = diag_create("", NULL, 0);
        struct scenario *s;

        write_routes(path, rows[i].policy, rows[i].routes);
        s = scenario_read(path, &none, d);
        if (!s == rows[i].good)
            fail_msg("%s, %u routes: %s", rows[i].policy, rows[i].routes,
                     rows[i].good ? "refused" : "taken");
        scenario_free(s);
        diag_destroy(d);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_keep_and_tell_what_they_are_told),
        cmocka_unit_test(a_name_alone_stands_for_the_defaults),
        cmocka_unit_test(next_hops_that_cannot_be_told_apart_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
