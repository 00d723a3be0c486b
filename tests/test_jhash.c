#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/jhash.h"
#include "tests/words.h"

/* Source: lookup3.c, driver5(). */
static void the_published_answers_come_out(void **state)
{
    static const struct {
        const char *text;
        uint32_t initval, hash;
    } rows[] = {
        {"", 0, 0xdeadbeef},
        {"", 0xdeadbeef, 0xbd5b7dde},
        {"Four score and seven years ago", 0, 0x17770551},
        {"Four score and seven years ago", 1, 0xcd628161},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint32_t got =
            jhash((const uint8_t *)rows[i].text, strlen(rows[i].text), rows[i].initval);

        if (got != rows[i].hash)
            fail_msg("\"%s\", %x: %08x", rows[i].text, rows[i].initval, got);
    }
}

/* Every length around the blocks of twelve reads its own bytes and no more. */
static void each_byte_counts_and_none_behind_the_end(void **state)
{
    uint8_t bytes[40];

    (void)state;
    for (size_t length = 1; length <= 39; length++) {
        uint32_t hash;

        memset(bytes, 0, sizeof bytes);
        hash = jhash(bytes, length, 7);
        bytes[length] = 1;
        assert_int_equal(jhash(bytes, length, 7), hash);
        bytes[length] = 0;
        for (size_t i = 0; i < length; i++) {
            bytes[i] = 1;
            if (jhash(bytes, length, 7) == hash)
                fail_msg("byte %zu of %zu counts for nothing", i, length);
            bytes[i] = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_answers_come_out),
        cmocka_unit_test(each_byte_counts_and_none_behind_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
