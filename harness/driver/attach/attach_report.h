/* attach_report.h - what was seen in a process, as people and programs read it. */
#ifndef HEDDLE_DRIVER_ATTACH_REPORT_H
#define HEDDLE_DRIVER_ATTACH_REPORT_H

#include <stdio.h>

#include "findings/finding.h"
#include "view.h"

struct attached {
    struct view **look; /* the last one is the one that is reported */
    int64_t *at;        /* when each was taken */
    size_t looks;
    struct findings findings;
};

void attach_report(FILE *to, const struct attached *a, bool bold);
/* docs/json.md; code: the exit code. */
void attach_report_json(FILE *to, const struct attached *a, int code);

#endif /* HEDDLE_DRIVER_ATTACH_REPORT_H */
