/* judge.h - was there anything wrong with a schedule? */
#ifndef HEDDLE_DRIVER_JUDGE_H
#define HEDDLE_DRIVER_JUDGE_H

#include "symptom.h"

/* All symptoms of a schedule that has ended. Returns how many; symptoms_free() them. */
size_t judge(struct campaign *c, struct worker *w, uint64_t number, struct symptom list[SYMPTOMS]);
/* No schedule will follow: complete the words of findings that a comparison of all makes. */
void judge_finish(struct campaign *c);
/* Hash of the decisions of the schedule that ended in r. */
uint64_t judge_decisions(const struct hdp_region *r);
/* The first difference of two traces in words, or NULL; free() it. */
char *judge_difference(struct campaign *c, const struct hdp_step *old, uint32_t old_steps,
                       const struct hdp_region *r);

#endif /* HEDDLE_DRIVER_JUDGE_H */
