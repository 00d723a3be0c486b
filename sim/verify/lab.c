/* unshare(), setns() and memfd_create() */
#define _GNU_SOURCE
#include "sim/verify/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/ipv6_route.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/verify/lab_parts.h"

enum {
    ADDRESSES_WAIT_MS = 500, /* for IPv6 addresses to have their local routes */
    CARRIER_WAIT_MS = 3000,  /* the kernel takes up to a second for a lost carrier */
    FLUSH_WAIT_MS = 40,      /* masquerade forgets connections in a work queue */
};

bool lab_fail(struct lab *lab, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(lab->error, sizeof lab->error, format, args);
    va_end(args);
    return false;
}

const char *lab_error(const struct lab *lab)
{
    return lab->error;
}

/* --------------------------------------------------------------------------- namespaces */

bool lab_enter(struct lab *lab, int namespace)
{
    return setns(namespace, CLONE_NEWNET) == 0 ||
           lab_fail(lab, "cannot enter the namespace: %s", strerror(errno));
}

/* There is no going on in the wrong namespace: what follows would change the machine. */
void lab_leave(struct lab *lab)
{
    if (setns(lab->home, CLONE_NEWNET) != 0)
        abort();
}

/* Of the namespace that the process is in; lives as long as the descriptor. */
static int namespace_open(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool namespace_make(struct lab *lab, int *namespace)
{
    if (unshare(CLONE_NEWNET) != 0)
        return lab_fail(lab, "cannot make a network namespace: %s", strerror(errno));
    *namespace = namespace_open();
    lab_leave(lab);
    return *namespace >= 0 ||
           lab_fail(lab, "cannot open the namespace: %s", strerror(errno));
}

enum { PROGRAM_PATH = 64 };

/* False: it is not there. */
static bool program_find(const char *name, char path[PROGRAM_PATH])
{
    static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, PROGRAM_PATH, "%s/%s", places[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

const char *lab_missing(void)
{
    char path[PROGRAM_PATH];

    if (geteuid() != 0)
        return "needs root: it makes network namespaces";
    if (!program_find("ip", path))
        return "needs ip (Debian package iproute2)";
    if (!program_find("nft", path))
        return "needs nft (Debian package nftables)";
    return "";
}

/* ----------------------------------------------------------------------------- commands */

/* In the child, which may do little: other threads may be in the middle of anything. */
static void child_run(const struct lab *lab, int in, int out, const char *path,
                      char *const argv[])
{
    static char *const environment[] = {NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setns(lab->router, CLONE_NEWNET) == 0 && dup2(in, STDIN_FILENO) >= 0 &&
        dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
        execve(path, argv, environment);
    _exit(127);
}

/* What the program said, on one line. */
static void output_take(int out, char *text, size_t size)
{
    const ssize_t n = pread(out, text, size - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = c[1] ? ';' : '\0';
}

static bool lines_give(int in, const char *lines)
{
    size_t len = strlen(lines);

    while (len) {
        const ssize_t n = write(in, lines, len);

        if (n <= 0)
            return false;
        lines += n;
        len -= (size_t)n;
    }
    return lseek(in, 0, SEEK_SET) == 0;
}

static bool command_run_fds(struct lab *lab, int in, int out, char *const argv[])
{
    char said[400], path[PROGRAM_PATH];
    int status = 0;
    pid_t child;

    if (!program_find(argv[0], path))
        return lab_fail(lab, "%s is not installed", argv[0]);
    child = fork();
    if (child == 0)
        child_run(lab, in, out, path, argv);
    if (child < 0)
        return lab_fail(lab, "cannot start %s: %s", argv[0], strerror(errno));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return lab_fail(lab, "%s: %s", argv[0], strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    output_take(out, said, sizeof said);
    return lab_fail(lab, "%s: %s", argv[0], *said ? said : "failed without a word");
}

/* Files in memory, not pipes: neither side ever waits for the other. */
static bool command_give(struct lab *lab, char *const argv[], const char *lines)
{
    const int in = memfd_create("lines", MFD_CLOEXEC);
    const int out = memfd_create("said", MFD_CLOEXEC);
    bool good;

    if (in < 0 || out < 0 || !lines_give(in, lines))
        good =
            lab_fail(lab, "cannot keep the lines for %s: %s", argv[0], strerror(errno));
    else
        good = command_run_fds(lab, in, out, argv);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return good;
}

/* Those of the lines that begin with "-6 ", or those that do not; to be freed. */
static char *lines_of_family(const char *lines, bool v6)
{
    char *picked = malloc(strlen(lines) + 1), *at = picked;

    while (picked && *lines) {
        const char *end = strchr(lines, '\n');
        const size_t len = end ? (size_t)(end - lines) + 1 : strlen(lines);
        const size_t skip = v6 ? 3 : 0;

        if ((strncmp(lines, "-6 ", 3) == 0) == v6) {
            memcpy(at, lines + skip, len - skip);
            at += len - skip;
        }
        lines += len;
    }
    if (picked)
        *at = '\0';
    return picked;
}

static bool ip_batch(struct lab *lab, const char *lines, bool v6)
{
    char ip[] = "ip", family[] = {'-', v6 ? '6' : '4', '\0'}, batch[] = "-batch",
         from[] = "-";
    char *const argv[] = {ip, family, batch, from, NULL};
    char *picked = lines_of_family(lines, v6);
    const bool good = picked ? !*picked || command_give(lab, argv, picked)
                             : lab_fail(lab, "%s", strerror(errno));

    free(picked);
    return good;
}

static bool flags_get(struct lab *lab, int socket_fd, const char *name, unsigned *flags);

/* Is there a local route to this address (32 digits, as in if_inet6) on this interface? */
static bool local_route_is_there(const char *address, const char *iface)
{
    FILE *f = fopen("/proc/thread-self/net/ipv6_route", "re");
    char line[256], dst[33], dev[17];
    unsigned long flags;
    bool found = false;

    while (f && !found && fgets(line, sizeof line, f))
        found = sscanf(line, "%32s %*s %*s %*s %*s %*s %*s %*s %lx %16s", dst, &flags,
                       dev) == 3 &&
                (flags & RTF_LOCAL) && strcmp(dst, address) == 0 &&
                strcmp(dev, iface) == 0;
    if (f)
        fclose(f);
    return found;
}

/* Has each IPv6 address of an interface that is up its local route? One of an interface that is
 * down, and was told to keep it, has none. */
static bool addresses_are_routed(struct lab *lab)
{
    FILE *f = fopen("/proc/thread-self/net/if_inet6", "re");
    char line[256], address[33], iface[17];
    unsigned flags;
    bool all = true;

    while (f && all && fgets(line, sizeof line, f))
        all = sscanf(line, "%32s %*s %*s %*s %*s %16s", address, iface) != 2 ||
              !flags_get(lab, lab->router_socket, iface, &flags) || !(flags & IFF_UP) ||
              local_route_is_there(address, iface);
    if (f)
        fclose(f);
    return all;
}

/* The kernel makes IPv6 addresses its own in a work queue. */
static bool addresses_wait(struct lab *lab)
{
    if (!lab_enter(lab, lab->router))
        return false;
    for (int ms = 0; ms < ADDRESSES_WAIT_MS && !addresses_are_routed(lab); ms++)
        usleep(1000);
    lab_leave(lab);
    return true;
}

bool lab_ip(struct lab *lab, const char *lines)
{
    return ip_batch(lab, lines, false) && ip_batch(lab, lines, true) &&
           addresses_wait(lab);
}

bool lab_nft(struct lab *lab, const char *lines)
{
    char nft[] = "nft", file[] = "-f", from[] = "-";
    char *const argv[] = {nft, file, from, NULL};

    return !*lines || command_give(lab, argv, lines);
}

/* ------------------------------------------------------------------------------ sysctls */

static bool sysctl_write(struct lab *lab, const char *path, const char *value)
{
    char full[160];
    int fd;
    bool good;

    snprintf(full, sizeof full, "/proc/sys/net/%s", path);
    fd = open(full, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return lab_fail(lab, "sysctl net/%s: %s", path, strerror(errno));
    good = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ||
           lab_fail(lab, "sysctl net/%s = %s: %s", path, value, strerror(errno));
    close(fd);
    return good;
}

bool lab_sysctl(struct lab *lab, const char *path, const char *value)
{
    bool good;

    if (!lab_enter(lab, lab->router))
        return false;
    good = sysctl_write(lab, path, value);
    lab_leave(lab);
    return good;
}

bool lab_has_sysctl(struct lab *lab, const char *path)
{
    char full[160];
    bool there;

    if (!lab_enter(lab, lab->router))
        return false;
    snprintf(full, sizeof full, "/proc/sys/net/%s", path);
    there = access(full, W_OK) == 0;
    lab_leave(lab);
    return there;
}

/* -------------------------------------------------------------------------------- links */

static bool flags_get(struct lab *lab, int socket_fd, const char *name, unsigned *flags)
{
    struct ifreq r = {0};

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (ioctl(socket_fd, SIOCGIFFLAGS, &r) != 0)
        return lab_fail(lab, "%s: %s", name, strerror(errno));
    *flags = (unsigned short)r.ifr_flags;
    return true;
}

/* Returns when the kernel is through with it, and with all that waited before it. */
static bool link_set(struct lab *lab, int socket_fd, const char *name, bool up)
{
    struct ifreq r = {0};
    unsigned flags;

    if (!flags_get(lab, socket_fd, name, &flags))
        return false;
    flags = up ? flags | IFF_UP : flags & ~(unsigned)IFF_UP;
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    r.ifr_flags = (short)flags;
    return ioctl(socket_fd, SIOCSIFFLAGS, &r) == 0 ||
           lab_fail(lab, "%s: %s", name, strerror(errno));
}

/*
 * Let the kernel take note of a carrier now, and routing with it: it would do so within a second.
 * Source: Linux ethtool_op_get_link(), linkwatch_sync_dev().
 */
static void carrier_sync(int socket_fd, const char *name)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq r = {0};

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    r.ifr_data = (void *)&link;
    ioctl(socket_fd, SIOCETHTOOL, &r);
}

/* Until the operational state is so; not the carrier's flag, which runs ahead of routing. */
static bool running_wait(struct lab *lab, int socket_fd, const char *name, bool running)
{
    unsigned flags;

    carrier_sync(socket_fd, name);
    for (int ms = 0; ms < CARRIER_WAIT_MS; ms++) {
        if (!flags_get(lab, socket_fd, name, &flags))
            return false;
        if (((flags & IFF_RUNNING) != 0) == running)
            return true;
        usleep(1000);
    }
    return lab_fail(lab, "%s: its link did not come %s", name, running ? "up" : "down");
}

/* Both ends: until its own carrier is known, the far one drops what is put on it. */
static bool link_wait(struct lab *lab, const char *inside, const char *outside,
                      bool running)
{
    return running_wait(lab, lab->router_socket, inside, running) &&
           (!running || running_wait(lab, lab->world_socket, outside, true)) &&
           link_set(lab, lab->router_socket, inside, true);
}

void lab_settle(struct lab *lab)
{
    long before, now = lab_conn_count(lab);

    do {
        before = now;
        usleep(FLUSH_WAIT_MS * 1000);
        now = lab_conn_count(lab);
    } while (now < before);
}

bool lab_set_admin(struct lab *lab, unsigned iface, bool up)
{
    char inside[16], outside[16];
    unsigned flags;

    snprintf(inside, sizeof inside, "if%u", iface);
    snprintf(outside, sizeof outside, "w%u", iface);
    if (!flags_get(lab, lab->world_socket, outside, &flags) ||
        !link_set(lab, lab->router_socket, inside, up))
        return false;
    carrier_sync(lab->router_socket, inside);
    if (!up) {
        lab_settle(lab);
        return true;
    }
    return !(flags & IFF_UP) || link_wait(lab, inside, outside, true);
}

bool lab_set_carrier(struct lab *lab, unsigned iface, bool carrier)
{
    char inside[16], outside[16];
    unsigned flags;

    snprintf(inside, sizeof inside, "if%u", iface);
    snprintf(outside, sizeof outside, "w%u", iface);
    if (!link_set(lab, lab->world_socket, outside, carrier) ||
        !flags_get(lab, lab->router_socket, inside, &flags))
        return false;
    return !(flags & IFF_UP) || link_wait(lab, inside, outside, carrier);
}

/* ---------------------------------------------------------------- making it, unmaking it */

/*
 * The ends of a pair have different indices: equal ones, as both namespaces would give them, make
 * the kernel think the link its own and wait up to a second before it tells routing of a
 * carrier. Source: Linux linkwatch_urgent_event().
 */
enum { IFINDEX_INSIDE = 1001 };

static void links_write(FILE *out, const struct lab *lab)
{
    fprintf(out, "link set lo up\n");
    for (unsigned i = 0; i < lab->ifaces_len; i++) {
        fprintf(out,
                "link add if%u index %u mtu %d type veth peer name w%u mtu %d "
                "netns /proc/%ld/fd/%d\n",
                i, IFINDEX_INSIDE + i, LAB_MTU, i, LAB_MTU, (long)getpid(), lab->world);
        fprintf(out, "link set if%u arp off addrgenmode none\n", i);
    }
}

static bool links_index(struct lab *lab, int namespace, const char *kind, int *index)
{
    char name[16];
    bool good = lab_enter(lab, namespace);

    if (!good)
        return false;
    for (unsigned i = 0; i < lab->ifaces_len && good; i++) {
        snprintf(name, sizeof name, "%.2s%u", kind, i);
        index[i] = (int)if_nametoindex(name);
        good = index[i] > 0 || lab_fail(lab, "%s: %s", name, strerror(errno));
    }
    lab_leave(lab);
    return good;
}

static bool links_make(struct lab *lab)
{
    char *lines = NULL, name[16], outside[16];
    size_t len;
    FILE *out = open_memstream(&lines, &len);
    bool good;

    if (!out)
        return lab_fail(lab, "%s", strerror(errno));
    links_write(out, lab);
    good = fclose(out) == 0 && lab_ip(lab, lines);
    free(lines);
    good = good && links_index(lab, lab->router, "if", lab->inside) &&
           links_index(lab, lab->world, "w", lab->outside) && lab_wire_address(lab);
    for (unsigned i = 0; i < lab->ifaces_len && good; i++) {
        snprintf(name, sizeof name, "w%u", i);
        good = link_set(lab, lab->world_socket, name, true);
        snprintf(name, sizeof name, "if%u", i);
        good = good && link_set(lab, lab->router_socket, name, true);
    }
    for (unsigned i = 0; i < lab->ifaces_len && good; i++) {
        snprintf(outside, sizeof outside, "w%u", i);
        snprintf(name, sizeof name, "if%u", i);
        good = link_wait(lab, name, outside, true);
    }
    return good;
}

/* The world answers nothing and says nothing of its own. */
static bool world_open(struct lab *lab)
{
    bool good;

    if (!lab_enter(lab, lab->world))
        return false;
    if (access("/proc/sys/net/ipv6", F_OK) == 0 &&
        (!sysctl_write(lab, "ipv6/conf/all/disable_ipv6", "1") ||
         !sysctl_write(lab, "ipv6/conf/default/disable_ipv6", "1"))) {
        lab_leave(lab);
        return false;
    }
    lab->world_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    good = lab->world_socket >= 0 && lab_wire_open(lab);
    lab_leave(lab);
    return good || lab_fail(lab, "cannot open a packet socket: %s", strerror(errno));
}

/* A router, without opinions of its own on where packets may come from. */
static bool router_sysctls(struct lab *lab)
{
    static const char *const sysctls[][2] = {
        {"ipv4/conf/all/rp_filter", "0"},
        {"ipv4/conf/default/rp_filter", "0"},
        {"ipv4/conf/all/promote_secondaries", "1"},
        {"ipv4/conf/all/send_redirects", "0"},
        {"ipv4/ip_forward", "1"},
        {"ipv6/conf/all/forwarding", "1"},
        {"ipv6/conf/default/accept_dad", "0"},
    };

    for (size_t i = 0; i < sizeof sysctls / sizeof sysctls[0]; i++)
        if (!sysctl_write(lab, sysctls[i][0], sysctls[i][1]))
            return false;
    return true;
}

static bool router_open(struct lab *lab)
{
    bool good;

    if (!lab_enter(lab, lab->router))
        return false;
    lab->router_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (lab->router_socket < 0 || !lab_ask_open(lab))
        good = lab_fail(lab, "cannot open a netlink socket: %s", strerror(errno));
    else
        good = router_sysctls(lab);
    lab_leave(lab);
    return good;
}

static bool lab_build(struct lab *lab)
{
    lab->home = namespace_open();
    if (lab->home < 0)
        return lab_fail(lab, "/proc/self/ns/net: %s", strerror(errno));
    return namespace_make(lab, &lab->router) && namespace_make(lab, &lab->world) &&
           world_open(lab) && router_open(lab) && links_make(lab);
}

struct lab *lab_create(const struct router_config *config, char *error, size_t error_size)
{
    struct lab *lab = mem_alloc(1, sizeof *lab);

    lab->ifaces_len = (unsigned)config->ifaces_len;
    lab->home = lab->router = lab->world = -1;
    lab->router_socket = lab->world_socket = lab->wire = -1;
    lab->inside = mem_alloc(config->ifaces_len, sizeof *lab->inside);
    lab->outside = mem_alloc(config->ifaces_len, sizeof *lab->outside);
    lab->macs = mem_alloc(config->ifaces_len, sizeof *lab->macs);
    if (lab_build(lab))
        return lab;
    snprintf(error, error_size, "%s", lab->error);
    lab_destroy(lab);
    return NULL;
}

void lab_destroy(struct lab *lab)
{
    if (!lab)
        return;
    lab_ask_close(lab);
    const int open_fds[] = {lab->wire,   lab->world_socket, lab->router_socket,
                            lab->router, lab->world,        lab->home};

    for (size_t i = 0; i < sizeof open_fds / sizeof open_fds[0]; i++)
        if (open_fds[i] >= 0)
            close(open_fds[i]);
    mem_free(lab->inside);
    mem_free(lab->outside);
    mem_free(lab->macs);
    mem_free(lab);
}
