/*
 * jhash - Jenkins' hash of bytes, as in the Linux kernel
 *
 * Source: Jenkins, "lookup3.c", May 2006, hashlittle(); Linux include/linux/jhash.h, which
 * is the same on little-endian machines.
 */
#ifndef ECMPLAB_JHASH_H
#define ECMPLAB_JHASH_H

#include <stddef.h>
#include <stdint.h>

uint32_t jhash(const uint8_t *bytes, size_t length, uint32_t initval);

#endif
