/* A flow as people and as programs write it. */
#include <stdlib.h>
#include <string.h>

#include "sim/input/flow.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config_iface ifaces[] = {{.name = "bridge-lan"}, {.name = "wan1"}};
    static const char *const marks[] = {"isp1"};
    struct router_config c;
    struct flow f;
    char error[256], *text = malloc(size + 1);

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    config_set_defaults(&c, PLATFORM_ROUTEROS7);
    c.ifaces = ifaces;
    c.ifaces_len = 2;
    c.marks = marks;
    c.marks_len = 1;
    flow_parse(text, &f, error, sizeof error);
    flow_parse_json(text, size, &c, &f, error, sizeof error);
    free(text);
    return 0;
}
