#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "sim/input/stream.h"

/* Above every buffer on the way, and no multiple of one. */
enum { TEXT_BYTES = 3 * 1024 * 1024 + 77 };

struct bytes {
    uint8_t *data;
    size_t size;
};

static char directory[] = "/tmp/test_stream.XXXXXX";
static char path[sizeof directory + 8];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

/* Half of it repeats, half does not: both kinds of compressed block. */
static struct bytes make_text(size_t size)
{
    struct bytes b = {malloc(size + 1), size};
    uint32_t x = 1;

    assert_non_null(b.data);
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        b.data[i] = (uint8_t)(i / 4096 % 2 ? x >> 24 : i / 64);
    }
    return b;
}

static struct bytes gzip_of(struct bytes plain)
{
    z_stream z = {0};
    struct bytes b;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    b.data = malloc(deflateBound(&z, plain.size));
    z.next_in = plain.data;
    z.avail_in = (uInt)plain.size;
    z.next_out = b.data;
    z.avail_out = (uInt)deflateBound(&z, plain.size);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.size = z.total_out;
    deflateEnd(&z);
    return b;
}

static struct bytes zstd_of(struct bytes plain)
{
    size_t room = ZSTD_compressBound(plain.size);
    struct bytes b = {malloc(room), 0};
    ZSTD_CCtx *c = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    b.size = ZSTD_compress2(c, b.data, room, plain.data, plain.size);
    assert_false(ZSTD_isError(b.size));
    ZSTD_freeCCtx(c);
    return b;
}

static void write_bytes(struct bytes b, const char *mode)
{
    FILE *f = fopen(path, mode);

    assert_non_null(f);
    assert_int_equal(fwrite(b.data, 1, b.size, f), b.size);
    assert_int_equal(fclose(f), 0);
}

static void write_text(const char *text, size_t size)
{
    uint8_t copy[64];

    memcpy(copy, text, size);
    write_bytes((struct bytes){copy, size}, "wb");
}

/*
 * Read the file to its end in pieces of `piece` bytes. What came before an error must be how
 * `plain` begins; returns its number of bytes, and the stream's words in `why` ("" = none).
 */
static size_t read_back(struct bytes plain, size_t piece, char why[200])
{
    struct stream *s = stream_open(path, why, 200);
    uint8_t *got = malloc(piece);
    size_t total = 0, n;

    if (!s)
        fail_msg("not opened: %s", why);
    while ((n = fread(got, 1, piece, stream_file(s))) > 0) {
        if (total + n > plain.size || memcmp(got, plain.data + total, n) != 0)
            fail_msg("other bytes than were written, behind byte %zu", total);
        total += n;
    }
    assert_true(!ferror(stream_file(s)) == !stream_error(s));
    snprintf(why, 200, "%s", stream_error(s) ? stream_error(s) : "");
    fclose(stream_file(s));
    stream_destroy(s);
    free(got);
    return total;
}

static void expect_whole(const char *what, struct bytes plain, size_t piece)
{
    char why[200];
    size_t n = read_back(plain, piece, why);

    if (n != plain.size || why[0])
        fail_msg("%s: %zu of %zu bytes: %s", what, n, plain.size, why);
}

static void plain_gzip_and_zstd_read_alike(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 4, 5, 1 << 20, TEXT_BYTES};
    static const size_t pieces[] = {16, 4096, 5 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bytes plain = make_text(sizes[i]);
        struct bytes gzip = gzip_of(plain), zstd = zstd_of(plain);

        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            write_bytes(plain, "wb");
            expect_whole("plain", plain, pieces[k]);
            write_bytes(gzip, "wb");
            expect_whole("gzip", plain, pieces[k]);
            write_bytes(zstd, "wb");
            expect_whole("zstd", plain, pieces[k]);
        }
        free(plain.data);
        free(gzip.data);
        free(zstd.data);
    }
}

static void members_and_frames_in_a_row_read_as_one(void **state)
{
    static uint8_t skippable[] = {0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    struct bytes plain = make_text(200000);
    struct bytes empty = {plain.data, 0};
    struct bytes head = {plain.data, 150000}, tail = {plain.data + 150000, 50000};
    struct bytes none, first, second;

    (void)state;
    none = gzip_of(empty), first = gzip_of(head), second = gzip_of(tail);
    write_bytes(none, "wb");
    write_bytes(first, "ab");
    write_bytes(none, "ab");
    write_bytes(second, "ab");
    expect_whole("gzip", plain, 4096);
    free(none.data), free(first.data), free(second.data);

    none = zstd_of(empty), first = zstd_of(head), second = zstd_of(tail);
    write_bytes((struct bytes){skippable, sizeof skippable}, "wb");
    write_bytes(first, "ab");
    write_bytes(none, "ab");
    write_bytes((struct bytes){skippable, sizeof skippable}, "ab");
    write_bytes(second, "ab");
    expect_whole("zstd", plain, 4096);
    free(none.data), free(first.data), free(second.data);
    free(plain.data);
}

static void a_compressed_file_cut_short_says_so_behind_what_it_holds(void **state)
{
    struct bytes plain = make_text(300000);
    struct bytes packed[2] = {gzip_of(plain), zstd_of(plain)};
    static const char *const words[2] = {"gzip data cut short", "zstd data cut short"};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        for (size_t cut = 4; cut < packed[i].size; cut += 1 + packed[i].size / 50) {
            char why[200];
            size_t n;

            write_bytes((struct bytes){packed[i].data, cut}, "wb");
            n = read_back(plain, 1000, why);
            if (strcmp(why, words[i]) != 0)
                fail_msg("%s, at byte %zu: %s", words[i], cut, why);
            if (cut > packed[i].size * 9 / 10 && n < plain.size / 2)
                fail_msg("%s, at byte %zu: only %zu bytes", words[i], cut, n);
        }
        free(packed[i].data);
    }
    free(plain.data);
}

