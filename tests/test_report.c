#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/report/report.h"

enum { PATH_SIZE = 256 };

static const struct report_options plain = {.colour = false};

/* A folder of the test's own, and the path of a file in it. */
struct place {
    char folder[PATH_SIZE / 4], path[PATH_SIZE], error[PATH_SIZE];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place)
        return -1;
    snprintf(place->folder, sizeof place->folder, "/tmp/ecmplab-test-XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/report", place->folder);
    *state = place;
    return 0;
}

/* Also tells whether a temporary file stayed. */
static int remove_place(void **state)
{
    struct place *place = *state;
    int failed;

    unlink(place->path);
    failed = rmdir(place->folder);
    free(place);
    return failed;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static const char *read_text(const char *path)
{
    static char text[65536];
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static bool write_json(const char *json, const char *format, struct place *place)
{
    json_t *result = json_loads(json, JSON_DECODE_ANY, NULL);
    char spec[PATH_SIZE + 16];

    assert_non_null(result);
    snprintf(spec, sizeof spec, "%s:%s", format, place->path);
    bool ok = report_write(result, spec, &plain, place->error, sizeof place->error);
    json_decref(result);
    return ok;
}

static void a_spec_names_a_format_and_a_path(void **state)
{
    static const struct {
        const char *spec, *format, *path, *error;
    } rows[] = {
        {"text:-", "text", "-", NULL},
        {"json:a:b.json", "json", "a:b.json", NULL},
        {"plots:out", "plots", "out", NULL},
        {"json", NULL, NULL,
         "report 'json' lacks its path; expected FORMAT:PATH, as in json:-"},
        {"json:", NULL, NULL,
         "report 'json:' lacks its path; expected FORMAT:PATH, as in json:-"},
        {"jsno:x", NULL, NULL, "unknown report format 'jsno'; did you mean 'json'?"},
        {"plots:-", NULL, NULL, "report 'plots:-': plots are a folder, not stdout"},
    };
    char error[PATH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *path = NULL;
        const struct report_format *f =
            report_parse(rows[i].spec, &path, error, sizeof error);

        if ((f != NULL) != (rows[i].format != NULL))
            fail_msg("%s: %s", rows[i].spec, f ? "accepted" : error);
        if (!f && strcmp(error, rows[i].error) != 0)
            fail_msg("%s: '%s'", rows[i].spec, error);
        if (f &&
            (strcmp(f->name, rows[i].format) != 0 || strcmp(path, rows[i].path) != 0))
            fail_msg("%s: %s to %s", rows[i].spec, f->name, path);
    }
}

static void an_unknown_format_is_told_all_that_there_are(void **state)
{
    char error[1000], name[200];
    const char *path;

    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_null(report_parse(name, &path, error, sizeof error));
    assert_non_null(strstr(error, "expected one of"));
    for (const struct report_format *f = report_formats; f->name; f++)
        assert_non_null(strstr(error, f->name));
    assert_null(report_parse(name, &path, error, 20));
    assert_int_equal(strlen(error), 19);
}

/* The shortest decimal that reads back; 1/3 and 5e-324 by IEEE 754. */
static void json_keeps_order_and_every_bit(void **state)
{
    static const char json[] =
        "{\"z\":1,\"a\":[0.1,1.0,1e300,5e-324,0.33333333333333331],"
        "\"big\":9007199254740993,\"s\":\"\\u0001\\u001b\\\"\\\\\\u00e9\","
        "\"e\":{},\"n\":null,\"t\":[true,[],{\"k\":false}]}";
    static const char expected[] = "{\n"
                                   "  \"z\": 1,\n"
                                   "  \"a\": [0.1, 1.0, 1e+300, 4.94065645841247e-324, "
                                   "0.3333333333333333],\n"
                                   "  \"big\": 9007199254740993,\n"
                                   "  \"s\": \"\\u0001\\u001b\\\"\\\\\xc3\xa9\",\n"
                                   "  \"e\": {},\n"
                                   "  \"n\": null,\n"
                                   "  \"t\": [\n"
                                   "    true,\n"
                                   "    [],\n"
                                   "    {\n"
                                   "      \"k\": false\n"
                                   "    }\n"
                                   "  ]\n"
                                   "}\n";
    struct place *place = *state;

    assert_true(write_json(json, "json", place));
    assert_string_equal(read_text(place->path), expected);

    json_t *before = json_loads(json, 0, NULL),
           *after = json_load_file(place->path, 0, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void json_of_a_whole_result_reads_back_equal(void **state)
{
    struct place *place = *state;
    json_t *before = json_load_file("tests/golden/result-failover.json", 0, NULL), *after;
    char spec[PATH_SIZE + 16];

    assert_non_null(before);
    snprintf(spec, sizeof spec, "json:%s", place->path);
    assert_true(report_write(before, spec, &plain, place->error, sizeof place->error));
    after = json_load_file(place->path, 0, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void a_report_replaces_what_was_there_and_keeps_its_mode(void **state)
{
    struct place *place = *state;
    struct stat st;

    write_text(place->path, "old and longer than what replaces it");
    assert_int_equal(chmod(place->path, 0640), 0);
    assert_true(write_json("[]", "json", place));
    assert_string_equal(read_text(place->path), "[]\n");
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_symbolic_link_stays_and_its_file_is_replaced(void **state)
{
    struct place *place = *state;
    char link[PATH_SIZE], target[PATH_SIZE];
    struct stat st;

    snprintf(target, sizeof target, "%s/target", place->folder);
    snprintf(link, sizeof link, "%s", place->path);
    write_text(target, "old");
    assert_int_equal(symlink("target", link), 0);
    assert_true(write_json("[]", "json", place));
    assert_string_equal(read_text(target), "[]\n");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(unlink(target), 0);
}

/* A limit on files' sizes stands for a full disk; remove_place() finds what is left. */
static void what_cannot_be_written_whole_leaves_the_old_one(void **state)
{
    struct place *place = *state;
    struct rlimit before, none;

    write_text(place->path, "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    bool ok =
        write_json("[\"................................................................."
                   "................................................................\"]",
                   "json", place);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(ok);
    assert_non_null(strstr(place->error, "File too large"));
    assert_string_equal(read_text(place->path), "old");
}

static void a_path_that_cannot_be_is_named_with_its_reason(void **state)
{
    static const struct {
        const char *spec, *error;
    } rows[] = {
        {"json:/nonexistent/x", "cannot write /nonexistent/x: No such file or directory"},
        {"json:/tmp", "cannot write /tmp: Is a directory"},
        {"json:/dev/full", "cannot write /dev/full: No space left on device"},
        {"text:/dev/full", "cannot write /dev/full: No space left on device"},
    };
    json_t *result = json_object();
    char error[PATH_SIZE];
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (report_write(result, rows[i].spec, &plain, error, sizeof error))
            fail_msg("%s: written", rows[i].spec);
        if (strcmp(error, rows[i].error) != 0)
            fail_msg("%s: '%s'", rows[i].spec, error);
    }
    json_decref(result);
    assert_int_equal(stat("/dev/full", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

/* Let stdout be `fd` while the report is written. */
static bool write_to_stdout(int fd, const struct report_options *o, struct place *place)
{
    json_t *result = json_object();
    int stdout_before;

    fflush(stdout);
    stdout_before = dup(STDOUT_FILENO);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    bool ok = report_write(result, "text:-", o, place->error, sizeof place->error);
    dup2(stdout_before, STDOUT_FILENO);
    close(stdout_before);
    json_decref(result);
    return ok;
}

static void a_reader_that_went_away_is_an_error(void **state)
{
    struct place *place = *state;
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_false(write_to_stdout(ends[1], &plain, place));
    close(ends[1]);
    assert_string_equal(place->error, "cannot write stdout: Broken pipe");
}

static void colour_is_for_stdout_and_not_for_files(void **state)
{
    const struct report_options coloured = {.colour = true};
    struct place *place = *state;
    json_t *result = json_object();
    char spec[PATH_SIZE + 16];
    int fd;

    snprintf(spec, sizeof spec, "text:%s", place->path);
    assert_true(report_write(result, spec, &coloured, place->error, sizeof place->error));
    assert_null(strchr(read_text(place->path), '\033'));
    json_decref(result);

    fd = open(place->path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_true(write_to_stdout(fd, &coloured, place));
    close(fd);
    assert_non_null(strchr(read_text(place->path), '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_names_a_format_and_a_path),
        cmocka_unit_test(an_unknown_format_is_told_all_that_there_are),
        cmocka_unit_test_setup_teardown(json_keeps_order_and_every_bit, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(json_of_a_whole_result_reads_back_equal,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            a_report_replaces_what_was_there_and_keeps_its_mode, make_place,
            remove_place),
        cmocka_unit_test_setup_teardown(a_symbolic_link_stays_and_its_file_is_replaced,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_whole_leaves_the_old_one,
                                        make_place, remove_place),
        cmocka_unit_test(a_path_that_cannot_be_is_named_with_its_reason),
        cmocka_unit_test_setup_teardown(a_reader_that_went_away_is_an_error, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(colour_is_for_stdout_and_not_for_files,
                                        make_place, remove_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
