#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Behind masquerade a flow that changes its WAN is broken: how many are, when one WAN of three
 * fails and when it returns. Source: RFC 2991 and RFC 2992's disruption, for flows pinned by
 * connection 1/N and 0; arithmetic.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/picks.h"
#include "tests/routers.h"

enum { FLOWS = 6000 };

struct flows {
    struct lab *lab;
    unsigned first; /* its number: flows differ by it */
    unsigned *out;  /* the interface of each */
    double at_s;
};

static struct lab *three_wans(const char *policy)
{
    char text[700];

    snprintf(
        text, sizeof text,
        "platform routeros7\nseed 5\npolicy %s\nhash l4 3\n"
        "iface lan 192.168.9.1/24\n"
        "iface wan1 100.64.1.2/24\niface wan2 100.64.2.2/24\niface wan3 100.64.3.2/24\n"
        "route 10.0.0.0/8 via 192.168.9.2\n"
        "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1 100.64.3.1\n"
        "nat masquerade out wan1\nnat masquerade out wan2\nnat masquerade out wan3\n",
        policy);
    return lab_create(text);
}

/* A packet of each flow: how many left by another WAN than before, or were turned away there. */
static unsigned send_all(struct flows *f)
{
    unsigned moved = 0;

    for (unsigned i = 0; i < FLOWS; i++) {
        const unsigned n = f->first + i;
        char text[100];

        snprintf(text, sizeof text, "udp 10.%u.%u.9:%u > 203.0.113.%u:443", n / 250 % 250,
                 n % 250, 1024 + n, 1 + n % 200);
        lab_send(f->lab, "lan", text, f->at_s += 0.0001);
        if (f->lab->last.out_iface == NEXTHOP_NONE)
            fail_msg("flow %u: %s", n, f->lab->said);
        moved += f->out[i] && f->out[i] != f->lab->last.out_iface;
        f->out[i] = f->lab->last.out_iface;
    }
    return moved;
}

struct row {
    const char *policy;
    double lost[3], returned[3]; /* the part that breaks, by which WAN it was */
    double within;               /* besides chance */
};

static void expect_part(const struct row *row, unsigned wan, const char *when,
                        unsigned moved, double part)
{
    const double sd = sqrt(part * (1 - part) / FLOWS);

    if (fabs(moved / (double)FLOWS - part) > 4 * sd + row->within)
        fail_msg("%s, wan%u %s: %.4f broken, not %.4f", row->policy, wan + 1, when,
                 moved / (double)FLOWS, part);
}

static void check_row(const struct row *row, unsigned wan)
{
    const char *const name = (const char *const[]){"wan1", "wan2", "wan3"}[wan];
    struct flows before = {.lab = three_wans(row->policy)};
    struct flows meanwhile = {.lab = before.lab, .first = FLOWS};

    before.out = calloc(FLOWS, sizeof *before.out);
    meanwhile.out = calloc(FLOWS, sizeof *meanwhile.out);
    send_all(&before);
    before.at_s = 1;
    if (send_all(&before))
        fail_msg("%s: flows moved though nothing had changed", row->policy);
    lab_set_carrier(before.lab, name, false);
    before.at_s = 2;
    expect_part(row, wan, "fails", send_all(&before), row->lost[wan]);
    meanwhile.at_s = 3;
    send_all(&meanwhile);
    lab_set_carrier(before.lab, name, true);
    meanwhile.at_s = 4;
    expect_part(row, wan, "returns", send_all(&meanwhile), row->returned[wan]);
    free(before.out);
    free(meanwhile.out);
    lab_destroy(before.lab);
}

#define HALF  1.0 / 2
#define THIRD 1.0 / 3

