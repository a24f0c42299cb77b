/* annotate.h - what the program said about itself (heddle/annotate.h), for the detectors.
 *
 * It is kept from the moment on when it was said, also before control begins, and through every
 * schedule of the in-process explorer.
 *   threads  the one that has the turn
 */
#ifndef HEDDLE_INSTRUMENT_ANNOTATE_H
#define HEDDLE_INSTRUMENT_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nothing was ever said of memory: spares the look-up. */
extern bool hdi_said_any_benign;

/* Races on all of these bytes are meant. */
bool hdi_said_benign(uintptr_t addr, size_t bytes);
/* The memory changes hands: what was said of it is over. */
void hdi_said_forget(uintptr_t addr, size_t bytes);
/* The order in which the lock at addr is taken is in order. */
bool hdi_said_order_ok(uintptr_t lock);

#endif /* HEDDLE_INSTRUMENT_ANNOTATE_H */
