#include "tests/pcapfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "pcapfile: %s\n", what);
    abort();
}

static void put_bytes(struct pcapfile *f, const void *bytes, size_t size)
{
    require(f->size + size <= PCAPFILE_MAX, "the file is full");
    memcpy(f->data + f->size, bytes, size);
    f->size += size;
}

static void put_number(struct pcapfile *f, uint32_t value, size_t size)
{
    uint8_t b[4];

    for (size_t i = 0; i < size; i++)
        b[f->big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
    put_bytes(f, b, size);
}

static void put16(struct pcapfile *f, uint32_t value)
{
    put_number(f, value, 2);
}

static void put32(struct pcapfile *f, uint32_t value)
{
    put_number(f, value, 4);
}

size_t pcapfile_from_hex(const char *hex, uint8_t *to)
{
    size_t n = 0;

    for (; *hex; hex++) {
        char pair[3] = {hex[0], 0, 0};

        if (*hex == ' ')
            continue;
        pair[1] = *++hex;
        require(pair[1] && n < PCAPFILE_FRAME_MAX, "no frame in hexadecimal");
        to[n++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

void pcapfile_begin(struct pcapfile *f, bool big_endian, bool nanoseconds,
                    uint32_t linktype)
{
    f->big_endian = big_endian;
    f->size = 0;
    put32(f, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    put16(f, 2); /* version 2.4 */
    put16(f, 4);
    put32(f, 0);
    put32(f, 0);
    put32(f, 262144); /* snapshot length */
    put32(f, linktype);
}

void pcapfile_put_cut_record(struct pcapfile *f, uint32_t seconds, uint32_t fraction,
                             const char *hex, size_t captured)
{
    uint8_t frame[PCAPFILE_FRAME_MAX];
    size_t n = pcapfile_from_hex(hex, frame);

    require(captured <= n, "more captured than sent");
    put32(f, seconds);
    put32(f, fraction);
    put32(f, (uint32_t)captured);
    put32(f, (uint32_t)n);
    put_bytes(f, frame, captured);
}

void pcapfile_put_record(struct pcapfile *f, uint32_t seconds, uint32_t fraction,
                         const char *hex)
{
    uint8_t frame[PCAPFILE_FRAME_MAX];

    pcapfile_put_cut_record(f, seconds, fraction, hex, pcapfile_from_hex(hex, frame));
}

/* Section header block. */
void pcapfile_begin_ng(struct pcapfile *f, bool big_endian)
{
    f->big_endian = big_endian;
    f->size = 0;
    put32(f, 0x0a0d0d0a);
    put32(f, 28);
    put32(f, 0x1a2b3c4d);
    put16(f, 1); /* version 1.0 */
    put16(f, 0);
    put32(f, UINT32_MAX); /* section length unknown */
    put32(f, UINT32_MAX);
    put32(f, 28);
}

/* Interface description block with the option if_tsresol. */
void pcapfile_put_interface(struct pcapfile *f, uint32_t linktype, uint8_t digits)
{
    put32(f, 1);
    put32(f, 32);
    put16(f, linktype);
    put16(f, 0);
    put32(f, 262144); /* snapshot length */
    put16(f, 9);      /* if_tsresol */
    put16(f, 1);
    put_bytes(f, (uint8_t[4]){digits}, 4);
    put32(f, 0);
    put32(f, 32);
}

/* Enhanced packet block. */
void pcapfile_put_block(struct pcapfile *f, uint32_t interface, uint64_t time,
                        const char *hex)
{
    uint8_t frame[PCAPFILE_FRAME_MAX + 3] = {0};
    uint32_t n = (uint32_t)pcapfile_from_hex(hex, frame), padded = (n + 3) / 4 * 4;

    put32(f, 6);
    put32(f, 32 + padded);
    put32(f, interface);
    put32(f, (uint32_t)(time >> 32));
    put32(f, (uint32_t)time);
    put32(f, n); /* captured */
    put32(f, n); /* on the wire */
    put_bytes(f, frame, padded);
    put32(f, 32 + padded);
}

void pcapfile_save(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    require(file != NULL, "the file cannot be made");
    require(fwrite(bytes, 1, size, file) == size, "the file cannot be written");
    require(fclose(file) == 0, "the file cannot be closed");
}
