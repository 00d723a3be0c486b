/* JSON lines of flows in, JSON lines of decisions out. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/command/command.h"
#include "sim/input/flow.h"
#include "sim/observe/label.h"
#include "sim/timeline/simulation.h"

const char usage_lookup[] =
    "usage: ecmplab lookup [OPTION]... SCENARIO < FLOWS > DECISIONS\n"
    "\n"
    "Reads a flow a line and answers each with a line: which way would its first packet go?\n"
    "Every flow is asked about on its own; none makes the next one's way.\n"
    "\n"
    "    {\"in\": \"bridge-lan\", \"src\": \"192.168.10.5\", \"dst\": \"45.57.94.1\", \"proto\": \"tcp\",\n"
    "     \"sport\": 50000, \"dport\": 443}            on one line\n"
    "\n"
    "Optional: \"mark\", \"at\" (seconds, or \"90s\": after the scenario's events until then),\n"
    "\"flowlabel\", \"tos\". Without \"in\" the router itself is the sender. The answer:\n"
    "\n"
    "    {\"verdict\": \"forward\", \"rule\": \"everything else\", \"table\": \"ecmp\", \"route\":\n"
    "     \"0.0.0.0/0\", \"gateway\": \"100.64.2.1\", \"out_interface\": \"wan2\", \"member\": 1,\n"
    "     \"hash\": 1255189214, \"nat_src\": \"100.64.2.2\", \"reason\": \"\"}   on one line\n"
    "\n"
    "\"member\" is its place in the next-hop group, from 0, in the order of the routes.\n"
    "null stands where there is nothing to say. A line that is no flow is answered with\n"
    "{\"error\": \"line 3: ...\"}, and the exit code is 2.\n"
    "\n"
    "    --seed N, --set POINTER=VALUE   change the scenario, as for 'run'\n"
    "    -h, --help                      this text\n"
    "\n"
    "exit codes: 0 every line was answered; 2 bad usage, scenario or line; 3 the scenario or\n"
    "standard input could not be read, or standard output not written; 4 there was no line\n";

enum { OUT_SIZE = 1 << 16, LINE_OUT_MAX = 8192, LINE_IN_MAX = 1 << 20 };

struct lookup {
    const struct scenario *scenario;
    struct simulation *sim;
    char out[OUT_SIZE];
    size_t len;
    bool failed; /* standard output */
};

/* ------------------------------------------------------------------------------- writing */

static void flush(struct lookup *l)
{
    if (l->len && fwrite(l->out, 1, l->len, stdout) != l->len)
        l->failed = true;
    l->len = 0;
}

static void put(struct lookup *l, const char *text)
{
    const size_t n = strlen(text);

    memcpy(l->out + l->len, text, n);
    l->len += n;
}

/* A JSON string, or null for "". At most LABEL_MAX * 6 bytes. */
static void put_string(struct lookup *l, const char *text)
{
    char *out = l->out + l->len;

    if (!*text) {
        put(l, "null");
        return;
    }
    *out++ = '"';
    for (const char *end = text + LABEL_MAX; *text && text < end; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            *out++ = '\\';
        if (c < ' ')
            out += sprintf(out, "\\u%04x", c);
        else
            *out++ = (char)c;
    }
    *out++ = '"';
    l->len = (size_t)(out - l->out);
}

static void put_number(struct lookup *l, bool known, uint32_t n)
{
    char digits[12], *at = digits + sizeof digits;

    if (!known) {
        put(l, "null");
        return;
    }
    *--at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while ((n /= 10));
    put(l, at);
}

