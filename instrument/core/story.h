/* story.h - the story of a schedule, for a person to follow: written in rich replays alone.
 *
 *   threads   the one that has the turn
 */
#ifndef HEDDLE_CORE_STORY_H
#define HEDDLE_CORE_STORY_H

#include "thread.h"
#include "wire/story.h"

extern struct hdp_story *hdi_story; /* NULL: nobody reads it */

/* t cannot go on with what it is about to do. */
void hdi_story_waits(const struct hdi_thread *t, const struct hdi_op *op);
/* It can; `by` made it so, NULL: time did, or nobody here. */
void hdi_story_goes_on(const struct hdi_thread *t, const struct hdi_op *op,
                       const struct hdi_thread *by);

#endif /* HEDDLE_CORE_STORY_H */