/* The last bytes are a checksum in both formats. */
static void damage_is_an_error(void **state)
{
    struct bytes plain = make_text(300000);
    struct bytes packed[2] = {gzip_of(plain), zstd_of(plain)};
    static const char *const words[2] = {"damaged gzip data: ", "damaged zstd data: "};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        char why[200];
        size_t at = packed[i].size - (i == 0 ? 8 : 4);

        packed[i].data[at] ^= 1;
        write_bytes(packed[i], "wb");
        read_back(plain, 1000, why);
        if (strncmp(why, words[i], strlen(words[i])) != 0)
            fail_msg("%s: %s", words[i], why);
        free(packed[i].data);
    }
    free(plain.data);
}

static void bytes_behind_compressed_data_are_an_error(void **state)
{
    uint8_t garbage[] = "garbage";
    struct bytes plain = make_text(1000);
    struct bytes packed[2] = {gzip_of(plain), zstd_of(plain)};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        char why[200];

        write_bytes(packed[i], "wb");
        write_bytes((struct bytes){garbage, sizeof garbage}, "ab");
        assert_int_equal(read_back(plain, 1000, why), plain.size);
        assert_true(strncmp(why, "damaged ", 8) == 0);
        free(packed[i].data);
    }
    free(plain.data);
}

/* RFC 8878, 3.1.1.1.2: window descriptor 0x90 asks for 2^28 bytes. */
static void a_zstd_window_above_the_limit_is_refused(void **state)
{
    char why[200];

    (void)state;
    write_text("\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00", 9);
    assert_int_equal(read_back((struct bytes){NULL, 0}, 1000, why), 0);
    assert_true(strncmp(why, "damaged zstd data: ", 19) == 0);
}

static void a_pipe_needs_no_seeking(void **state)
{
    struct bytes plain = make_text(3000);
    struct bytes gzip = gzip_of(plain);
    char name[32], why[200] = "", got[4000];
    struct stream *s;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    assert_int_equal(write(ends[1], gzip.data, gzip.size), gzip.size);
    close(ends[1]);
    s = stream_open(name, why, sizeof why);
    assert_non_null(s);
    assert_int_equal(fread(got, 1, sizeof got, stream_file(s)), plain.size);
    assert_memory_equal(got, plain.data, plain.size);
    assert_null(stream_error(s));
    fclose(stream_file(s));
    stream_destroy(s);
    close(ends[0]);
    free(plain.data);
    free(gzip.data);
}

static void what_cannot_be_read_is_told_in_the_systems_words(void **state)
{
    char why[200], missing[sizeof directory + 16];

    (void)state;
    snprintf(missing, sizeof missing, "%s/missing", directory);
    assert_null(stream_open(missing, why, sizeof why));
    assert_string_equal(why, strerror(ENOENT));
    assert_null(stream_open(directory, why, sizeof why));
    assert_string_equal(why, strerror(EISDIR));
}

static void random_bytes_behind_a_magic_only_fail(void **state)
{
    static const char *const magics[] = {"\x1f\x8b\x08\x00", "\x28\xb5\x2f\xfd"};
    uint32_t x = 1;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t data[64];
        char why[200], got[4096];
        struct stream *s;
        size_t total = 0, n;

        for (size_t i = 0; i < sizeof data; i++) {
            x = x * 1664525 + 1013904223;
            data[i] = (uint8_t)(x >> 24);
        }
        memcpy(data, magics[round % 2], 4);
        write_bytes((struct bytes){data, sizeof data}, "wb");
        s = stream_open(path, why, sizeof why);
        assert_non_null(s);
        while ((n = fread(got, 1, sizeof got, stream_file(s))) > 0)
            total += n;
        assert_true(total < 16 << 20);
        fclose(stream_file(s));
        stream_destroy(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_gzip_and_zstd_read_alike),
        cmocka_unit_test(members_and_frames_in_a_row_read_as_one),
        cmocka_unit_test(a_compressed_file_cut_short_says_so_behind_what_it_holds),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(bytes_behind_compressed_data_are_an_error),
        cmocka_unit_test(a_zstd_window_above_the_limit_is_refused),
        cmocka_unit_test(a_pipe_needs_no_seeking),
        cmocka_unit_test(what_cannot_be_read_is_told_in_the_systems_words),
        cmocka_unit_test(random_bytes_behind_a_magic_only_fail),
    };

    return cmocka_run_group_tests_name("stream", tests, make_directory, remove_directory);
}
