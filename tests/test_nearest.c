#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/input/nearest.h"

/* "kitten"/"sitting" is the textbook case; "ca"/"abc" tells this measure (3) from
 * unrestricted Damerau-Levenshtein (2). */
static void distance_counts_single_edits_and_swaps(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"same", "same", 0},
        {"kitten", "sitting", 3},
        {"ca", "abc", 3},
        {"ab", "ba", 1},
        {"distnace", "distance", 1},
        {"gatway", "gateway", 1},
        {"scopee", "scope", 1},
        {"dst-address", "dst_address", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t there = nearest_distance(rows[i].a, rows[i].b);
        size_t back = nearest_distance(rows[i].b, rows[i].a);

        if (there != rows[i].distance || back != rows[i].distance)
            fail_msg("%s, %s: %zu and %zu", rows[i].a, rows[i].b, there, back);
    }
}

static void a_near_name_is_found_and_a_far_one_is_not(void **state)
{
    static const char *const names[] = {"distance", "dst_address", "gateway", "table",
                                        "id",       "x",           NULL};
    static const struct {
        const char *word, *name;
    } rows[] = {
        {"distnace", "distance"},
        {"distans", "distance"},
        {"dst-address", "dst_address"},
        {"dstaddress", "dst_address"},
        {"gatway", "gateway"},
        {"tabel", "table"},
        {"ib", "id"},
        {"colour", NULL},
        {"tuple", NULL},
        {"y", NULL},
        {"", NULL},
        {"dis", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = nearest_name(rows[i].word, names);

        if (got != rows[i].name && (!got || !rows[i].name || strcmp(got, rows[i].name)))
            fail_msg("%s: %s", rows[i].word, got ? got : "none");
    }
}

static void among_equals_the_first_offered_wins(void **state)
{
    struct nearest n = nearest_start("wan4");

    (void)state;
    nearest_offer(&n, NULL);
    nearest_offer(&n, "wan1");
    nearest_offer(&n, "wan2");
    assert_string_equal(n.name, "wan1");
    nearest_offer(&n, "wan4");
    assert_string_equal(n.name, "wan4");
}

static void overlong_words_are_near_to_nothing(void **state)
{
    char word[NEAREST_WORD_MAX + 2], name[NEAREST_WORD_MAX + 2];
    const char *names[] = {name, NULL};

    (void)state;
    memset(word, 'a', sizeof word);
    memset(name, 'a', sizeof name);
    word[NEAREST_WORD_MAX + 1] = name[NEAREST_WORD_MAX] = '\0';
    assert_true(nearest_distance(word, name) == SIZE_MAX);
    assert_null(nearest_name(word, names));
    word[NEAREST_WORD_MAX] = '\0';
    word[0] = 'b';
    assert_int_equal(nearest_distance(word, name), 1);
    assert_ptr_equal(nearest_name(word, names), name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_single_edits_and_swaps),
        cmocka_unit_test(a_near_name_is_found_and_a_far_one_is_not),
        cmocka_unit_test(among_equals_the_first_offered_wins),
        cmocka_unit_test(overlong_words_are_near_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
