/* bench_merge.c - what heddle merge costs: SHARDS documents of EACH findings, DISTINCT ones in all; prints time and memory.
 *
 *   bench_merge SHARDS EACH DISTINCT
 *
 * The documents are made one after the other, as they are read from folders, and are as large as those of real runs.
 * Each fourth finding has the cause of another one.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "reports/merge_documents.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static json_t *finding(unsigned long k, unsigned long first)
{
    char name[32], print[24], headline[80], report[2100], cause[32];

    snprintf(name, sizeof name, "data-race-%lu", k + 1);
    snprintf(cause, sizeof cause, "data-race-%lu", k);
    snprintf(print, sizeof print, "%016lx", (k + 1) * 0x9e3779b97f4a7c15ul);
    snprintf(headline, sizeof headline, "data race on counter_%lu: worker and main", k);
    snprintf(report, sizeof report, "%s  %s\n%1900s\n", name, headline, "|");
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:n, s:n, s:i, s:i, s:i, s:b, s:[s], s:s}",
                     "name", name, "kind", "data-race", "fingerprint", print, "headline", headline,
                     "first_schedule", (json_int_t)first, "same_cause", k % 4 == 3 ? cause : NULL,
                     "same_as", "doubtful", "schedules", 1, "replays", 3, "reproduced", 3, "fails",
                     1, "tools", "heddle", "report", report);
}

static json_t *document(unsigned long shard, unsigned long shards, unsigned long each,
                        unsigned long distinct)
{
    json_t *list = json_array();

    for (unsigned long i = 0; i < each; i++)
        json_array_append_new(list, finding((shard * each + i) % distinct, shard * 1000 + i + 1));
    return json_pack("{s:[{s:s, s:s, s:n, s:f, s:{s:o, s:[], s:{s:I, s:I}, s:{s:i}, s:i, s:i, s:s, "
                     "s:{s:s}}}]}",
                     "tests", "name", "server", "verdict", "failed", "why", "seconds", 1.0,
                     "report", "findings", list, "excluded", "shard", "index",
                     (json_int_t)shard + 1, "count", (json_int_t)shards, "statistics", "schedules",
                     1000, "suppressed", 0, "seed", 1, "strategy", "auto", "program", "build_id",
                     "0");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: bench_merge SHARDS EACH DISTINCT\n", stderr);
        return 2;
    }
    unsigned long shards = strtoul(argv[1], NULL, 10), each = strtoul(argv[2], NULL, 10),
                  distinct = strtoul(argv[3], NULL, 10);
    struct merge *m = merge_new();
    json_t *missing = json_array();
    double made = 0, began = now();

    for (unsigned long s = 0; s < shards; s++) {
        double t = now();
        json_t *one = document(s, shards, each, distinct);
        made += now() - t;
        char *why = merge_add(m, one, "shard");
        if (why) {
            fprintf(stderr, "%s\n", why);
            return 1;
        }
        json_decref(one);
    }
    double added = now();
    json_t *all = merge_finish(m, missing);
    double ended = now();
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf(
        "%lu findings in %lu shards, %zu distinct: added in %.2f s, named and grouped in %.2f s, "
        "%.0f MB\n",
        shards * each, shards,
        json_array_size(json_object_get(
            json_object_get(json_array_get(json_object_get(all, "tests"), 0), "report"),
            "findings")),
        added - began - made, ended - added, (double)use.ru_maxrss / 1024);
    json_decref(all);
    json_decref(missing);
    return 0;
}
