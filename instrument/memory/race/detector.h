/* detector.h - happens-before data races, exact to the byte.
 *
 * Fed with accesses and synchronisation in the order in which they happen (one thread runs at a
 * time, so there is such an order). A race is a pair of accesses to a common byte by two threads,
 * one of them a write, not both atomic, that no happens-before path orders. Every pair in which the
 * earlier access is the last of its kind is seen: nothing is sampled or evicted.
 *
 * C11 orders: an acquire reads a clock only from the release sequence that it reads from; relaxed
 * operations make no edge by themselves; fences turn relaxed neighbours into release and acquire.
 *
 *   threads    any one at a time
 *   time       access: O(1) while one thread uses a word, O(threads that read it) otherwise
 * source: Flanagan and Freund, FastTrack, PLDI 2009; C17 5.1.2.4, 7.17.3, 7.17.4.
 */
#ifndef HEDDLE_DETECTOR_H
#define HEDDLE_DETECTOR_H

#include "shadow.h"
#include "vclock.h"

struct hdi_racer {
    uint32_t epoch;         /* of its accesses now */
    uint32_t tid;           /* dense, from 0 */
    uint32_t context;       /* rich schedules: calling context of the access being fed */
    struct hdi_vclock now;  /* what it knows: happens-before */
    struct hdi_vclock must; /* the same without the edges that only the order of lock owners made */
    struct hdi_vclock pending_acquire; /* what its relaxed loads saw: an acquire fence takes it */
    struct hdi_vclock fence_release;   /* what its last release fence published */
    bool fenced;                       /* fence_release is valid */
};

/* The earlier side of a race. */
struct hdi_earlier {
    uint32_t tid, clock;
    uint32_t pc; /* low half of the return address */
    uint32_t context;
    enum hdi_access kind;
    uint8_t mask; /* bytes of the word that both sides touch */
};

enum hdi_order { HDI_RELAXED, HDI_CONSUME, HDI_ACQUIRE, HDI_RELEASE, HDI_ACQ_REL, HDI_SEQ_CST };

static inline bool hdi_acquires(int order)
{
    return order == HDI_CONSUME || order == HDI_ACQUIRE || order >= HDI_ACQ_REL;
}
static inline bool hdi_releases(int order)
{
    return order >= HDI_RELEASE;
}

/* What the detector tells; link-time, so that a test can listen. word is 8-aligned. */
void hdi_race_found(struct hdi_racer *t, uintptr_t word, enum hdi_access kind, uint64_t pc,
                    const struct hdi_earlier *earlier);
/* The cell of `word` has just become HDI_CELL_SHARED: the two accesses race, or may. */
void hdi_race_shared(uintptr_t word, uint64_t pc, uint32_t earlier_pc);
/* Two conflicting accesses that only the order in which locks were taken kept apart. True: in
 * another order they may race. Asked often. */
bool hdi_race_candidate(struct hdi_racer *t, uint64_t pc, const struct hdi_earlier *earlier);
/* The word holds no atomics any more. */
void hdi_race_forgot(uintptr_t word);

/* Which kinds an access of a kind makes superfluous: all that conflicts with those, conflicts with
 * it. */
extern const uint8_t hdi_race_covers[HDI_FREED + 1];

/* A new thread with the next tid; NULL when 1024 exist already. */
struct hdi_racer *hdi_race_thread(void);
/* The clock of some thread ran out: nothing after that is checked. */
extern bool hdi_race_exhausted;

/* True when the access adds nothing to what the cell knows. Inline part of hdi_race_access. */
static inline bool hdi_race_known(const struct hdi_racer *t, const struct hdi_cell *cell,
                                  uint8_t mask, enum hdi_access kind)
{
    for (unsigned i = 0; i < 2; i++)
        if (cell->epoch[i] == t->epoch && (cell->meta[i] & mask) == mask) {
            unsigned had = cell->meta[i] >> 8;
            /* the compiler knows kind: one comparison for the plain ones */
            if (kind == HDI_READ    ? had <= HDI_WRITE
                : kind == HDI_WRITE ? had == HDI_WRITE
                                    : hdi_race_covers[had] >> kind & 1)
                return true;
        }
    return false;
}

/* Bytes [addr, addr + bytes), any size and alignment. pc: return address. */
void hdi_race_access(struct hdi_racer *t, uintptr_t addr, size_t bytes, enum hdi_access kind,
                     uint64_t pc);

/* Edges by address, for models and annotations: acquire takes all that any release gave. `lock`: an
 * edge from one owner of a lock to the next, which another schedule might turn around. */
void hdi_race_release(struct hdi_racer *t, uintptr_t clock);
void hdi_race_acquire(struct hdi_racer *t, uintptr_t clock, bool lock);
/* The clock is not used any more. */
void hdi_race_forget(uintptr_t clock);
/* t, inside the lock with this clock, meets an access that conflicts with an earlier one: if that
 * was made before a release of the lock by its thread, the two critical sections keep their order,
 * and t takes what the releases gave. False: it was not. (Rule a of weak-causally-precedes, Kini,
 * Mathur and Viswanathan, PLDI 2017, with whole prefixes in place of sections.) */
bool hdi_race_lock_orders(struct hdi_racer *t, uintptr_t clock, const struct hdi_earlier *earlier);

/* Atomics, after the access itself has been fed. The clock of a location is that of the release
 * sequence headed by the last release store. */
void hdi_race_atomic_load(struct hdi_racer *t, uintptr_t addr, int order);
void hdi_race_atomic_store(struct hdi_racer *t, uintptr_t addr, int order);
void hdi_race_atomic_rmw(struct hdi_racer *t, uintptr_t addr, int order);
void hdi_race_fence(struct hdi_racer *t, int order);

/* For a weak memory model, where a load reads a chosen store: what a store publishes (NULL: nothing), what
 * follows from having done so, and the effect of reading a store that published `clock`. */
const struct hdi_vclock *hdi_race_publishes(const struct hdi_racer *t, int order);
void hdi_race_published(struct hdi_racer *t, int order);
void hdi_race_read_from(struct hdi_racer *t, const struct hdi_vclock *clock, int order);

/* Memory was allocated, unmapped or given to a new thread: forget accesses and atomics. */
void hdi_race_reset(uintptr_t addr, size_t bytes);
/* A block was freed by t: marks the bytes, after checking that nobody races with the free; `ordered`:
 * without, as whoever freed it may have an order that is not seen. */
void hdi_race_freed(struct hdi_racer *t, uintptr_t addr, size_t bytes, bool ordered, uint64_t pc);

/* A block is given back to the kernel by t: the same check, of what was accessed, and no marks. */
void hdi_race_goes(struct hdi_racer *t, uintptr_t addr, size_t bytes, uint64_t pc);

#endif /* HEDDLE_DETECTOR_H */
