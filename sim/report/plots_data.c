#include <math.h>
#include <string.h>

#include "sim/report/document.h"
#include "sim/report/human.h"
#include "sim/report/plots_parts.h"

enum { NAME_COLUMNS = 32 };

/* A name as a cell of a table. */
static struct human_name cell(const char *name)
{
    struct human_name c = human_name(name && *name ? name : "?", NAME_COLUMNS);

    for (char *at = c.text; *at; at++)
        *at = *at == '"' ? '\'' : *at == '\\' || *at == '%' ? '/' : *at;
    return c;
}

/* What can be drawn: no negative and no absurd figure. */
static double drawable(double value)
{
    return value > 0 ? fmin(value, 1e15) : 0;
}

static double figure(const json_t *object, const char *key)
{
    return drawable(document_number(object, key));
}

static double run_seconds(const json_t *result)
{
    return figure(json_object_get(result, "run"), "simulated_seconds");
}

/* The number of the WAN, in the order of `paths`; -1: none. */
static int wan_number(const json_t *result, const char *name)
{
    const char *key;
    json_t *wan;
    int number = 0;

    json_object_foreach (json_object_get(result, "paths"), key, wan) {
        if (number == PLOT_WANS_MAX)
            break;
        if (name && strcmp(key, name) == 0)
            return number;
        number++;
    }
    return -1;
}

static size_t write_wans(const json_t *result, FILE *out)
{
    const char *name;
    json_t *wan;
    size_t rows = 0;

    fprintf(out, "wan\tname\n");
    json_object_foreach (json_object_get(result, "paths"), name, wan) {
        if (rows == PLOT_WANS_MAX)
            break;
        fprintf(out, "%zu\t%s\n", rows++, cell(name).text);
    }
    return rows;
}

/* From when to when, and from when on traffic went another way (else the end). */
static size_t write_failures(const json_t *result, FILE *out)
{
    static const char *const kinds[] = {"link-down", "gateway-down", "blackhole"};
    const json_t *events = json_object_get(result, "events");
    size_t rows = 0;

    fprintf(out, "at\teffective_at\tended_at\twan\tname\n");
    for (size_t i = 0; i < json_array_size(events) && rows < PLOT_EVENTS_MAX; i++) {
        const json_t *e = json_array_get(events, i);
        const char *kind = document_string(e, "kind"), *name = document_string(e, "name");
        double end = document_has_number(e, "ended_at") ? figure(e, "ended_at")
                                                        : run_seconds(result);
        double effect = document_has_number(e, "effective_at")
                            ? fmin(figure(e, "effective_at"), end)
                            : end;

        for (size_t k = 0; kind && k < sizeof kinds / sizeof kinds[0]; k++)
            if (strcmp(kind, kinds[k]) == 0) {
                fprintf(out, "%.9g\t%.9g\t%.9g\t%d\t%s\n", figure(e, "at"), effect, end,
                        wan_number(result, document_string(e, "wan")),
                        cell(name ? name : kind).text);
                rows++;
            }
    }
    return rows;
}

/* Points of the series that a picture shows; 0 when there is nothing to show. */
static size_t series_points(const json_t *result)
{
    const json_t *series = json_object_get(result, "series");
    json_t *paths = json_object_get(series, "paths"), *wan;
    size_t points = 0;
    const char *name;

    if (figure(series, "interval_seconds") <= 0)
        return 0;
    json_object_foreach (paths, name, wan) {
        size_t size = json_array_size(json_object_get(wan, "bytes_down"));

        points = size > points ? size : points;
    }
    return points < PLOT_POINTS_MAX ? points : PLOT_POINTS_MAX;
}

/* The point's figure, times `scale`. */
static double series_value(const json_t *wan, const char *key, size_t point, double scale)
{
    const json_t *value = json_array_get(json_object_get(wan, key), point);

    return drawable(json_number_value(value) * scale);
}

/* One row a point, begun at `seconds`; the last row only tells where the series ends. */
static size_t write_throughput(const json_t *result, FILE *out)
{
    const json_t *series = json_object_get(result, "series");
    const json_t *of_path = json_object_get(series, "paths");
    double interval = figure(series, "interval_seconds");
    double start = figure(series, "start_seconds");
    json_t *paths = json_object_get(result, "paths"), *unused;
    size_t points = series_points(result);
    const char *name;

    fprintf(out, "seconds");
    json_object_foreach (paths, name, unused)
        if (wan_number(result, name) >= 0)
            fprintf(out, "\t%s up (bit/s)\t%s down (bit/s)\t%s lost (packets)",
                    cell(name).text, cell(name).text, cell(name).text);
    fputc('\n', out);
    for (size_t i = 0; i <= points && points > 0; i++) {
        fprintf(out, "%.9g", start + (double)i * interval);
        json_object_foreach (paths, name, unused) {
            const json_t *wan = json_object_get(of_path, name);

            if (wan_number(result, name) >= 0)
                fprintf(out, "\t%.9g\t%.9g\t%.9g",
                        series_value(wan, "bytes_up", i, 8 / interval),
                        series_value(wan, "bytes_down", i, 8 / interval),
                        series_value(wan, "packets_lost", i, 1));
        }
        fputc('\n', out);
    }
    return json_object_size(paths) > 0 ? points : 0;
}

