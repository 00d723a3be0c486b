/* A list of connections, in the format that its first byte names, made into packets. */
#include <unistd.h>

#include "sim/traffic/flowlist.h"
#include "sim/traffic/pacer.h"
#include "tests/fuzz/fuzz.h"

enum { PACKETS_MAX = 20000, BATCH = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct captured packets[BATCH];
    char path[FUZZ_PATH_MAX], error[512];
    struct flowlist_options o = {.path = path, .speed = 1};
    struct flowlist *list;
    int fd;

    if (size == 0)
        return 0;
    o.format = &flow_formats[data[0] % FLOW_FORMATS];
    fd = fuzz_file(data + 1, size - 1, path);
    list = flowlist_load(&o, error, sizeof error);
    if (list) {
        struct flowlist_cursor cursor = {.list = list};
        const struct demand_source source = flowlist_source(&cursor);
        struct pacer *p = pacer_create(&source);

        for (int n = 0, got; n < PACKETS_MAX && (got = pacer_read(p, packets, BATCH)) > 0;)
            n += got;
        pacer_destroy(p);
    }
    flowlist_free(list);
    close(fd);
    return 0;
}
