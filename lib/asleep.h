/* asleep.h - natively: do all goroutines wait for each other? Known only when no thread of the
 * program is anywhere but in a wait of this library without an end, no timer is pending, and no
 * handler of a signal could come. Then the program is ended, as Go does.
 */
#ifndef HDI_ASLEEP_H
#define HDI_ASLEEP_H

#include <stdbool.h>
#include <stdint.h>

/* How many forks are between the first process and this one. */
extern uint32_t hdi_process;

/* The calling thread, which has written that it sleeps, does nothing until it is let go. */
void hdi_asleep_enter(void);

/* By whoever is about to let one go that has entered, or is about to. */
void hdi_asleep_take_out(void);

/* Is the calling thread, which sleeps, the one that looks once a second? Others ask again after a
 * nap. */
bool hdi_asleep_may_look(void);
void hdi_asleep_looks_no_more(void);
int64_t hdi_asleep_nap_ns(bool looks);

/* By that one: are all asleep, and have all been since it last looked? */
bool hdi_asleep_all(void);
_Noreturn void hdi_asleep_for_ever(void);

/* Is there no fibre to run, and no worker that is about to end? */
bool hdi_fibres_rest(void);

#endif /* HDI_ASLEEP_H */
