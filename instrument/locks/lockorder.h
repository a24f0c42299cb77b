/* lockorder.h - the lock-order graph of a program under control. It observes what happens
 * (core/observers.h) from STARTS to ENDS: nothing that one thread does alone can deadlock.
 *
 *   threads   the one that has the turn
 */
#ifndef HEDDLE_LOCKORDER_H
#define HEDDLE_LOCKORDER_H

#include <stdint.h>

/* Leave the graph in `out` when the schedule ends, by hdi_lockorder_export(). After STARTS. */
struct hdp_lock_graph;
void hdi_lockorder_keep(struct hdp_lock_graph *out);
void hdi_lockorder_export(void);
/* Orders and searches given up for want of room. */
uint64_t hdi_lockorder_forgotten(void);

#endif /* HEDDLE_LOCKORDER_H */
