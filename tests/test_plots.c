/* That pictures look well is for people to judge; here they come whole, from the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/report/report.h"

enum { PATH_SIZE = 512, ERROR_SIZE = 512 };

static const char result_file[] = "tests/golden/result-failover.json";

/* A folder that is not there yet, in one of the test's own. */
struct place {
    char parent[PATH_SIZE / 4], folder[PATH_SIZE / 2], error[ERROR_SIZE];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place)
        return -1;
    snprintf(place->parent, sizeof place->parent, "/tmp/ecmplab-test-XXXXXX");
    if (!mkdtemp(place->parent))
        return -1;
    snprintf(place->folder, sizeof place->folder, "%s/plots", place->parent);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    DIR *folder = opendir(place->folder);
    const struct dirent *entry;
    int failed;

    while (folder && (entry = readdir(folder))) {
        char path[PATH_SIZE];

        snprintf(path, sizeof path, "%s/%.200s", place->folder, entry->d_name);
        unlink(path); /* not of a folder: that then fails the rmdir below */
    }
    if (folder)
        closedir(folder);
    failed = folder && rmdir(place->folder) != 0;
    failed = rmdir(place->parent) != 0 || failed;
    free(place);
    return failed;
}

static bool has_gnuplot(void)
{
    return system("command -v gnuplot >/dev/null 2>&1") == 0;
}

static json_t *load(void)
{
    json_t *result = json_load_file(result_file, 0, NULL);

    assert_non_null(result);
    return result;
}

/* The text of a file of the folder; NULL: it is not there. */
static const char *read_file(const struct place *place, const char *name)
{
    static char text[1 << 20];
    char path[PATH_SIZE];
    FILE *in;

    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    in = fopen(path, "r");
    if (!in)
        return NULL;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static void draw(struct place *place, const json_t *result)
{
    if (!report_draw_plots(result, place->folder, place->error, sizeof place->error))
        fail_msg("%s", place->error);
}

static void a_result_becomes_pictures_scripts_and_tables(void **state)
{
    static const char *const pictures[] = {"throughput", "shares", "addresses", "moves"};
    struct place *place = *state;
    json_t *result = load();

    if (!has_gnuplot())
        skip();
    draw(place, result);
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        char name[64];

        snprintf(name, sizeof name, "%s.svg", pictures[i]);
        const char *svg = read_file(place, name);
        if (!svg || !strstr(svg, "</svg>"))
            fail_msg("%s is not whole", name);
        snprintf(name, sizeof name, "%s.gp", pictures[i]);
        assert_non_null(read_file(place, name));
    }
    assert_non_null(strstr(read_file(place, "addresses.svg"), "work-laptop *"));
    assert_non_null(strstr(read_file(place, "throughput.svg"), "wan2-outage"));
    assert_non_null(
        strstr(read_file(place, "moves.svg"), "collateral: its path was well"));
    json_decref(result);
}

/* 10 s a point: 300000 bytes are 240000 bit/s. What never ended ends with the run. */
static void tables_hold_the_figures_of_the_result(void **state)
{
    static const struct {
        const char *file, *line;
    } rows[] = {
        {"wans.tsv", "wan\tname\n0\twan1\n1\twan2\n2\twan3\n"},
        {"throughput.tsv",
         "\n0\t240000\t2400000\t0\t200000\t2000000\t0\t160000\t1600000\t0\n10\t"},
        {"throughput.tsv", "\n120\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"},
        {"shares.tsv", "\n1\twan2\t0.168\t0.17\t0.1667\t0.16\n"},
        {"failures.tsv",
         "\n30\t31.2\t90\t1\twan2-outage\n105\t120\t120\t2\tgateway-down\n"},
        {"lanes.tsv", "\n0\t1\twork-laptop\n1\t1\tnas\n2\t0\ttv\n"},
        {"addresses.tsv",
         "\n0\t31.4\t100.1\t2\t100.64.3.2\n0\t100.1\t120\t1\t100.64.2.2\n"},
        {"addresses.tsv", "\n2\t91.5\t120\t-1\t25 more\n"},
        {"moves.tsv", "\n0\twan2-outage\t31\t16\t27\t0\t0\t98\n"},
    };
    struct place *place = *state;
    json_t *result = load();

    if (!has_gnuplot())
        skip();
    draw(place, result);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = read_file(place, rows[i].file);

        if (!text || !strstr(text, rows[i].line))
            fail_msg("%s: expected '%s' in '%s'", rows[i].file, rows[i].line, text);
    }
    json_decref(result);
}

static void a_host_with_both_families_has_a_lane_for_each(void **state)
{
    struct place *place = *state;
    json_t *result = json_loads(
        "{\"run\":{\"simulated_seconds\":9.0},\"paths\":{\"a\":{}},\"hosts\":{\"h\":"
        "{\"timeline\":[{\"at\":1.0,\"address\":\"192.0.2.1\",\"wan\":\"a\"},"
        "{\"at\":2.0,\"address\":\"2001:db8::1\",\"wan\":\"a\"},"
        "{\"at\":4.0,\"address\":\"192.0.2.2\",\"wan\":\"?\"}]}}}",
        0, NULL);

    if (!has_gnuplot())
        skip();
    draw(place, result);
    assert_string_equal(read_file(place, "lanes.tsv"),
                        "lane\tsensitive\tname\n0\t0\th IPv4\n1\t0\th IPv6\n");
    assert_string_equal(read_file(place, "addresses.tsv"),
                        "lane\tfrom\tto\twan\taddress\n0\t1\t4\t0\t192.0.2.1\n"
                        "0\t4\t9\t-1\t192.0.2.2\n1\t2\t9\t0\t2001:db8::1\n");
    json_decref(result);
}

