#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/report/outfile.h"

static char folder[] = "/tmp/ecmplab-outfile-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void in_folder(const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", folder, name);
}

static void a_file_appears_whole_when_it_is_closed(void **state)
{
    char path[256], error[256], text[16] = "";
    struct outfile f;
    FILE *in;

    (void)state;
    in_folder("kept", path);
    assert_true(outfile_open(&f, path, error, sizeof error));
    fputs("all of it\n", f.stream);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(outfile_close(&f, true, error, sizeof error));
    in = fopen(path, "r");
    assert_non_null(in);
    assert_non_null(fgets(text, sizeof text, in));
    assert_string_equal(text, "all of it\n");
    fclose(in);
    assert_int_equal(unlink(path), 0);
}

static void a_file_not_kept_leaves_what_was_there(void **state)
{
    char path[256], error[256];
    struct outfile f;
    struct stat st;
    FILE *before;

    (void)state;
    in_folder("old", path);
    before = fopen(path, "w");
    assert_non_null(before);
    fputs("old", before);
    fclose(before);
    assert_true(outfile_open(&f, path, error, sizeof error));
    fputs("new and longer", f.stream);
    assert_true(outfile_close(&f, false, error, sizeof error));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(unlink(path), 0);
}

static void what_cannot_be_made_is_told(void **state)
{
    char path[256], error[256] = "";
    struct outfile f;

    (void)state;
    in_folder("missing/file", path);
    assert_false(outfile_open(&f, path, error, sizeof error));
    assert_non_null(strstr(error, "cannot write"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_appears_whole_when_it_is_closed),
        cmocka_unit_test(a_file_not_kept_leaves_what_was_there),
        cmocka_unit_test(what_cannot_be_made_is_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
