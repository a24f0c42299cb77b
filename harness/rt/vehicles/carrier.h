/* carrier.h - many threads on one kernel thread: see carrier.c. */
#ifndef HEDDLE_RT_CARRIER_H
#define HEDDLE_RT_CARRIER_H

#include "turn/rt.h"

extern const struct rt_vehicle rt_carrier;

/* Give t a stack on which it will run its routine. False: out of memory. */
bool rt_carrier_start(struct hdi_thread *t);
/* From the explorer: run threads, t first, until all are gone or one leaves. */
void rt_carrier_enter(struct hdi_thread *t);
/* From a thread: back to the explorer; every stack is abandoned as it is. */
void rt_carrier_leave(void) __attribute__((noreturn));
/* A thread-local variable that belongs to a thread of ours. */
void rt_carrier_local(void **word);

#endif /* HEDDLE_RT_CARRIER_H */
