/*
 * read_loop - read a capture and do nothing with it: the floor under any run on libpcap
 *
 *     read_loop FILE
 *
 * Prints the packets and the nanoseconds that each took, by the clock and by the processor.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include <pcap/pcap.h>

static double wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double seconds_ns(struct timeval t)
{
    return (double)t.tv_sec * 1e9 + (double)t.tv_usec * 1e3;
}

/* User and system time of this process. */
static double cpu_ns(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return seconds_ns(r.ru_utime) + seconds_ns(r.ru_stime);
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    double wall = wall_ns(), cpu = cpu_ns();
    uint64_t packets = 0;
    pcap_t *capture;
    int got;

    if (argc != 2) {
        fprintf(stderr, "usage: read_loop FILE\n");
        return 2;
    }
    capture = pcap_open_offline(argv[1], error);
    if (!capture) {
        fprintf(stderr, "read_loop: %s\n", error);
        return 3;
    }
    while ((got = pcap_next_ex(capture, &header, &data)) == 1)
        packets++;
    if (got == PCAP_ERROR)
        fprintf(stderr, "read_loop: %s: %s\n", argv[1], pcap_geterr(capture));
    pcap_close(capture);
    if (got == PCAP_ERROR || packets == 0)
        return 3;
    printf("%llu packets, %.1f ns/packet wall, %.1f ns/packet CPU\n",
           (unsigned long long)packets, (wall_ns() - wall) / (double)packets,
           (cpu_ns() - cpu) / (double)packets);
    return 0;
}
