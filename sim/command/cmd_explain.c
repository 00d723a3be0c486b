/* One flow, told step by step by the code that decides it. */
#include <stdio.h>
#include <string.h>

#include "sim/command/command.h"
#include "sim/command/explain_steps.h"
#include "sim/input/flow.h"
#include "sim/input/units.h"
#include "sim/timeline/simulation.h"

const char usage_explain[] =
    "usage: ecmplab explain [OPTION]... SCENARIO FLOW\n"
    "\n"
    "Tells one flow's way through the router: the rules tried, the routes matched, kept "
    "or\n"
    "suppressed, and why; the hash, the next-hop group with its regions, the member; "
    "the\n"
    "translation of its source. The steps come from the same code that 'run' uses.\n"
    "\n"
    "FLOW is written as people write it (quote it, for the shell's sake):\n"
    "    'tcp 192.168.10.5:50000 > 45.57.94.1:443'\n"
    "    'udp [2001:db8:10::5]:5000 > [2001:db8::53]:53'\n"
    "    'icmp 192.168.10.5 > 8.8.8.8'\n"
    "\n"
    "    --in IFACE     comes in by this interface; 'router' for what the router itself "
    "sends\n"
    "                   (default: the LAN interface on whose network the source is)\n"
    "    --at TIME      after this time of the scenario's events, such as 45s (default "
    "0s)\n"
    "    --mark MARK    with this routing mark (RouterOS) or fwmark (Linux)\n"
    "    --tos N        with this TOS or traffic class byte\n"
    "    --flow-label N with this IPv6 flow label\n"
    "    --seed N, --set POINTER=VALUE   change the scenario, as for 'run'\n"
    "\n"
    "exit codes: 0 it is forwarded, or is for the router itself; 1 it is not; 2 bad "
    "usage or\n"
    "scenario; 3 the scenario could not be read\n";

enum { FROM_ROUTER = -2 }; /* --in router */

struct explain_options {
    const char *scenario, *flow, *in, *mark;
    int64_t at_ns;
    unsigned long long tos, flow_label;
};

static int explain_in(const struct scenario *s, struct simulation *sim,
                      const struct explain_options *o, struct flow *f)
{
    if (o->in && strcmp(o->in, "router") == 0)
        return FROM_ROUTER;
    if (o->in)
        return flow_find_iface(&s->router, o->in, strlen(o->in));
    return simulation_lan_iface(sim, &f->packet.src);
}

static void tell_question(const struct explain_steps *e, const struct scenario *s,
                          const struct explain_options *o, int iface)
{
    const char *platform = s->router.platform == PLATFORM_LINUX ? "linux" : "routeros7";
    char line[400];

    snprintf(line, sizeof line, "%s%s, at %.9g s, platform %s",
             iface < 0 ? "sent by the router itself" : "in by ",
             iface < 0 ? "" : s->router.ifaces[iface].name, (double)o->at_ns / 1e9,
             platform);
    fprintf(e->out, "%s\n", o->flow);
    explain_line(e, "", line);
}

/* The WAN that it leaves by may be dead without the router's knowledge. */
static void tell_fault(const struct explain_steps *e, const struct scenario *s,
                       const struct simulation *sim, const struct decision *d)
{
    for (size_t i = 0; d->verdict == VERDICT_FORWARD && i < s->wans_len; i++)
        if ((unsigned)s->wans[i].iface == d->out_iface)
            explain_fault(e, s->wans[i].name, simulation_wan_fault(sim, (int)i));
}

static int explain(const struct scenario *s, const struct explain_options *o,
                   struct flow *f)
{
    struct simulation *sim = simulation_create(s);
    struct explain_steps e = {&s->router, router_rib(simulation_router(sim)), &f->packet,
                              stdout};
    const struct trace trace = {explain_step, &e};
    struct decision d;
    int iface, code = EXIT_HELD;

    simulation_advance(sim, o->at_ns);
    iface = explain_in(s, sim, o, f);
    if (iface == -1) {
        if (o->in)
            code =
                usage_error("explain", "--in: the router has no interface '%s'", o->in);
        else
            code =
                usage_error("explain", "the source is on no LAN interface's network; say"
                                       " where it comes in with --in");
    } else {
        tell_question(&e, s, o, iface);
        router_set_trace(simulation_router(sim), &trace);
        simulation_ask(sim, &f->packet, iface < 0 ? -1 : iface, &d);
        explain_verdict(&e, &d);
        tell_fault(&e, s, sim, &d);
        if (d.verdict != VERDICT_FORWARD && d.verdict != VERDICT_LOCAL)
            code = EXIT_FOUND;
    }
    simulation_destroy(sim);
    return code;
}

enum {
    OPTION_IN = OPTION_FIRST,
    OPTION_AT,
    OPTION_MARK,
    OPTION_TOS,
    OPTION_FLOW_LABEL,
};

static const struct option explain_long[] = {
    {"in", required_argument, NULL, OPTION_IN},
    {"at", required_argument, NULL, OPTION_AT},
    {"mark", required_argument, NULL, OPTION_MARK},
    {"tos", required_argument, NULL, OPTION_TOS},
    {"flow-label", required_argument, NULL, OPTION_FLOW_LABEL},
    CHANGE_OPTIONS,
    {0},
};

static bool explain_option(int option, struct explain_options *o,
                           struct change_options *changes)
{
    switch (option) {
    case OPTION_IN: o->in = optarg; return true;
    case OPTION_MARK: o->mark = optarg; return true;
    case OPTION_AT:
        if (units_parse_duration(optarg, &o->at_ns) && o->at_ns <= SCENARIO_TIME_MAX)
            return true;
        usage_error("explain", "--at: expected a time such as 45s, got '%s'", optarg);
        return false;
    case OPTION_TOS:
        if (parse_number(optarg, 255, &o->tos))
            return true;
        usage_error("explain", "--tos: expected a number from 0 to 255, got '%s'",
                    optarg);
        return false;
    case OPTION_FLOW_LABEL:
        if (parse_number(optarg, 0xfffff, &o->flow_label))
            return true;
        usage_error("explain",
                    "--flow-label: expected a number from 0 to 1048575, got '%s'",
                    optarg);
        return false;
    case OPTION_WRONG: return false;
    default: return change_option("explain", option, changes);
    }
}

int command_explain(int argc, char **argv)
{
    struct explain_options o = {0};
    struct change_options changes = {0};
    struct scenario *s;
    struct flow f;
    char error[256];
    int code = EXIT_BAD_INPUT, option;

    while ((option = next_option(argc, argv, ":", explain_long)) != -1)
        if (!explain_option(option, &o, &changes))
            return EXIT_BAD_INPUT;
    if (argc - optind != 2)
        return usage_error("explain", argc - optind > 2
                                          ? "one scenario and one flow; quote the flow"
                                          : "a scenario and a flow are needed");
    o.scenario = argv[optind];
    o.flow = argv[optind + 1];
    if (!flow_parse(o.flow, &f, error, sizeof error))
        return usage_error("explain", "%s", error);
    f.packet.tos = (uint8_t)o.tos;
    f.packet.flow_label = (uint32_t)o.flow_label;
    s = scenario_open(o.scenario, &changes.changes, &code);
    if (!s)
        return code;
    if (o.mark && !flow_find_mark(&s->router, o.mark, strlen(o.mark), &f.packet.mark))
        code = usage_error("explain", "--mark: the router knows no mark '%s'", o.mark);
    else
        code = explain(s, &o, &f);
    scenario_free(s);
    return code;
}
