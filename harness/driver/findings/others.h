/* others.h - what a schedule did to what a thread waits for: who sent, received, signalled, and where
 * those are who could have. From the story of a rich replay; without one there is no history. */
#ifndef HEDDLE_DRIVER_OTHERS_H
#define HEDDLE_DRIVER_OTHERS_H

#include "finding.h"
#include "scene.h"

/* Give each note that waits the history of its object. */
void others_add(const struct scene *scene, struct finding *f);
/* Which case the select of a decision took at once: "recv CH2 (closed)"; NULL: it waited, or it is not
 * known. free() it. */
char *others_taken(const struct scene *scene, uint32_t step);

/* Who closed a channel last; NULL: nobody did, as far as is known. Its thread stands in the table. */
const struct hdp_story_event *others_closed(const struct scene *scene, uint32_t channel);

#endif /* HEDDLE_DRIVER_OTHERS_H */
