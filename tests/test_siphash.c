#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "core/siphash.h"

/*
 * Key 00 01 .. 0f, message 00 01 .. of so many bytes. Sources: the paper's appendix A (15
 * bytes) and the authors' reference vectors (vectors_sip64, read as little-endian).
 */
static void known_answers_hold_for_every_length_of_the_last_word(void **state)
{
    static const uint64_t key[2] = {UINT64_C(0x0706050403020100),
                                    UINT64_C(0x0f0e0d0c0b0a0908)};
    static const struct {
        size_t length;
        uint64_t hash;
    } rows[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {2, UINT64_C(0x0d6c8009d9a94f5a)},  {3, UINT64_C(0x85676696d7fb7e2d)},
        {4, UINT64_C(0xcf2794e0277187b7)},  {5, UINT64_C(0x18765564cd99a68d)},
        {6, UINT64_C(0xcbc9466e58fee3ce)},  {7, UINT64_C(0xab0200f58b01d137)},
        {8, UINT64_C(0x93f5f5799a932462)},  {9, UINT64_C(0x9e0082df0ba9e4b0)},
        {10, UINT64_C(0x7a5dbbc594ddb9f3)}, {11, UINT64_C(0xf4b32f46226bada7)},
        {12, UINT64_C(0x751e8fbc860ee5fb)}, {13, UINT64_C(0x14ea5627c0843d90)},
        {14, UINT64_C(0xf723ca908e7af2ee)}, {15, UINT64_C(0xa129ca6149be45e5)},
        {16, UINT64_C(0x3f2acc7f57c29bdb)},
    };
    uint8_t message[16];

    (void)state;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t got = siphash_2_4(key, message, rows[i].length);

        if (got != rows[i].hash)
            fail_msg("%zu bytes: got %016" PRIx64 ", expected %016" PRIx64,
                     rows[i].length, got, rows[i].hash);
    }
}

static void the_message_may_lie_at_any_address(void **state)
{
    static const uint64_t key[2] = {UINT64_C(0x0706050403020100),
                                    UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t room[8 + 15];

    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 15; i++)
            room[shift + i] = (uint8_t)i;
        assert_int_equal(siphash_2_4(key, room + shift, 15),
                         UINT64_C(0xa129ca6149be45e5));
    }
}

static void words_hash_as_their_bytes(void **state)
{
    static const uint64_t key[2] = {UINT64_C(0x0706050403020100),
                                    UINT64_C(0x0f0e0d0c0b0a0908)};

    (void)state;
    assert_int_equal(siphash_2_4_words(key, NULL, 0), UINT64_C(0x726fdb47dd0e0e31));
    assert_int_equal(siphash_2_4_words(key, key, 1), UINT64_C(0x93f5f5799a932462));
    assert_int_equal(siphash_2_4_words(key, key, 2), UINT64_C(0x3f2acc7f57c29bdb));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_hold_for_every_length_of_the_last_word),
        cmocka_unit_test(the_message_may_lie_at_any_address),
        cmocka_unit_test(words_hash_as_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
