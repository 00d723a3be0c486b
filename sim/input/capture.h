/*
 * capture - recorded packets, streamed from a file in order of simulated time
 *
 *     file ─▶ stream ─▶ libpcap ─▶ filter ─▶ link layer ─▶ dissection ─▶ address map ─▶ batch
 *     (gz, zst)         pcap,      BPF text                                         of copies
 *                       pcapng
 *
 * Time. The first frame of the file, whether the filter passes it or not, is at `start_ns`:
 *
 *     time_ns = start_ns + (timestamp - first timestamp) / speed        to the nearest ns
 *
 * Time never goes back: a frame whose timestamp is earlier than its predecessor's takes the
 * predecessor's, and is counted. A filter leaves no trace: predecessors are frames it passes.
 *
 * Every frame that the filter passes is given out, also those that are not IP: the `kind`
 * says why a frame has no packet, so that a caller can count it.
 *
 * Source: pcap-savefile(5), draft-ietf-opsawg-pcap and -pcapng, as libpcap reads them.
 * Differs: the seconds of a classic pcap are unsigned (until 2106) as the draft has it, where
 * libpcap's turn negative in 2038.
 */
#ifndef ECMPLAB_CAPTURE_H
#define ECMPLAB_CAPTURE_H

#include "core/packet.h"
#include "sim/input/addrmap.h"
#include "sim/input/linklayer.h"

enum { CAPTURE_BATCH = 64 }; /* packets at a time that serve well */

struct capture_options {
    const char *path;
    const char *filter;        /* as tcpdump takes it; NULL = every frame */
    int64_t start_ns;          /* simulated time of the file's first frame, not negative */
    double speed;              /* 2 = twice as fast; above 0 */
    const struct addrmap *map; /* borrowed until capture_close(); NULL = addresses as recorded */
};

struct captured {
    int64_t time_ns;      /* simulated */
    struct packet packet; /* all zero unless `kind` is FRAME_IP */
    uint32_t frame_bytes; /* the whole frame as it was on the wire */
    uint8_t kind;         /* enum frame_kind */
};

struct capture;

/* NULL, and "file: what is wrong" in `error`, when this cannot be read as a capture. */
struct capture *capture_open(const struct capture_options *o, char *error,
                             size_t error_size);

/*
 * Fill out[0..max), max > 0; nothing in it is borrowed. The number of packets; 0 at the end;
 * -1 when the file is damaged or cut short, after all that was whole has been given out.
 */
int capture_read(struct capture *c, struct captured *out, unsigned max);

/* "file: after packet N: what is wrong" after -1, N being frames of the file; else "". */
const char *capture_error(const struct capture *c);

uint64_t capture_packets_read(const struct capture *c);     /* given out */
uint64_t capture_packets_filtered(const struct capture *c); /* held back by the filter */
uint64_t capture_steps_back(const struct capture *c); /* timestamps that had to be raised */

void capture_close(struct capture *c);

#endif
