/* native_schedules.h - plain repetition: the operating system schedules, the program is started
 * anew each time. For programs too big to control, and as the measure for what control gains.
 *
 * What such a run shows cannot be replayed decision by decision. A finding is repeated with the
 * same seed of the perturbation, and says how often it came again.
 */
#ifndef HEDDLE_DRIVER_NATIVE_SCHEDULES_H
#define HEDDLE_DRIVER_NATIVE_SCHEDULES_H

#include "campaign_state.h"

/* Run what an opened campaign asks for, without the runtime. c->options.perturb: push threads
 * around (instrument/observe/perturb.c), with the seed of the plan plus the number of the run. */
void native_run(struct campaign *c);

#endif /* HEDDLE_DRIVER_NATIVE_SCHEDULES_H */