static void without_data_a_picture_is_not_drawn_and_an_old_one_goes(void **state)
{
    struct place *place = *state;
    json_t *result = load();

    if (!has_gnuplot())
        skip();
    draw(place, result);
    assert_non_null(read_file(place, "moves.svg"));
    json_object_del(result, "events");
    json_object_del(result, "series");
    draw(place, result);
    assert_null(read_file(place, "moves.svg"));
    assert_null(read_file(place, "moves.tsv"));
    assert_null(read_file(place, "throughput.gp"));
    assert_non_null(read_file(place, "shares.svg"));
    json_object_clear(result);
    draw(place, result);
    assert_null(read_file(place, "shares.svg"));
    json_decref(result);
}

/* As the name of a WAN, a host and an event: none is code or markup to anyone. */
static void names_reach_pictures_as_text(void **state)
{
    static const char *const names[] = {
        "",
        " ",
        "#",
        "\"",
        "a\"b\"c",
        "\\n",
        "\t\n",
        "`touch ecmplab-was-here`",
        "$(touch ecmplab-was-here)",
        "<script>&amp;",
        "{/Symbol=30 a}_b^c@d~e",
        "%s%n%d",
        "-1",
        "NaN",
        "\xe6\x97\xa5\xe6\x9c\xac",
        "'); system('touch ecmplab-was-here') #",
        "a very long name, much longer than any name should be, and yet longer than that",
    };
    struct place *place = *state;

    if (!has_gnuplot())
        skip();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *result = load(), *paths = json_object_get(result, "paths");
        json_t *hosts = json_object_get(result, "hosts");
        json_t *event = json_array_get(json_object_get(result, "events"), 0);

        json_object_set(paths, names[i], json_object_get(paths, "wan2"));
        json_object_set(hosts, names[i], json_object_get(hosts, "tv"));
        json_object_set_new(event, "name", json_string(names[i]));
        draw(place, result);
        assert_null(read_file(place, "ecmplab-was-here"));
        assert_int_equal(access("ecmplab-was-here", F_OK), -1);
        assert_null(strstr(read_file(place, "addresses.svg"), "<script>"));
        json_decref(result);
    }
}

static void figures_without_sense_are_drawn_too(void **state)
{
    static const char *const pointers[] = {"run", "paths", "hosts", "events", "series"};
    static const char *const odd[] = {
        "{\"simulated_seconds\":0}",
        "{\"a\":{\"flows_share\":1e308,\"bytes_share\":-1e308}}",
        "{\"a\":{\"timeline\":[{\"at\":1e308},{\"at\":-5,\"address\":7},null,[]]}}",
        "[{\"kind\":\"blackhole\",\"at\":1e308,\"forced\":-3},null,{\"forced\":1e308}]",
        "{\"interval_seconds\":1e-300,\"paths\":{\"wan1\":{\"bytes_down\":[1e308,-1,"
        "\"a\"]}}}",
    };
    struct place *place = *state;

    if (!has_gnuplot())
        skip();
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        json_t *result = load();

        json_object_set_new(result, pointers[i], json_loads(odd[i], 0, NULL));
        draw(place, result);
        json_decref(result);
    }
}

/* remove_place() finds whether a folder or a file was left. */
static void without_gnuplot_nothing_is_left_and_the_reason_told(void **state)
{
    struct place *place = *state;
    char *path = strdup(getenv("PATH"));
    json_t *result = load();

    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_false(
        report_draw_plots(result, place->folder, place->error, sizeof place->error));
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_non_null(strstr(place->error, "gnuplot is not installed, or not in PATH"));
    assert_int_equal(access(place->folder, F_OK), -1);
    free(path);
    json_decref(result);
}

static void a_folder_that_cannot_be_is_named_with_its_reason(void **state)
{
    json_t *result = json_object();
    char error[ERROR_SIZE];

    (void)state;
    assert_false(report_draw_plots(result, "/nonexistent/x", error, sizeof error));
    assert_string_equal(error, "cannot make /nonexistent/x: No such file or directory");
    assert_false(report_draw_plots(result, "/dev/null", error, sizeof error));
    assert_string_equal(error, "cannot open /dev/null: Not a directory");
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_result_becomes_pictures_scripts_and_tables,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(tables_hold_the_figures_of_the_result, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_host_with_both_families_has_a_lane_for_each,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            without_data_a_picture_is_not_drawn_and_an_old_one_goes, make_place,
            remove_place),
        cmocka_unit_test_setup_teardown(names_reach_pictures_as_text, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(figures_without_sense_are_drawn_too, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(
            without_gnuplot_nothing_is_left_and_the_reason_told, make_place,
            remove_place),
        cmocka_unit_test(a_folder_that_cannot_be_is_named_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
