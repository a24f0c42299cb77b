/* kept.h - the schedules of findings, as their files have them, kept until the campaign's are run. */
#ifndef HEDDLE_DRIVER_KEPT_H
#define HEDDLE_DRIVER_KEPT_H

#include "campaign_state.h"

struct kept_schedule {
    struct finding *finding; /* borrowed */
    uint64_t key;            /* of its symptom */
    struct hdp_config config;
    char *text;
    size_t bytes;
};

/* Keep the schedule of f, and how it was run. */
void kept_add(struct campaign *c, struct finding *f, uint64_t key, const char *schedule,
              size_t bytes, const struct hdp_config *config);
/* Release them all. */
void kept_forget(struct campaign *c);

#endif /* HEDDLE_DRIVER_KEPT_H */
