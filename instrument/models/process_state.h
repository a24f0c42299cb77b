/* process_state.h - what a process has one of and its threads change for each other, without memory or an object of
 * theirs that would tell. */
#ifndef HEDDLE_PROCESS_STATE_H
#define HEDDLE_PROCESS_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum hdi_process_state {
    HDI_WORKING_DIRECTORY,
    HDI_THREAD_NAMES,
    HDI_MEMORY_MAPS,
    HDI_PROCESS_STATES
};

/* The calling thread is about to look at it, or to change it: others may come before that. */
void hdi_process_state(enum hdi_process_state which, bool changes, uint64_t site);

#endif /* HEDDLE_PROCESS_STATE_H */
