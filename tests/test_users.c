#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sim/observe/sessions.h"
#include "sim/timeline/actor.h"
#include "sim/users/profile.h"
#include "tests/play.h"
#include "tests/routers.h"

#define SECOND INT64_C(1000000000)

/* A run whose sessions are counted, and what came to them. */
struct people {
    struct play *play;
    struct sessions sessions;
    uint64_t payload_down;
    struct addr servers[2]; /* the lowest and the highest that was spoken to */
};

static void heard(void *context, const struct session_news *n)
{
    struct people *p = context;

    sessions_heard(&p->sessions, n, FLOWS_NONE);
}

static void seen(void *context, const struct observation *o)
{
    struct people *p = context;
    const struct addr *server = &o->packet->dst;

    if (o->in_wan >= 0) {
        p->payload_down += o->fate == FATE_DELIVERED ? o->packet->payload_bytes : 0;
        return;
    }
    if (!addr_is_set(&p->servers[0]) || addr_compare(server, &p->servers[0]) < 0)
        p->servers[0] = *server;
    if (addr_compare(server, &p->servers[1]) > 0)
        p->servers[1] = *server;
}

static void run(struct people *p, const struct play_text *text)
{
    const struct observer o = {.packet = seen, .session = heard, .context = p};
    struct play_text quiet = *text;
    char error[200];

    p->play = play_create();
    quiet.quiet = true;
    play_prepare(p->play, &quiet);
    p->payload_down = 0;
    memset(p->servers, 0, sizeof p->servers);
    sessions_init(&p->sessions, p->play->scenario);
    simulation_observe(p->play->sim, &o);
    if (!simulation_run(p->play->sim, error, sizeof error))
        fail_msg("%s", error);
}

static void end(struct people *p)
{
    sessions_free(&p->sessions);
    play_destroy(p->play);
}

static uint64_t count(const struct people *p, enum session_news_kind kind)
{
    return p->sessions.by_traffic[0].news[kind];
}

#define USERS(profile, more)                                                             \
    "{'kind': 'synthetic', 'profile': '" profile                                         \
    "', 'hosts': '192.168.10.5', 'server_delay': "                                       \
    "'10ms'" more "}"
#define LINK_DOWN "[{'at': '30s', 'kind': 'link-down', 'wan': 'wan1', 'for': '60s'}]"

/* ------------------------------------------------------------------------------- nothing wrong */

static void every_profile_finishes_its_sessions_where_nothing_is_wrong(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROFILES; i++) {
        char source[300];
        struct people p;

        snprintf(source, sizeof source,
                 "{'kind': 'synthetic', 'profile': '%s', 'hosts': '192.168.10.5',"
                 " 'sessions': 3%s}",
                 profiles[i].name,
                 profiles[i].carrier == CARRIER_TALK ? ", 'length': '60s'" : "");
        run(&p, &(struct play_text){.sources = source});
        if (count(&p, SESSION_BEGUN) != 3 || count(&p, SESSION_FINISHED) != 3 ||
            count(&p, SESSION_RESET) || count(&p, SESSION_TIMED_OUT) ||
            count(&p, SESSION_OUTAGE))
            fail_msg("%s: of 3 sessions %llu finished", profiles[i].name,
                     (unsigned long long)count(&p, SESSION_FINISHED));
        end(&p);
    }
}

static void people_of_ipv6_finish_too(void **state)
{
    struct people p;

    (void)state;
    run(&p, &(struct play_text){
                .wans = "{'wan1': {'prefixes': ['2001:db8:10::/64']}, 'wan2': {}}",
                .sources = "{'kind': 'synthetic', 'profile': 'web', 'sessions': 2,"
                           " 'hosts': '2001:db8:10::5'}"});
    assert_int_equal(count(&p, SESSION_FINISHED), 2);
    end(&p);
}

/* ----------------------------------------------------------------------------------- reactions */

/* At 0 and 5 s nothing answers; asked for the third time at 10 s it does, after 10 ms there, 10 ms
 * of work, 10 ms back. */