static void what_a_failure_breaks_behind_masquerade_and_what_its_end_does(void **state)
{
    static const struct row rows[] = {
        {"hash-threshold", {HALF, THIRD, HALF}, {HALF, THIRD, HALF}, 0},
        {"modulo-n",
         {2 * THIRD, 2 * THIRD, 2 * THIRD},
         {2 * THIRD, 2 * THIRD, 2 * THIRD},
         0},
        {"highest-random-weight", {THIRD, THIRD, THIRD}, {THIRD, THIRD, THIRD}, 0},
        {"maglev", {.3337, .3337, .3337}, {.3337, .3337, .3337}, .0024},
        {"random-flow", {THIRD, THIRD, THIRD}, {0, 0, 0}, 0},
        {"least-loaded", {THIRD, THIRD, THIRD}, {0, 0, 0}, 0},
        {"connection-mark", {THIRD, THIRD, THIRD}, {0, 0, 0}, 0},
        /* The dead WAN's remainders stay its own: what they mark goes home with it. */
        {"pcc", {THIRD, THIRD, THIRD}, {THIRD, THIRD, THIRD}, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned wan = 0; wan < 3; wan++)
            check_row(&rows[i], wan);
}

/* The other WAN is all there is: what begins on it is pinned there too. */
static void what_began_on_the_last_wan_stays_when_others_return(void **state)
{
    static const struct {
        const char *policy;
        double moved;
    } rows[] = {{"random-flow", 0},
                {"least-loaded", 0},
                {"connection-mark", 0},
                {"pcc", 2.0 / 3}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct flows f = {.lab = three_wans(rows[i].policy)};
        unsigned moved;

        f.out = calloc(FLOWS, sizeof *f.out);
        lab_set_carrier(f.lab, "wan2", false);
        lab_set_carrier(f.lab, "wan3", false);
        send_all(&f);
        lab_set_carrier(f.lab, "wan2", true);
        lab_set_carrier(f.lab, "wan3", true);
        f.at_s = 1;
        moved = send_all(&f);
        if (rows[i].moved > 0 ? fabs(picks_z(moved, FLOWS, rows[i].moved)) > 4
                              : moved > 0)
            fail_msg("%s: %u of %d flows moved", rows[i].policy, moved, FLOWS);
        free(f.out);
        lab_destroy(f.lab);
    }
}

/* Answers leave by another group, that of the route to the LAN's own router. */
static void answers_leave_the_pin_of_the_way_out_alone(void **state)
{
    static const char *const policies_that_pin[] = {"random-flow", "least-loaded",
                                                    "connection-mark", "pcc"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(policies_that_pin); i++) {
        struct lab *l = three_wans(policies_that_pin[i]);

        for (unsigned port = 2000; port < 2100; port++) {
            char text[100];
            unsigned out;
            struct packet p, answer;

            snprintf(text, sizeof text, "udp 10.0.0.9:%u > 203.0.113.1:443", port);
            p = packet(text);
            lab_send_packet(l, "lan", &p, 1);
            out = l->last.out_iface;
            answer = answer_to(&p);
            answer.dst = l->last.nat_src;
            answer.dport = l->last.nat_sport;
            lab_send_packet(l, l->ifaces[out].name, &answer, 1);
            assert_int_equal(l->last.direction, 1);
            lab_send_packet(l, "lan", &p, 1);
            if (l->last.out_iface != out)
                fail_msg("%s: %s", policies_that_pin[i], l->said);
        }
        lab_destroy(l);
    }
}

/* Of 40 pairs each with its WAN, those that have another one now. */
static unsigned pairs_moved(struct lab *l, unsigned *out)
{
    unsigned moved = 0;

    for (unsigned i = 0; i < 40; i++) {
        char text[100];

        snprintf(text, sizeof text, "icmp 10.0.0.%u > 203.0.113.1", i);
        lab_send(l, "lan", text, 1);
        moved += out[i] && out[i] != l->last.out_iface;
        out[i] = l->last.out_iface;
    }
    return moved;
}

static void the_route_cache_is_emptied_by_any_change(void **state)
{
    struct lab *l = three_wans("per-pair");
    unsigned out[40] = {0};

    (void)state;
    pairs_moved(l, out);
    assert_int_equal(pairs_moved(l, out), 0);
    router_renew(l->router); /* an observer's wish is none */
    assert_int_equal(pairs_moved(l, out), 0);
    router_set_route_disabled(l->router, 0, false); /* the route to the LAN, as it was */
    assert_true(pairs_moved(l, out) > 10);
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_failure_breaks_behind_masquerade_and_what_its_end_does),
        cmocka_unit_test(what_began_on_the_last_wan_stays_when_others_return),
        cmocka_unit_test(the_route_cache_is_emptied_by_any_change),
        cmocka_unit_test(answers_leave_the_pin_of_the_way_out_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
