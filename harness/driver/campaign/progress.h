/* progress.h - what a campaign says while it runs: one line that changes on a terminal, plain lines
 * from time to time in a pipe. All on stderr. */
#ifndef HEDDLE_DRIVER_PROGRESS_H
#define HEDDLE_DRIVER_PROGRESS_H

#include "findings/finding.h"
#include "reports/stats.h"

struct live {
    bool terminal, quiet, shown;
    int64_t last_ns;
};

void live_start(struct live *l, bool quiet);
/* Call often: prints when it is time to. */
void live_update(struct live *l, const struct stats *s, const struct findings *all);
/* A new finding, at once. */
void live_found(struct live *l, const struct finding *f);
/* Clear the line; nothing more comes. */
void live_end(struct live *l);

#endif /* HEDDLE_DRIVER_PROGRESS_H */