static size_t write_shares(const json_t *result, FILE *out)
{
    const char *name;
    json_t *wan;
    size_t rows = 0;

    fprintf(out, "wan\tname\tflows\tbytes\tflows_promised\tbytes_promised\n");
    json_object_foreach (json_object_get(result, "paths"), name, wan) {
        double promised = figure(wan, "promised_share");

        if (rows == PLOT_WANS_MAX)
            break;
        fprintf(out, "%zu\t%s\t%.9g\t%.9g\t%.9g\t%.9g\n", rows++, cell(name).text,
                figure(wan, "flows_share"), figure(wan, "bytes_share"), promised,
                document_has_number(wan, "promised_bytes_share")
                    ? figure(wan, "promised_bytes_share")
                    : promised);
    }
    return rows;
}

/* What a walk over lanes is told: a host's addresses of one family. */
struct lane {
    const char *host;
    const json_t *timeline;
    double more;                /* moments that the timeline leaves out */
    bool sensitive, ipv6, both; /* both: the other family has a lane too */
};

static bool is_ipv6(const json_t *moment)
{
    const char *address = document_string(moment, "address");

    return address && strchr(address, ':') != NULL;
}

static bool has_family(const json_t *timeline, bool ipv6)
{
    const json_t *moment;
    size_t i;

    json_array_foreach (timeline, i, moment)
        if (is_ipv6(moment) == ipv6)
            return true;
    return false;
}

/* The lanes in the picture's order: sensitive hosts first, IPv4 before IPv6. */
static size_t find_lanes(const json_t *result, struct lane lanes[PLOT_LANES_MAX])
{
    json_t *hosts = json_object_get(result, "hosts"), *host;
    size_t len = 0;
    const char *name;

    for (unsigned pass = 0; pass < 2; pass++) {
        json_object_foreach (hosts, name, host) {
            const json_t *timeline = json_object_get(host, "timeline");
            bool both = has_family(timeline, false) && has_family(timeline, true);

            if (document_is_true(host, "sensitive") != (pass == 0))
                continue;
            for (unsigned ipv6 = 0; ipv6 < 2 && len < PLOT_LANES_MAX; ipv6++)
                if (has_family(timeline, ipv6))
                    lanes[len++] =
                        (struct lane){name,      timeline, figure(host, "timeline_more"),
                                      pass == 0, ipv6,     both};
        }
    }
    return len;
}

static size_t write_lanes(const json_t *result, FILE *out)
{
    struct lane lanes[PLOT_LANES_MAX];
    size_t len = find_lanes(result, lanes);

    fprintf(out, "lane\tsensitive\tname\n");
    for (size_t i = 0; i < len; i++)
        fprintf(out, "%zu\t%d\t%s%s\n", i, lanes[i].sensitive, cell(lanes[i].host).text,
                !lanes[i].both  ? ""
                : lanes[i].ipv6 ? " IPv6"
                                : " IPv4");
    return len;
}

/* The lane's spans: each moment lasts until the next one of its family. */
static size_t write_lane(const json_t *result, const struct lane *lane, size_t number,
                         FILE *out)
{
    const json_t *moment, *before = NULL;
    double last =
        figure(json_array_get(lane->timeline, json_array_size(lane->timeline) - 1), "at");
    double end = lane->more > 0 ? last : fmax(last, run_seconds(result));
    size_t rows = 0, i;

    for (i = 0; i <= json_array_size(lane->timeline); i++) {
        moment = json_array_get(lane->timeline, i);
        if (moment && is_ipv6(moment) != lane->ipv6)
            continue;
        if (before) {
            fprintf(out, "%zu\t%.9g\t%.9g\t%d\t%s\n", number, figure(before, "at"),
                    moment ? figure(moment, "at") : end,
                    wan_number(result, document_string(before, "wan")),
                    cell(document_string(before, "address")).text);
            rows++;
        }
        before = moment;
    }
    if (lane->more > 0)
        fprintf(out, "%zu\t%.9g\t%.9g\t-1\t%.0f more\n", number, end, run_seconds(result),
                lane->more);
    return rows;
}

static size_t write_addresses(const json_t *result, FILE *out)
{
    struct lane lanes[PLOT_LANES_MAX];
    size_t len = find_lanes(result, lanes), rows = 0;

    fprintf(out, "lane\tfrom\tto\twan\taddress\n");
    for (size_t i = 0; i < len; i++)
        rows += write_lane(result, &lanes[i], i, out);
    return rows;
}

static size_t write_moves(const json_t *result, FILE *out)
{
    const json_t *events = json_object_get(result, "events");
    size_t count = json_array_size(events), rows = 0;

    fprintf(out, "event\tname");
    for (const struct document_word *c = document_causes; c->key; c++)
        fprintf(out, "\t%s", c->key);
    fprintf(out, "\tflows_alive\n");
    for (; rows < count && rows < PLOT_EVENTS_MAX; rows++) {
        const json_t *e = json_array_get(events, rows);
        const char *name = document_string(e, "name");

        fprintf(out, "%zu\t%s", rows,
                cell(name ? name : document_string(e, "kind")).text);
        for (const struct document_word *c = document_causes; c->key; c++)
            fprintf(out, "\t%.9g", figure(e, c->key));
        fprintf(out, "\t%.9g\n", figure(e, "flows_alive"));
    }
    return rows;
}

const struct plot_table plot_tables[] = {
    {"wans", false, write_wans},
    {"failures", false, write_failures},
    {"throughput", true, write_throughput},
    {"shares", true, write_shares},
    {"lanes", false, write_lanes},
    {"addresses", true, write_addresses},
    {"moves", true, write_moves},
    {NULL, false, NULL},
};
