/* weak_memory.h - what atomic operations do when the memory model is weaker than interleaving.
 *
 * Each atomic location that is used in such a run keeps its last stores. Which of them an operation
 * reads, where in modification order a store goes, or when it leaves its thread's buffer is chosen among
 * what the model allows (through hdi_choose, so the choice is explored, recorded and replayed). Memory
 * itself holds the last store in modification order. Never shown: a load that returns a store of its own
 * future. A load that is repeated returns the last store: stores become visible in finite time.
 *
 *   shape    values of up to 8 bytes; locations by address
 *   order    enum hdi_order
 *   threads  the one that has the turn
 * source: C++20 [intro.races]; c11_order.c and store_buffers.c have the models.
 */
#ifndef HEDDLE_WEAK_MEMORY_H
#define HEDDLE_WEAK_MEMORY_H

#include "weak_location.h"

/* A load, or the first half of an update, picks the store that it reads, and gives its value. */
uint64_t hdi_model_pick(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes, int order,
                        uint64_t pc);
uint64_t hdi_model_pick_update(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes,
                               int order, uint64_t pc);
/* So does a compare-exchange. True: it succeeds. */
bool hdi_model_pick_exchange(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes,
                             const struct hdi_exchange *x, uint64_t *value, uint64_t pc);
/* What was picked is read; then, in an update, followed by the new value. Makes the edges. */
void hdi_model_read(struct hdi_memory_thread *s, int order);
void hdi_model_update(struct hdi_memory_thread *s, uint64_t value, int order);

void hdi_model_store(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes, uint64_t value,
                     int order, uint64_t pc);
/* Before the edges of the fence. */
void hdi_model_fence(struct hdi_memory_thread *s, int order, uint64_t pc);
/* A modelled call that makes order (lock, unlock, post, thread exit): a processor's buffer is empty
 * after it. */
void hdi_model_synchronised(struct hdi_memory_thread *s);
/* Mapped memory moves: no store to it waits any more. */
void hdi_model_before_move(void);

#endif /* HEDDLE_WEAK_MEMORY_H */