static void put_decision(struct lookup *l, const struct decision *d)
{
    const struct router_config *c = &l->scenario->router;
    char buf[LABEL_MAX];
    const bool routed = d->entry && d->entry->group && d->member != NEXTHOP_NONE;

    put(l, "{\"verdict\": ");
    put_string(l, verdict_names[d->verdict]);
    put(l, ", \"rule\": ");
    put_string(l, label_rule(c, d->rule, buf));
    put(l, ", \"table\": ");
    put_string(l, label_table(c, d->entry));
    put(l, ", \"route\": ");
    put_string(l, label_route(d->entry, buf));
    put(l, ", \"gateway\": ");
    put_string(l, label_gateway(d, buf));
    put(l, ", \"out_interface\": ");
    put_string(l, label_iface(c, d->out_iface));
    put(l, ", \"member\": ");
    put_number(l, routed, d->member);
    put(l, ", \"hash\": ");
    put_number(l, (d->flags & DECISION_HASHED) != 0, d->hash);
    put(l, ", \"nat_src\": ");
    put_string(l, d->flags & DECISION_NATED ? addr_format(&d->nat_src, buf) : "");
    put(l, ", \"reason\": \"");
    put(l, reason_names[d->reason]);
    put(l, "\"}\n");
}

static void put_error(struct lookup *l, uint64_t line, const char *error)
{
    json_t *object = json_pack("{s:o}", "error", json_sprintf("line %" PRIu64 ": %s", line, error));
    char *text = object ? json_dumps(object, 0) : NULL;

    if (text) {
        put(l, text);
        put(l, "\n");
    } else {
        put(l, "{\"error\": \"the line is no UTF-8\"}\n");
    }
    free(text);
    json_decref(object);
}

/* -------------------------------------------------------------------------------- asking */

/* Be at that time of the scenario: further on, or from the start again. */
static void go_to(struct lookup *l, int64_t at_ns)
{
    if (l->sim && simulation_now_ns(l->sim) > at_ns) {
        simulation_destroy(l->sim);
        l->sim = NULL;
    }
    if (!l->sim)
        l->sim = simulation_create(l->scenario);
    simulation_advance(l->sim, at_ns);
}

static bool answer(struct lookup *l, const char *line, size_t length, uint64_t number)
{
    char error[256];
    struct flow f;
    struct decision d;

    if (l->len + LINE_OUT_MAX > OUT_SIZE)
        flush(l);
    if (!flow_parse_json(line, length, &l->scenario->router, &f, error, sizeof error)) {
        put_error(l, number, error);
        return false;
    }
    if (!l->sim || simulation_now_ns(l->sim) != f.at_ns)
        go_to(l, f.at_ns);
    simulation_ask(l->sim, &f.packet, f.in_iface, &d);
    put_decision(l, &d);
    if (d.conn != CONN_NONE)
        router_forget(simulation_router(l->sim), d.conn);
    return true;
}

static int lookup(struct lookup *l)
{
    char *line = NULL;
    size_t capacity = 0;
    uint64_t number = 0;
    bool good = true;
    ssize_t n;
    int code;

    while ((n = getline(&line, &capacity, stdin)) >= 0) {
        size_t length = (size_t)n;

        number++;
        if (length && line[length - 1] == '\n')
            length--;
        if (length > LINE_IN_MAX) {
            flush(l);
            put_error(l, number, "longer than a mebibyte");
            good = false;
        } else if (!answer(l, line, length, number)) {
            good = false;
        }
    }
    flush(l);
    code = good ? EXIT_HELD : EXIT_BAD_INPUT;
    if (number == 0)
        code = EXIT_NOTHING;
    if (ferror(stdin)) {
        fprintf(stderr, "ecmplab lookup: standard input: %s\n", strerror(errno));
        code = EXIT_UNREADABLE;
    }
    free(line);
    return l->failed ? EXIT_UNREADABLE : code;
}

int command_lookup(int argc, char **argv)
{
    static const struct option options[] = {CHANGE_OPTIONS, {0}};
    struct change_options changes = {0};
    struct scenario *s;
    struct lookup *l;
    int code = EXIT_BAD_INPUT, option;

    while ((option = next_option(argc, argv, ":", options)) != -1)
        if (option == OPTION_WRONG || !change_option("lookup", option, &changes))
            return EXIT_BAD_INPUT;
    if (argc - optind != 1)
        return usage_error("lookup", "exactly one scenario is needed");
    s = scenario_open(argv[optind], &changes.changes, &code);
    if (!s)
        return code;
    l = mem_alloc(1, sizeof *l);
    l->scenario = s;
    code = lookup(l);
    simulation_destroy(l->sim);
    mem_free(l);
    scenario_free(s);
    return code;
}
