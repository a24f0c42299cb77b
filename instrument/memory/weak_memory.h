/* weak_memory.h - what an atomic load may return when the memory model is weaker than interleaving.
 *
 * Each atomic location that is used in such a run keeps its last stores. A load chooses among those
 * that the model allows (through hdi_choose, so the choice is explored, recorded and replayed). The
 * memory itself always holds the newest one. Never shown: a load that returns a store of its own
 * future, stores to one location out of the order in which they were made. A load that is repeated
 * returns the newest store: stores become visible in finite time.
 *
 *   shape    values of up to 8 bytes; locations by address
 *   order    enum hdi_order
 *   last     the value that memory held before the operation
 *   epoch    of the thread before the edges of the operation were made
 *   threads  the one that has the turn
 * source: C17 5.1.2.4, 7.17.3; Owens, Sarkar and Sewell, x86-TSO, TPHOLs 2009.
 */
#ifndef HEDDLE_WEAK_MEMORY_H
#define HEDDLE_WEAK_MEMORY_H

#include "shadow_stack.h"

/* The value to return; makes the edges of having read it. */
uint64_t hdi_model_load(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, int order,
                        uint64_t pc);
/* A load that returns the newest store: a failed compare-and-swap. */
void hdi_model_read_last(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, int order);
/* After the edges of the store (hdi_race_atomic_store). */
void hdi_model_store(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, uint64_t value,
                     int order, uint32_t epoch);
/* The same for an update. */
void hdi_model_update(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, uint64_t value,
                      int order, uint32_t epoch);
/* Before the edges of the fence. */
void hdi_model_fence(struct hdi_memory_thread *s, int order);
/* A modelled call that publishes (unlock, thread exit, post): what was stored before it is
 * visible. */
void hdi_model_publish(struct hdi_memory_thread *s);

#endif /* HEDDLE_WEAK_MEMORY_H */
