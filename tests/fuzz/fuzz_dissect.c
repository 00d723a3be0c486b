/* One IP packet, and the fragments that it may be part of, under every hash policy. */
#include "core/hash.h"
#include "core/reassembly.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reassembly *r = reassembly_create();
    struct hash_config c = {.layout = HASH_LINUX};
    struct reassembly_held held;
    struct packet p, whole;

    hash_set_seed(&c, 7);
    /* Packets behind each other, each preceded by its length in two bytes. */
    while (size > 2) {
        const size_t length = (size_t)data[0] << 8 | data[1];
        const size_t here = length < size - 2 ? length : size - 2;

        if (packet_dissect(data + 2, here, length, &p) == DISSECT_OK) {
            for (unsigned policy = HASH_L3; policy <= HASH_CUSTOM; policy++) {
                c.v4.policy = c.v6.policy = (uint8_t)policy;
                c.v4.fields = c.v6.fields = (uint16_t)(data[0] << 4 | 0xfff);
                hash_packet(&c, &p);
            }
            reassembly_add(r, &p, (int64_t)size, &whole, &held);
        }
        data += 2 + here;
        size -= 2 + here;
    }
    reassembly_destroy(r);
    return 0;
}
