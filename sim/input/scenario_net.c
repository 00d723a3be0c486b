/* The LAN's hosts. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

bool scenario_is_lan(const struct scenario *s, const struct addr *a)
{
    for (size_t i = 0; i < s->lan_len; i++)
        if (prefix_contains(&s->lan[i], a))
            return true;
    return false;
}

/* ---- hosts ---- */

/* clang-format off */
static const struct reader_field host_fields[] = {
    {.name = "addresses", .kind = READER_ARRAY,
     READER_LIST(struct host_text, host.addresses, host.addresses_len),
     .each = &reader_addr,
     .required = true, .min = 1, .max = SCENARIO_GATEWAYS_MAX,
     .doc = "what it sends from, in the LAN"},
    {.name = "sensitive", .kind = READER_BOOL,
     READER_AT(struct host_text, host.sensitive),
     .by_default = "false", .doc = "it must keep one public address"},
    READER_END,
};
/* clang-format on */

const struct reader_object host_object = {
    .name = "host",
    .doc = "a host of the LAN that reports name",
    READER_STRUCT(struct host_text),
    .fields = host_fields,
    .pointer = READER_OFFSET(struct host_text, pointer),
};

/* One address of one host, to find the same address elsewhere. */
struct claim {
    const struct addr *addr;
    const struct host_text *host;
    size_t order; /* in the file */
};

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = addr_compare(x->addr, y->addr);

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static const char *claim_pointer(struct scenario_reading *s, const struct claim *c)
{
    const size_t size = strlen(c->host->pointer) + sizeof "/addresses/" + 20;
    char *pointer = arena_alloc(s->reader.arena, size, 1);

    snprintf(pointer, size, "%s/addresses/%td", c->host->pointer,
             c->addr - c->host->host.addresses);
    return pointer;
}

static void judge_claims(struct scenario_reading *s, struct claim *claims, size_t len)
{
    const struct scenario *scenario = s->scenario;
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < len && !diag_is_full(s->reader.diag); i++)
        if (scenario->lan_len > 0 && !scenario_is_lan(scenario, claims[i].addr) &&
            diag_count(s->reader.diag, DIAG_WARNING) < DIAG_KEPT_MAX)
            diag_warn(s->reader.diag, claim_pointer(s, &claims[i]),
                      "%s is not in the LAN", addr_format(claims[i].addr, text));
    qsort(claims, len, sizeof *claims, compare_claims);
    for (size_t i = 1; i < len && !diag_is_full(s->reader.diag); i++)
        if (addr_equal(claims[i].addr, claims[i - 1].addr))
            diag_error(s->reader.diag, claim_pointer(s, &claims[i]),
                       "%s belongs to host '%s' already",
                       addr_format(claims[i].addr, text), claims[i - 1].host->host.name);
}

void scenario_hosts_build(struct scenario_reading *s, const struct host_text *texts,
                          size_t len)
{
    struct scenario_host *hosts = arena_alloc(s->reader.arena, len, sizeof *hosts);
    struct claim *claims = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; i < len; i++) {
        hosts[i] = texts[i].host;
        for (size_t k = 0; k < hosts[i].addresses_len; k++) {
            if (!texts[i].pointer || !addr_is_set(&hosts[i].addresses[k]))
                continue;
            claims = mem_grow(claims, &capacity, count + 1, sizeof *claims);
            claims[count] = (struct claim){&hosts[i].addresses[k], &texts[i], count};
            count++;
        }
    }
    if (count > 0)
        judge_claims(s, claims, count);
    mem_free(claims);
    s->scenario->hosts = hosts;
    s->scenario->hosts_len = len;
}
