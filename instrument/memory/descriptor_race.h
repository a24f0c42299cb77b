/* descriptor_race.h - who opened, uses and closed which descriptor: one that is closed while another thread
 * uses it, or after another has closed it.
 *
 * A number that is closed under its user may be another file by then. Told of what is seen in the schedule:
 * a descriptor that is closed while another thread is about to use it, or in a call that does; a number that
 * is used, or closed, after it was closed, and that nobody opened again; and with heddle-cc a close that
 * nothing orders behind a use, or behind the opening of what has the number now. Where dup2() replaces what
 * is open its users have one that is open: that is no close. Who closes one number after the other, whatever
 * is open, closes none twice.
 *
 *   threads  the one that has the turn; others are passed over
 */
#ifndef HEDDLE_DESCRIPTOR_RACE_H
#define HEDDLE_DESCRIPTOR_RACE_H

#include "memory/race/detector.h"

/* The call at `site` has opened fd, which this returns; nothing below 0. */
int hdi_descriptor_opened(int fd, uint64_t site);
/* It is about to use fd, or to close it. */
void hdi_descriptor_used(int fd, uint64_t site);
void hdi_descriptor_closes(int fd, uint64_t site);

/* Does the word stand for a descriptor? Then a race on it is told here. */
bool hdi_descriptor_raced(uintptr_t word, uint64_t pc, const struct hdi_earlier *earlier);

#endif /* HEDDLE_DESCRIPTOR_RACE_H */
