/* A result or comparison document from anywhere, drawn as text and as JSON. */
#include <jansson.h>
#include <stdio.h>

#include "sim/report/report.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct report_options o = {.colour = true};
    json_t *result = json_loadb((const char *)data, size, 0, NULL);
    FILE *nowhere = fopen("/dev/null", "w");

    if (result && nowhere) {
        report_draw_text(result, &o, nowhere);
        report_draw_text_comparison(result, &o, nowhere);
        report_draw_json(result, &o, nowhere);
    }
    if (nowhere)
        fclose(nowhere);
    json_decref(result);
    return 0;
}
