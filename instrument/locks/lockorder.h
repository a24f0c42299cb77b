/* lockorder.h - the lock-order graph of a program under control: what the models tell it, and its
 * findings. All of it does nothing until hdi_lockorder_start(); the schedule's process starts it
 * when the first thread is about to be made, for nothing that one thread does alone can deadlock.
 *
 *   threads   the one that has the turn
 */
#ifndef HEDDLE_LOCKORDER_H
#define HEDDLE_LOCKORDER_H

#include "core/thread.h"

/* rich: take a stack at every acquisition. */
void hdi_lockorder_start(struct hdi_thread *main, bool rich);
void hdi_lockorder_made(struct hdi_thread *t);
void hdi_lockorder_joined(struct hdi_thread *t, struct hdi_thread *joiner);
void hdi_lockorder_ended(struct hdi_thread *t);

/* The calling thread took the lock of h, at this site. */
void hdi_lockorder_held(const struct hdi_held *h, uint64_t site);
/* t released it; `times` as often as it had taken it. */
void hdi_lockorder_dropped(struct hdi_thread *t, const struct hdi_object *object, uint32_t times);
void hdi_lockorder_destroyed(const struct hdi_object *object);
/* Writers that wait keep readers out. */
void hdi_lockorder_writer_first(const struct hdi_object *object);

/* A semaphore that began with 1: a lock, as long as whoever takes it releases it. */
void hdi_lockorder_semaphore(const struct hdi_object *object);
void hdi_lockorder_took(struct hdi_object *object, enum hd_event kind, uint64_t site);

/* The program ends: the last findings; from here on nothing is watched. */
void hdi_lockorder_finish(void);

/* Leave the graph in `out` when the schedule ends, by hdi_lockorder_export(). After start. */
struct hdp_lock_graph;
void hdi_lockorder_keep(struct hdp_lock_graph *out);
void hdi_lockorder_export(void);
/* Orders and searches given up for want of room. */
uint64_t hdi_lockorder_forgotten(void);

#endif /* HEDDLE_LOCKORDER_H */
