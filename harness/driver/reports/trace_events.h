/* trace_events.h - the story of a finding as Chrome trace events, which Perfetto reads too
 * (https://ui.perfetto.dev): a process a finding, a track a thread, a decision ten microseconds. */
#ifndef HEDDLE_DRIVER_TRACE_EVENTS_H
#define HEDDLE_DRIVER_TRACE_EVENTS_H

#include <jansson.h>
#include <stdbool.h>

/* A document without events; a new reference. */
json_t *trace_new(void);
/* Add those of a story ("heddle-story") as process `pid`, from 1 on. False: the story is damaged. */
bool trace_add(json_t *trace, const json_t *story, int pid, const char *name);

#endif /* HEDDLE_DRIVER_TRACE_EVENTS_H */
