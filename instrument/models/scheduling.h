/* scheduling.h - what the program asked of the kernel's scheduler: CPUs, policies, priorities.
 *
 * The kernel does not get to know: all threads run on one CPU, one at a time, under the policy that
 * heddle was started with. The program is told what it would be natively.
 */
#ifndef HEDDLE_SCHEDULING_H
#define HEDDLE_SCHEDULING_H

#include <sched.h>

#include "core/thread.h"

/* main was made; these are the CPUs that the program may run on. None: that is left to the
 * kernel. */
void hdi_scheduling_start(const cpu_set_t *cpus);
/* self makes t: it inherits, or gets what attr says. 0 or an errno value. */
int hdi_scheduling_inherit(struct hdi_thread *t, const struct hdi_thread *self,
                           const pthread_attr_t *attr);
/* The attributes that the kernel may get to know, in *copy. */
const pthread_attr_t *hdi_scheduling_attr(const pthread_attr_t *attr, pthread_attr_t *copy);
/* The calling thread begins. */
void hdi_scheduling_begin(void);
/* This process is a child of the program, which runs where it likes. */
void hdi_scheduling_forked(void);
/* Around a call that makes a child. */
void hdi_scheduling_release_cpu(void);
void hdi_scheduling_pin(void);

#endif /* HEDDLE_SCHEDULING_H */
