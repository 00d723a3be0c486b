#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sim/verify/lab_parts.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { WIRE_BUFFER = 8 << 20 };

/*
 * One socket for all far ends. Packets that it sends carry no hash of a socket, so that the
 * kernel computes its own; it gives and takes whole IP packets.
 */
bool lab_wire_open(struct lab *lab)
{
    const struct sockaddr_ll every = {.sll_family = AF_PACKET,
                                      .sll_protocol = htons(ETH_P_ALL)};
    const int on = 1, buffer = WIRE_BUFFER;

    lab->wire = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (lab->wire < 0)
        return false;
    if (setsockopt(lab->wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
        setsockopt(lab->wire, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        return false;
    return bind(lab->wire, (const struct sockaddr *)&every, sizeof every) == 0;
}

/* The MAC addresses of the router: a packet to another would not be its to forward. */
bool lab_wire_address(struct lab *lab)
{
    for (unsigned i = 0; i < lab->ifaces_len; i++) {
        struct ifreq r = {0};

        snprintf(r.ifr_name, sizeof r.ifr_name, "if%u", i);
        if (ioctl(lab->router_socket, SIOCGIFHWADDR, &r) != 0)
            return lab_fail(lab, "if%u: %s", i, strerror(errno));
        memcpy(lab->macs[i], r.ifr_hwaddr.sa_data, ETH_ALEN);
    }
    return true;
}

bool lab_send(struct lab *lab, unsigned iface, const uint8_t *packet, size_t len)
{
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET,
        .sll_ifindex = lab->outside[iface],
        .sll_halen = ETH_ALEN,
        .sll_protocol = htons(len && packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP),
    };

    memcpy(to.sll_addr, lab->macs[iface], ETH_ALEN);
    if (sendto(lab->wire, packet, len, 0, (const struct sockaddr *)&to, sizeof to) ==
        (ssize_t)len)
        return true;
    return lab_fail(lab, "cannot send %zu bytes on w%u: %s", len, iface, strerror(errno));
}

static bool iface_of(const struct lab *lab, int outside, unsigned *iface)
{
    for (unsigned i = 0; i < lab->ifaces_len; i++) {
        if (lab->outside[i] == outside) {
            *iface = i;
            return true;
        }
    }
    return false;
}

size_t lab_receive(struct lab *lab, unsigned *iface, uint8_t *buf, size_t size,
                   int wait_ms)
{
    struct pollfd ready = {.fd = lab->wire, .events = POLLIN};

    for (;;) {
        struct sockaddr_ll from;
        socklen_t from_len = sizeof from;
        const ssize_t n = recvfrom(lab->wire, buf, size, MSG_DONTWAIT | MSG_TRUNC,
                                   (struct sockaddr *)&from, &from_len);

        if (n < 0 && (!wait_ms || poll(&ready, 1, wait_ms) <= 0))
            return 0;
        if (n <= 0 || (size_t)n > size)
            continue;
        if (from.sll_protocol != htons(ETH_P_IP) &&
            from.sll_protocol != htons(ETH_P_IPV6))
            continue;
        if (iface_of(lab, from.sll_ifindex, iface))
            return (size_t)n;
    }
}
