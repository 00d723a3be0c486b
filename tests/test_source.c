#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/timeline/source.h"
#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

static void every_kind_of_traffic_has_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < TRAFFIC_KINDS; i++) {
        const struct source_kind *k = &source_kinds[i];

        assert_true(k->name && k->about);
        if (traffic_kind_names[i])
            assert_string_equal(k->name, traffic_kind_names[i]);
        if (!k->actor)
            assert_true(k->open && k->read && k->error && k->steps_back && k->close);
    }
}

static void a_source_that_is_not_there_says_so(void **state)
{
    const struct scenario_traffic t = {.file = "tests/no-such.pcap", .speed = 1};
    char error[256] = "";

    (void)state;
    assert_null(source_kinds[TRAFFIC_PCAP].open(&t, error, sizeof error));
    assert_non_null(strstr(error, "tests/no-such.pcap"));
}

/* 300 packets, 10 ms apart, in batches; one in the middle goes back and is told. */
static void a_capture_is_read_in_batches_to_its_end(void **state)
{
    enum { PACKETS = 300 };
    const struct source_kind *k = &source_kinds[TRAFFIC_PCAP];
    struct play *p = play_create();
    struct captured *batch = mem_alloc(SOURCE_BATCH, sizeof *batch);
    struct scenario_traffic t = {.speed = 1, .start_ns = SECONDS(2)};
    char error[256] = "", path[PLAY_PATH_MAX + 16];
    unsigned count = 0;
    int64_t last_ns = 0;
    void *source;
    int n;

    (void)state;
    for (int i = 0; i < PACKETS; i++)
        play_packet(p, i == 150 ? 1 : .01 * i, "udp 192.168.10.5:1 > 198.51.100.1:9");
    snprintf(path, sizeof path, "%s/0.pcap", p->folder);
    pcapfile_save(path, p->captures[0]->data, p->captures[0]->size);
    t.file = path;
    source = k->open(&t, error, sizeof error);
    assert_non_null(source);
    while ((n = k->read(source, batch, SOURCE_BATCH)) > 0)
        for (int i = 0; i < n; i++, count++) {
            const double at = 2 + .01 * (count == 150 ? 149 : count);

            assert_true(batch[i].time_ns >= last_ns);
            assert_int_equal(batch[i].time_ns, SECONDS(at + 1e-10));
            last_ns = batch[i].time_ns;
        }
    assert_int_equal(n, 0);
    assert_int_equal(count, PACKETS);
    assert_int_equal(k->steps_back(source), 1);
    assert_int_equal(k->read(source, batch, SOURCE_BATCH), 0);
    k->close(source);
    mem_free(batch);
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_traffic_has_its_row),
        cmocka_unit_test(a_source_that_is_not_there_says_so),
        cmocka_unit_test(a_capture_is_read_in_batches_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
