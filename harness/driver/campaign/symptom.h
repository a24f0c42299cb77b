/* symptom.h - why a schedule failed, as cheap as possible to tell. */
#ifndef HEDDLE_DRIVER_SYMPTOM_H
#define HEDDLE_DRIVER_SYMPTOM_H

#include "campaign_state.h"

struct symptom {
    uint64_t key; /* equal: the same finding */
    enum hd_finding_kind kind;
    int index;             /* in region->finding, or -1: the driver's own verdict */
    char *text;            /* of the driver's own */
    struct finding *found; /* of another tool; owned */
};
enum { SYMPTOMS = HDP_FINDINGS + 32 };

void symptoms_free(struct symptom *list, size_t count);
/* The finding of a symptom, in words; w still holds the schedule. Owned by the caller. */
struct finding *symptom_finding(struct campaign *c, struct worker *w, struct symptom *s);

#endif /* HEDDLE_DRIVER_SYMPTOM_H */