static void a_query_is_asked_again_when_its_patience_is_over(void **state)
{
    struct people p;

    (void)state;
    run(&p,
        &(struct play_text){
            .sources = USERS("dns", ""),
            .events = "[{'at': '0s', 'kind': 'blackhole', 'wan': 'wan1', 'for': '7s'}]"});
    assert_int_equal(count(&p, SESSION_TIMED_OUT), 2);
    assert_int_equal(count(&p, SESSION_CONNECTION), 3);
    assert_int_equal(count(&p, SESSION_FINISHED), 1);
    assert_int_equal(p.sessions.by_traffic[0].outage_ns,
                     10 * SECOND + 30 * SECOND / 1000);
    assert_string_equal(p.sessions.by_traffic[0].causes[0].why, "blackholed");
    end(&p);
}

static void who_tries_in_vain_gives_up(void **state)
{
    struct people p;

    (void)state;
    run(&p, &(struct play_text){
                .sources = USERS("dns", ""),
                .events = "[{'at': '0s', 'kind': 'blackhole', 'wan': 'wan1'}]"});
    assert_int_equal(count(&p, SESSION_TIMED_OUT), 3);
    assert_int_equal(count(&p, SESSION_GIVEN_UP), 1);
    assert_int_equal(sessions_open(&p.sessions.by_traffic[0]), 0);
    end(&p);
}

/* The other end knows no such connection: it resets it, and the file is fetched anew. */
static void a_download_whose_address_changes_is_reset(void **state)
{
    struct people p;

    (void)state;
    run(&p,
        &(struct play_text){
            .sources = "{'kind': 'synthetic', 'profile': 'bulk', 'hosts': '192.168.10.5',"
                       " 'server_delay': '50ms'}",
            .events = "[{'at': '1s', 'kind': 'link-down', 'wan': 'wan1'}]"});
    assert_int_equal(count(&p, SESSION_RESET) + count(&p, SESSION_TIMED_OUT), 1);
    assert_int_equal(count(&p, SESSION_CONNECTION), 2);
    assert_int_equal(count(&p, SESSION_FINISHED), 1);
    end(&p);
}

/* The request is with the server at 0.3 s; neither its acknowledgement nor the first answer comes
 * back, so that it is sent again. A film is 30 chunks of 2 MB at the least, and what is lost and
 * sent again is not delivered twice: one chunk more would stand out. */
static void a_request_that_comes_twice_is_answered_once(void **state)
{
    static const char *const events[] = {
        NULL, "[{'at': '250ms', 'kind': 'blackhole', 'wan': 'wan1', 'for': '750ms'}]"};
    uint64_t bytes[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct people p;

        run(&p, &(struct play_text){
                    .sources = "{'kind': 'synthetic', 'profile': 'video', 'hosts':"
                               " '192.168.10.5', 'server_delay': '100ms'}",
                    .events = events[i]});
        assert_int_equal(count(&p, SESSION_FINISHED), 1);
        bytes[i] = p.payload_down;
        end(&p);
    }
    assert_true(bytes[0] >= 60000000);
    assert_in_range(bytes[1], bytes[0], bytes[0] + 100000);
}

/* RFC 9000, section 9: the server goes on with the address that the client has now. */
static void quic_goes_on_under_another_address(void **state)
{
    const struct profile *web = profile_find("web");
    struct people p;

    (void)state;
    assert_true(web->quic > 0);
    run(&p,
        &(struct play_text){
            .sources = USERS("vpn", ", 'length': '100s', 'on_address_change': 'roam'"),
            .events = LINK_DOWN});
    assert_int_equal(count(&p, SESSION_FINISHED), 1);
    assert_int_equal(count(&p, SESSION_OUTAGE), 0);
    assert_int_equal(count(&p, SESSION_CONNECTION), 1);
    end(&p);
}

