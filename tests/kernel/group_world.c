#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/verify/kernel_config.h"
#include "tests/kernel/group_trial.h"

/* What the router sends of its own accord would use buckets as well. */
static const char silence[] =
    "table inet silence {\n"
    "    chain out { type filter hook output priority 0; policy drop; }\n"
    "}\n";

static bool world_sysctls(struct group_world *w)
{
    struct kernel_sysctl all[KERNEL_SYSCTLS_MAX];
    const size_t n = kernel_sysctls(&w->config, all);
    char value[16];

    for (size_t i = 0; i < n; i++) {
        snprintf(value, sizeof value, "%" PRIu32, all[i].value);
        if (!all[i].tracking && !lab_sysctl(w->lab, all[i].path, value))
            return false;
    }
    return true;
}

static bool world_addresses(struct group_world *w)
{
    char *lines = NULL;
    size_t size;
    FILE *f = open_memstream(&lines, &size);
    bool good;

    if (!f)
        return false;
    kernel_config_write(f, &w->config);
    fclose(f);
    good = lab_ip(w->lab, lines);
    free(lines);
    return good;
}

bool group_world_open(struct group_world *w, uint32_t hash_seed, char *error, size_t size)
{
    static const char *const names[] = {"if0", "if1", "if2", "if3", "if4"};

    memset(w, 0, sizeof *w);
    config_set_defaults(&w->config, PLATFORM_LINUX);
    hash_set_seed(&w->config.hash, hash_seed);
    w->config.hash.v4.policy = w->config.hash.v6.policy = HASH_L4;
    for (unsigned i = 0; i <= GROUP_LINKS; i++) {
        const uint8_t v4[4] = {10, (uint8_t)i, 0, 1};
        const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)i, [15] = 1};

        w->addresses[i][0] = (struct prefix){addr_from_v4(v4), 24};
        w->addresses[i][1] = (struct prefix){addr_from_v6(v6), 64};
        w->ifaces[i] = (struct config_iface){
            .name = names[i], .addresses = w->addresses[i], .addresses_len = 2};
    }
    w->config.ifaces = w->ifaces;
    w->config.ifaces_len = GROUP_LINKS + 1;
    w->lab = lab_create(&w->config, error, size);
    if (!w->lab)
        return false;
    if (world_sysctls(w) && world_addresses(w) && lab_nft(w->lab, silence))
        return true;
    snprintf(error, size, "%s", lab_error(w->lab));
    group_world_close(w);
    return false;
}

void group_world_close(struct group_world *w)
{
    lab_destroy(w->lab);
    w->lab = NULL;
}
