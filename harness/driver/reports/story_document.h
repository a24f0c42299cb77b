/* story_document.h - the story of a finding: its schedule event by event, as a JSON document of its own
 * ("heddle-story", docs/json.md), which the timeline of the HTML report and traces are made of.
 */
#ifndef HEDDLE_DRIVER_STORY_DOCUMENT_H
#define HEDDLE_DRIVER_STORY_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "findings/collect.h"

#define STORY_VERSION 1

/* A longer schedule is told from where so many steps are left. */
#define STORY_STEPS 100000u

/* The story of `f`, which a rich replay showed, up to its decision `end` (0: its last one). `program` is the path
 * that sources are looked for near. free() it. */
char *story_document(const struct scene *scene, const struct finding *f, uint32_t end,
                     const char *program, size_t *bytes);

#endif /* HEDDLE_DRIVER_STORY_DOCUMENT_H */
