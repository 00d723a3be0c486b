#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/observe/figures.h"
#include "sim/observe/metrics.h"

enum { POINTER_MAX = 256, FIGURES_MOST = 512 };

/* The result of a scenario as it stands in the repository. */
static json_t *result_of(const char *path)
{
    struct diag *d = diag_create(path, NULL, 0);
    const char *const capped = "/wans/wan1/cap=1GB"; /* a figure that not every run has */
    const struct scenario_changes changes = {.set = &capped, .set_len = 1};
    struct scenario *s = scenario_read(path, &changes, d);
    struct simulation *sim;
    struct metrics *m;
    struct observer o;
    char error[512];
    json_t *result;

    if (!s)
        fail_msg("%s cannot be read", path);
    sim = simulation_create(s);
    m = metrics_create(s, simulation_router(sim));
    o = metrics_observer(m);
    simulation_observe(sim, &o);
    if (!simulation_run(sim, error, sizeof error))
        fail_msg("%s", error);
    result = metrics_result(m, sim);
    metrics_destroy(m);
    simulation_destroy(sim);
    scenario_free(s);
    diag_destroy(d);
    return result;
}

/* Every value that is no container is a figure: noted in `seen`, or the test fails. */
static void walk(json_t *value, const char *pointer, bool *seen)
{
    char below[POINTER_MAX];
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_object(value)) {
        json_object_foreach (value, key, member) {
            snprintf(below, sizeof below, "%s/%s", pointer, key);
            walk(member, below, seen);
        }
    } else if (json_is_array(value)) {
        json_array_foreach (value, i, member) {
            snprintf(below, sizeof below, "%s/%zu", pointer, i);
            walk(member, below, seen);
        }
    } else {
        const struct figure *f = figures_find(pointer);

        if (!f)
            fail_msg("%s is in the result, but in no row of figures[]", pointer);
        seen[f - figures] = true;
    }
}

/* What is no figure: what was asked, a phase's figures again, a series, verdicts. */
static bool is_apart(const char *part)
{
    static const char *const apart[] = {"format", "scenario", "phases",
                                        "series", "expect",   "warnings"};

    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++)
        if (strcmp(apart[i], part) == 0)
            return true;
    return false;
}

/* Of a capture, of people who have something to lose, and of failures of many kinds: what one
 * lacks, another has. */
static void the_table_is_what_a_result_has(void **state)
{
    static const char *const paths[] = {"scenarios/001-recipe.json", "tests/valid/people.json",
                                        "tests/valid/failures.json"};
    bool seen[FIGURES_MOST] = {false};
    char pointer[POINTER_MAX];
    const char *key;

    (void)state;
    assert_true(figures_len <= FIGURES_MOST);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        json_t *result = result_of(paths[i]), *part;

        json_object_foreach (result, key, part) {
            snprintf(pointer, sizeof pointer, "/%s", key);
            if (!is_apart(key))
                walk(part, pointer, seen);
        }
        json_decref(result);
    }
    for (size_t i = 0; i < figures_len; i++)
        if (!seen[i])
            fail_msg("%s is in figures[], but in no result", figures[i].pointer);
}

static char *text_of(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text;
    long size;

    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    size = ftell(in);
    rewind(in);
    text = mem_alloc((size_t)size + 1, 1);
    assert_int_equal(fread(text, 1, (size_t)size, in), (size_t)size);
    fclose(in);
    return text;
}

/* The name within backticks, alone or behind the names that it stands under. */
static bool is_named(const char *text, const char *name, size_t length)
{
    for (const char *at = text; (at = strstr(at, name)); at += length) {
        const char before = at == text ? '\0' : at[-1], after = at[length];

        if (strchr("`./, _", before) && strchr("`,", after))
            return true;
    }
    return false;
}

/* METRICS.md shortens `utilisation_up`, `_down`. */
static bool is_explained(const char *metrics, const char *name)
{
    const char *tail = strrchr(name, '_');

    return is_named(metrics, name, strlen(name)) ||
           (tail && is_named(metrics, tail, strlen(tail)));
}

static void every_figure_is_explained(void **state)
{
    char *metrics = text_of("doc/METRICS.md");

    (void)state;
    for (size_t i = 0; i < figures_len; i++) {
        char pointer[POINTER_MAX], *name;

        snprintf(pointer, sizeof pointer, "%s", figures[i].pointer);
        name = strrchr(pointer, '/');
        if (strcmp(name, "/*") == 0) {
            *name = '\0';
            name = strrchr(pointer, '/');
        }
        if (!is_explained(metrics, name + 1))
            fail_msg("doc/METRICS.md does not name `%s` of %s", name + 1,
                     figures[i].pointer);
    }
    mem_free(metrics);
}

static void a_star_is_one_name(void **state)
{
    static const struct {
        const char *pattern, *pointer;
        bool matches;
    } rows[] = {
        {"/paths/*/flows", "/paths/wan1/flows", true},
        {"/paths/*/flows", "/paths/wan1/flows_share", false},
        {"/paths/*/flows", "/paths/wan1/wan2/flows", false},
        {"/paths/*/flows", "/paths/wan1", false},
        {"/paths/*/flows", "/paths", false},
        {"/dropped/*", "/dropped/ttl", true},
        {"/dropped/*", "/dropped/ttl/x", false},
        {"/run/flows", "/run/flows", true},
        {"/run/flows", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct figure f = {.pointer = rows[i].pattern};

        if (figure_matches(&f, rows[i].pointer) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].pointer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_what_a_result_has),
        cmocka_unit_test(every_figure_is_explained),
        cmocka_unit_test(a_star_is_one_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
