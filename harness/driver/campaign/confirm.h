/* confirm.h - a new finding is replayed at once, first with everything on, and saved. */
#ifndef HEDDLE_DRIVER_CONFIRM_H
#define HEDDLE_DRIVER_CONFIRM_H

#include "predict/predicted_deadlocks.h"
#include "schedules/schedule.h"
#include "symptom.h"

struct confirmation;

/* The schedule that ended in w showed `list`, which is taken over: known ones are counted, new ones
 * replayed. NULL: none is new. Else confirm_next() is to be called until it gives NULL, and list
 * kept until then. */
struct confirmation *confirm(struct campaign *c, struct worker *w, uint64_t number,
                             struct symptom *list, size_t count);
/* The next new finding, now one of the campaign's, and in *predicted what is to be tried because of
 * it. NULL, k released: there is no other. */
struct finding *confirm_next(struct campaign *c, struct confirmation *k,
                             struct steering *predicted);
/* Release k, of which no more is wanted, or NULL. */
void confirm_drop(struct confirmation *k);
/* Write the files of f, which confirm_next() gave last. */
void confirm_save(struct campaign *c, struct confirmation *k, struct finding *f);

/* The file of a schedule that shows f; free() it. NULL: it could not be made. */
char *confirm_schedule(struct campaign *c, const struct finding *f, struct schedule *s,
                       size_t *bytes);

/* The story of f, as w has just run it; index: of it in the region, < 0: it was not noted there. */
void confirm_take_story(struct campaign *c, struct worker *w, struct finding *f, int index);
/* Write what is reported of f, and its story, once more when that has changed. */
void confirm_report(struct campaign *c, struct finding *f);

/* The finding that a symptom's key belongs to, or NULL. Borrowed. */
struct finding *confirm_known(struct campaign *c, uint64_t key);
/* Is f a prediction that was not brought about, and that a schedule showed to be none? */
bool confirm_is_excluded(struct campaign *c, const struct finding *f);
/* Release what confirm() remembers. */
void confirm_forget(struct campaign *c);

#endif /* HEDDLE_DRIVER_CONFIRM_H */