/* Away at 30 s and home again at 90 s: two changes of address. */
static void a_tunnel_does_what_its_far_end_makes_of_another_address(void **state)
{
    static const struct {
        const char *rule;
        unsigned handshakes, ended, timed_out;
    } rows[] = {
        {"roam", 0, 0, 0},
        {"rehandshake", 2, 0, 0},
        {"block", 0, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char source[300];
        struct people p;

        snprintf(source, sizeof source,
                 "{'kind': 'synthetic', 'profile': 'vpn', 'hosts': '192.168.10.5',"
                 " 'length': '120s', 'on_address_change': '%s'}",
                 rows[i].rule);
        run(&p, &(struct play_text){.sources = source, .events = LINK_DOWN});
        if (count(&p, SESSION_SHOOK_HANDS) != rows[i].handshakes ||
            count(&p, SESSION_ENDED) != rows[i].ended ||
            count(&p, SESSION_TIMED_OUT) != rows[i].timed_out)
            fail_msg("%s: %llu handshakes, %llu ended", rows[i].rule,
                     (unsigned long long)count(&p, SESSION_SHOOK_HANDS),
                     (unsigned long long)count(&p, SESSION_ENDED));
        end(&p);
    }
}

/* RTP is known by its address: from 30 s on the other side hears nothing that it knows, and the
 * caller nothing from 30 s on; ten seconds later he rings again. */
static void a_call_breaks_with_its_address_and_is_made_again(void **state)
{
    struct people p;

    (void)state;
    run(&p, &(struct play_text){
                .sources = USERS("call", ", 'length': '60s'"),
                .events = "[{'at': '30s', 'kind': 'link-down', 'wan': 'wan1'}]"});
    assert_int_equal(count(&p, SESSION_TIMED_OUT), 1);
    assert_int_equal(count(&p, SESSION_CONNECTION), 2);
    assert_int_equal(count(&p, SESSION_FINISHED), 1);
    end(&p);
}

/* ------------------------------------------------------------------------------------- demands */

static void a_bank_ends_a_session_that_comes_from_two_addresses(void **state)
{
    struct people p;

    (void)state;
    run(&p, &(struct play_text){.sources = USERS("bank", ""), .events = LINK_DOWN});
    assert_int_equal(count(&p, SESSION_ENDED), 1);
    assert_string_equal(p.sessions.by_traffic[0].causes[0].why, "two-addresses");
    end(&p);
}

/* src-nat remembers no interface: after the failover packets leave wan2 with wan1's address, and its
 * provider drops them (BCP 38). */
static void a_provider_drops_what_has_another_ones_address(void **state)
{
    struct people p;
    bool found = false;

    (void)state;
    run(&p,
        &(struct play_text){
            .nat = "[{'chain': 'srcnat', 'action': 'src-nat', 'out_interface': 'wan1',"
                   " 'to_addresses': '100.64.1.2'},"
                   "{'chain': 'srcnat', 'action': 'src-nat', 'out_interface': 'wan2',"
                   " 'to_addresses': '100.64.2.2'}]",
            .sources = USERS("vpn", ", 'length': '120s', 'on_address_change': 'roam'"),
            .events = "[{'at': '30s', 'kind': 'link-down', 'wan': 'wan1'}]"});
    for (unsigned i = 0; i < p.sessions.by_traffic[0].causes_len; i++)
        found |= strcmp(p.sessions.by_traffic[0].causes[i].why, "foreign-source") == 0;
    assert_true(found);
    assert_true(count(&p, SESSION_TIMED_OUT) >= 1);
    end(&p);
}

/* A prefix that both providers deliver: the tunnel keeps its address, goes out by wan2, and is
 * answered there. */
static void a_prefix_of_both_providers_goes_on_by_the_other(void **state)
{
    struct people p;

    (void)state;
    run(&p,
        &(struct play_text){.nat = "[]",
                            .wans = "{'wan1': {'prefixes': ['192.168.10.0/24']},"
                                    " 'wan2': {'prefixes': ['192.168.10.0/24']}}",
                            .sources = USERS("vpn", ", 'length': '120s'"),
                            .events = LINK_DOWN});
    assert_int_equal(count(&p, SESSION_FINISHED), 1);
    assert_int_equal(count(&p, SESSION_CONNECTION), 1);
    assert_int_equal(count(&p, SESSION_OUTAGE), 0);
    assert_int_equal(p.sessions.by_traffic[0].causes_len, 0);
    end(&p);
}

/* --------------------------------------------------------------------------------------- crowds */

static void more_sessions_at_once_than_may_be_end_the_run(void **state)
{
    static const struct {
        uint64_t begun, finished;
        bool runs;
    } rows[] = {
        {SIMULATION_SESSIONS_MAX, 0, true},
        {SIMULATION_SESSIONS_MAX + 1, 0, false},
        {SIMULATION_SESSIONS_MAX + 1, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char error[200] = "";

        play_prepare(p, &(struct play_text){.quiet = true});
        for (uint64_t n = 1; n <= rows[i].begun; n++) {
            if (n > SIMULATION_SESSIONS_MAX && rows[i].finished)
                simulation_tell_session(
                    p->sim, &(struct session_news){.kind = SESSION_FINISHED});
            simulation_tell_session(p->sim,
                                    &(struct session_news){.kind = SESSION_BEGUN});
        }
        if (simulation_run(p->sim, error, sizeof error) != rows[i].runs)
            fail_msg("%llu begun, %llu over: %s", (unsigned long long)rows[i].begun,
                     (unsigned long long)rows[i].finished, error);
        if (!rows[i].runs)
            assert_string_equal(error, "more than 131072 sessions of users at once");
        play_destroy(p);
    }
}

/* -------------------------------------------------------------------------------------- chance */

/* Of 1, 256 and 2 addresses: of a thousand questions about four go to the first. */
static void small_ranges_of_servers_are_spoken_to_as_well(void **state)
{
    struct people p;

    (void)state;
    run(&p, &(struct play_text){
                .sources = USERS("dns", ", 'sessions_per_hour': 3600, 'sessions': 1000,"
                                        " 'servers': ['192.0.2.1',"
                                        " '198.51.100.0/24', '203.0.113.1-203.0.113.2']")});
    assert_int_equal(p.servers[0].bytes[0], 192);
    assert_int_equal(p.servers[1].bytes[0], 203);
    end(&p);
}

static void other_people_change_nothing_for_these(void **state)
{
    static const char *const others[] = {
        "", ", " USERS("dns", ", 'sessions_per_hour': 5000")};
    uint64_t connections[2], packets[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        char sources[600];
        struct people p;

        snprintf(sources, sizeof sources,
                 "{'kind': 'synthetic', 'profile': 'web', 'hosts': '192.168.10.9',"
                 " 'sessions_per_hour': 100}%s",
                 others[i]);
        run(&p, &(struct play_text){.sources = sources, .more = ", 'duration': '300s'"});
        connections[i] = count(&p, SESSION_CONNECTION);
        packets[i] = simulation_packets(p.play->sim);
        end(&p);
    }
    assert_true(connections[0] > 10);
    assert_int_equal(connections[0], connections[1]);
    assert_true(packets[1] > packets[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_finishes_its_sessions_where_nothing_is_wrong),
        cmocka_unit_test(people_of_ipv6_finish_too),
        cmocka_unit_test(a_query_is_asked_again_when_its_patience_is_over),
        cmocka_unit_test(who_tries_in_vain_gives_up),
        cmocka_unit_test(a_download_whose_address_changes_is_reset),
        cmocka_unit_test(a_request_that_comes_twice_is_answered_once),
        cmocka_unit_test(quic_goes_on_under_another_address),
        cmocka_unit_test(a_tunnel_does_what_its_far_end_makes_of_another_address),
        cmocka_unit_test(a_call_breaks_with_its_address_and_is_made_again),
        cmocka_unit_test(a_bank_ends_a_session_that_comes_from_two_addresses),
        cmocka_unit_test(a_provider_drops_what_has_another_ones_address),
        cmocka_unit_test(a_prefix_of_both_providers_goes_on_by_the_other),
        cmocka_unit_test(more_sessions_at_once_than_may_be_end_the_run),
        cmocka_unit_test(small_ranges_of_servers_are_spoken_to_as_well),
        cmocka_unit_test(other_people_change_nothing_for_these),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
