/*
 * pcapfile - capture files made byte by byte, for tests
 *
 * Frames are hexadecimal digits, where blanks are for the eye. Whatever does not fit ends the
 * test program.
 *
 * Sources: pcap-savefile(5); draft-ietf-opsawg-pcapng.
 */
#ifndef ECMPLAB_TESTS_PCAPFILE_H
#define ECMPLAB_TESTS_PCAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PCAPFILE_MAX = 1 << 17, PCAPFILE_FRAME_MAX = 256 };

/* As they are in the file, not DLT_ numbers. */
enum { LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101 };

#define ETHERNET_IPV4 "020000000002 020000000001 0800"
#define ETHERNET_IPV6 "020000000002 020000000001 86dd"

/* UDP 1111 > 2222 with 4 bytes, TTL 64: over 192.0.2.1 > 198.51.100.2, 32 bytes, and over
 * 2001:db8::1 > 2001:db8::2, 52 bytes, flow label 0x12345. */
#define UDP    "0457 08ae 000c 0000 01020304"
#define UDP_V4 "45000020 12340000 40110000 c0000201 c6336402" UDP
#define UDP_V6                                                                           \
    "60012345 000c 11 40"                                                                \
    "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002" UDP

struct pcapfile {
    bool big_endian;
    size_t size;
    uint8_t data[PCAPFILE_MAX];
};

/* The bytes of a frame, at most PCAPFILE_FRAME_MAX; returns their number. */
size_t pcapfile_from_hex(const char *hex, uint8_t *to);

/* Classic pcap; a record's fraction is in microseconds or nanoseconds. */
void pcapfile_begin(struct pcapfile *f, bool big_endian, bool nanoseconds,
                    uint32_t linktype);
void pcapfile_put_record(struct pcapfile *f, uint32_t seconds, uint32_t fraction,
                         const char *hex);

/* The same with only the first bytes captured. */
void pcapfile_put_cut_record(struct pcapfile *f, uint32_t seconds, uint32_t fraction,
                             const char *hex, size_t captured);

/* pcapng; a block's time is in units of 10^-digits s. */
void pcapfile_begin_ng(struct pcapfile *f, bool big_endian);
void pcapfile_put_interface(struct pcapfile *f, uint32_t linktype, uint8_t digits);
void pcapfile_put_block(struct pcapfile *f, uint32_t interface, uint64_t time,
                        const char *hex);

/* Replace the file at `path` by these bytes. */
void pcapfile_save(const char *path, const void *bytes, size_t size);

#endif
