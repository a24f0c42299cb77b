/* report_json.h - a campaign as one JSON document; docs/json.md is its description. */
#ifndef HEDDLE_DRIVER_REPORT_JSON_H
#define HEDDLE_DRIVER_REPORT_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "findings/finding.h"
#include "stats.h"

#define REPORT_JSON_VERSION 1

/* What the document tells; all borrowed. */
struct report {
    const char *program, *build_id;
    char *const *argument; /* NULL-terminated */
    const char *strategy;
    uint64_t seed;
    const char *trouble; /* why the campaign could not go on, or NULL */
    const struct stats *stats;
    const struct findings *findings;
    const struct findings *excluded; /* predictions that other schedules showed to be none */
    size_t suppressed;               /* findings that were left out */
    unsigned shard, shards;          /* 0: not split */
};

/* The document. `code` is the exit code of the command. */
json_t *report_json(const struct report *r, int code);

/* One finding of all, as it stands in the document; a new reference. */
json_t *report_json_finding(const struct findings *all, const struct finding *f);

#endif /* HEDDLE_DRIVER_REPORT_JSON_H */
