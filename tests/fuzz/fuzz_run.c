/* A capture, replayed through the recipe while a WAN fails, to the result and its text. */
#include <stdlib.h>
#include <unistd.h>

#include "sim/observe/expect.h"
#include "sim/observe/metrics.h"
#include "sim/report/report.h"
#include "sim/timeline/simulation.h"
#include "tests/fuzz/fuzz.h"

/* The recipe itself must read: else every input would be refused for its sake. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct diag *d = diag_create("recipe", NULL, 0);
    struct scenario *s = scenario_read("tests/fuzz/recipe.json", NULL, d);

    (void)argc;
    (void)argv;
    if (!s)
        abort();
    scenario_free(s);
    diag_destroy(d);
    return 0;
}

static void replay(const struct scenario *s)
{
    char error[512];
    struct simulation *sim = simulation_create(s);
    struct metrics *m = metrics_create(s, simulation_router(sim));
    const struct observer watching = metrics_observer(m);
    json_t *result;

    simulation_observe(sim, &watching);
    simulation_run(sim, error, sizeof error);
    result = metrics_result(m, sim);
    if (!json_is_true(json_object_get(json_object_get(result, "run"), "balanced")))
        abort(); /* a packet counted nowhere */
    expect_judge(s, result);
    json_decref(result);
    metrics_destroy(m);
    simulation_destroy(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];
    const int fd = fuzz_file(data, size, path);
    const struct scenario_changes changes = {.pcap = path};
    struct diag *d = diag_create("recipe", NULL, 0);
    struct scenario *s = scenario_read("tests/fuzz/recipe.json", &changes, d);

    if (s) /* else it is no capture */
        replay(s);
    scenario_free(s);
    diag_destroy(d);
    close(fd);
    return 0;
}
