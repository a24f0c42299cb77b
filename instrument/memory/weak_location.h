/* weak_location.h - what weak_memory.c keeps of an atomic location, for the two models.
 *
 * A location has its last stores in modification order. Memory itself holds the last of them.
 *
 *   threads  the one that has the turn
 */
#ifndef HEDDLE_WEAK_LOCATION_H
#define HEDDLE_WEAK_LOCATION_H

#include "shadow_stack.h"

#define HDI_KEPT_STORES 8u

struct hdi_store {
    uint64_t value;
    struct hdi_vclock edges; /* what an acquire that reads it takes */
    uint32_t tid;            /* who made it */

    /* C11 */
    struct hdi_vclock seen; /* of each thread: its clock when it first made or read it; 0: never */
    uint32_t sc_turn;       /* of the first seq_cst operation that made or read it; 0: none */
    bool known;             /* to all */
    bool update;            /* of the store before it, from which nothing may part it */

    bool pending; /* TSO: in its thread's buffer */
};

struct hdi_location {
    uintptr_t addr;
    struct hdi_location *next;
    uint32_t bytes;
    uint32_t count; /* of stores; never 0 between operations */
    struct hdi_store store[HDI_KEPT_STORES];
};

static inline struct hdi_store *hdi_location_last(struct hdi_location *at)
{
    return &at->store[at->count - 1];
}

void hdi_store_clear(struct hdi_store *st);
/* Make room for a store behind the first `index` ones; where there are too many, the first of all is
 * forgotten. The new one is empty. */
struct hdi_store *hdi_location_insert(struct hdi_location *at, uint32_t index);
uint64_t hdi_in_memory(uintptr_t addr, uint32_t bytes);
/* Memory holds what the last store wrote. */
void hdi_location_write(const struct hdi_location *at);
/* Does memory hold that? If not, a plain access wrote it. */
bool hdi_location_intact(struct hdi_location *at);

/* A compare-exchange: which values and orders. */
struct hdi_exchange {
    uint64_t expected;
    int order, failure;
    bool weak;
};

/* C11: the index of the store that a load may read, of one behind which an update may be put (NULL: no
 * compare-exchange that tells whether it `succeeds`), and that of a new store. */
uint32_t hdi_c11_load(struct hdi_memory_thread *s, struct hdi_location *at, int order, uint64_t pc);
uint32_t hdi_c11_update(struct hdi_memory_thread *s, struct hdi_location *at, int order,
                        uint64_t pc);
uint32_t hdi_c11_exchange(struct hdi_memory_thread *s, struct hdi_location *at,
                          const struct hdi_exchange *x, bool *succeeds, uint64_t pc);
uint32_t hdi_c11_store(struct hdi_memory_thread *s, struct hdi_location *at, int order,
                       uint64_t pc);
/* The thread has read or made the store. */
void hdi_c11_seen(struct hdi_memory_thread *s, struct hdi_store *store, int order);
void hdi_c11_fence(struct hdi_memory_thread *s);

/* TSO: the index of the store that a load reads, or a locked instruction. */
uint32_t hdi_tso_load(struct hdi_memory_thread *s, struct hdi_location *at, uint64_t pc);
uint32_t hdi_tso_locked(struct hdi_memory_thread *s, struct hdi_location *at, uint64_t pc);
/* Before a store: the location takes one more. */
void hdi_tso_before_store(struct hdi_memory_thread *s, struct hdi_location *at, uint64_t pc);
/* The last store is its thread's, and waits in its buffer. */
void hdi_tso_enqueue(struct hdi_memory_thread *s, struct hdi_location *at);
/* A fence: all that the thread stored is in memory. */
void hdi_tso_drain(struct hdi_memory_thread *s, uint64_t pc);
/* All that anybody stored is. */
void hdi_tso_drain_all(void);
/* All stores to the location reach memory. */
void hdi_tso_settle(struct hdi_location *at);
/* The location is forgotten. */
void hdi_tso_forget(const struct hdi_location *at);

#endif /* HEDDLE_WEAK_LOCATION_H */
