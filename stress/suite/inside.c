/* inside.c - explore a scenario inside one process, and answer as `heddle run --json` would. */
#include "suite.h"

#include <stdio.h>

#include <heddle/test.h>

static void body(void *scenario)
{
    suite_begin();
    ((const struct scenario *)scenario)->run();
    suite_end();
}

int suite_explore(const struct scenario *s, uint32_t schedules, uint64_t seed)
{
    struct hd_explore_options options = {.schedules = schedules, .seed = seed};
    struct hd_explore_result result;
    int failed = hd_explore(body, (void *)(uintptr_t)s, &options, &result);

    if (failed < 0) {
        fprintf(stderr, "%s\n", result.report);
        return 3;
    }
    printf("{\"findings\": [");
    if (failed)
        printf("{\"kind\": \"%s\", \"first_schedule\": %llu}", result.word,
               (unsigned long long)result.first);
    printf("], \"statistics\": {\"schedules\": %llu, \"virtual_seconds\": %.9f}}\n",
           (unsigned long long)result.schedules, (double)result.virtual_ns / 1e9);
    return failed;
}
