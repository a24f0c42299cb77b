/* asleep.h - natively: do all goroutines wait for each other? Known only when no thread of the
 * program is anywhere but in a wait of this library without an end, no timer is pending, and no
 * handler of a signal could come. Then the program is ended, as Go does.
 *
 * Whoever wakes a sleeper takes it out first: it is itself awake until then, so at no moment does
 * one that was let go count as asleep while all others do. */
#ifndef HDI_ASLEEP_H
#define HDI_ASLEEP_H

#include <stdbool.h>

/* The calling thread can do nothing until somebody takes it out. */
void hdi_asleep_enter(void);

/* By whoever is about to wake one that has entered, or is about to. */
void hdi_asleep_take_out(void);

/* Is the calling thread, which sleeps, the one that looks once a second? */
bool hdi_asleep_may_look(void);
void hdi_asleep_looks_no_more(void);

/* By that one: are all asleep, and have all been since it last looked? */
bool hdi_asleep_all(void);
_Noreturn void hdi_asleep_for_ever(void);

/* Is there no fibre to run, and no worker that is about to end? */
bool hdi_fibres_rest(void);

#endif /* HDI_ASLEEP_H */
