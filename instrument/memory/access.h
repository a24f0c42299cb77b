/* access.h - memory under watch: which accesses are points, what is learned, who spins.
 *
 * Between the entry points that compilers call (hooks.c, atomics.c, heap.c) and the race detector.
 *   threads  the one that has the turn
 */
#ifndef HEDDLE_ACCESS_H
#define HEDDLE_ACCESS_H

#include "core/control.h"
#include "wire/points.h"
#include "shadow_stack.h"

struct hdi_watch {
    bool instrumented; /* some module called __tsan_init */
    bool wanted;       /* the first thread is there: watch as soon as an instrumented module is */
    bool on;           /* memory is watched */
    bool all;          /* every access is a point */
    struct hdi_memory_config config;
};
extern struct hdi_watch hdi_watch;

/* Sites that are points in this schedule: an exact set, open addressing, 0 = empty. */
#define HDI_POINT_SLOTS 32768u
extern uint64_t hdi_point_sites[HDI_POINT_SLOTS];

/* By the low bits of a site: could it be a point? One load for the many that are none. */
extern uint8_t hdi_point_hint[4096];

static inline uint32_t hdi_point_slot(uint64_t pc)
{
    /* neighbours stay neighbours: a schedule touches few pages of the table */
    return (uint32_t)(pc ^ pc >> 20) & (HDI_POINT_SLOTS - 1);
}

static inline bool hdi_is_point(uint64_t pc)
{
    if (__builtin_expect(!hdi_point_hint[pc & 4095], 1))
        return false;
    for (uint32_t i = hdi_point_slot(pc);; i = (i + 1) & (HDI_POINT_SLOTS - 1)) {
        uint64_t site = hdi_point_sites[i];
        if (site == pc)
            return true;
        if (!site)
            return false;
    }
}

/* While places are scouted (see access.c): the last one that went the long way, by its low bits; else NULL. */
extern uint64_t *hdi_scouted;

/* Does an access at pc go the long way, whatever it accesses? */
static inline bool hdi_goes_long_way(uint64_t pc)
{
    if (__builtin_expect(!hdi_point_hint[pc & 4095], 1))
        return false;
    return hdi_is_point(pc) || (hdi_scouted && hdi_scouted[pc & 4095] != pc);
}

/* Accesses that a thread may make without a point: after so many it yields, so that a loop over
 * memory that is no point cannot keep the others from running for ever. Many at first, since who
 * computes must be able to be first at the lock that comes next. (1 when all are points.) */
#define HDI_QUIET_FIRST 2000000u
#define HDI_QUIET 20000u

/* An access to a shared word: note which locks its place is reached with (see
 * memory/race/reordered.c). */
void hdi_predict_access(const struct hdi_thread *t, uint64_t pc);
/* In a rich schedule: note where the calling thread is and which locks it holds, for the access
 * that is fed next. */
void hdi_note_context(struct hdi_memory_thread *s, uint64_t pc);
/* Remember that pc touches shared memory: a point from the next schedule on. */
void hdi_points_learn(uint64_t pc);

/* A point at an access to [addr, addr + bytes). */
void hdi_access_point(struct hdi_memory_thread *s, enum hd_event kind, uintptr_t addr, uint64_t pc);
/* Everything that is not the fast path of an access: point, detector, learning. */
void hdi_access_slow(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdi_access kind, uint64_t pc);
/* A load at a point gave `value`: a thread that keeps loading the same yields. */
void hdi_loaded(struct hdi_memory_thread *s, uintptr_t addr, uint64_t value, uint64_t pc);
/* An atomic store that no hook sees is about to be made. Not a point. */
void hdi_atomic_stores(const uint8_t *at, uint8_t value, int order, uint64_t pc);
/* An atomic operation of more bytes than the memory model has was made by a library. `value`: what was
 * loaded, as far as it goes. */
enum hdi_atomic_step { HDI_LOADED, HDI_STORED, HDI_UPDATED };
void hdi_atomic_done(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdi_atomic_step step, uint64_t value, int order, uint64_t pc);
/* The caller calls the kernel, which makes that a full barrier; which reads a word for the caller. */
void hdi_memory_barrier(uint64_t pc);
uint32_t hdi_memory_word(const uint32_t *word, uint64_t pc);
/* The return address whose low half is `pc`; 0 if no loaded code has it. */
uint64_t hdi_full_pc(uint32_t pc);
/* The thread did something that others can see. */
static inline void hdi_progress(struct hdi_memory_thread *s)
{
    s->repeats = 0;
    for (unsigned i = 0; i < HDI_SEEN; i++)
        s->seen[i] = 0;
}

/* Code of a module that has hooks: what it orders is seen, too. */
bool hdi_is_watched_code(uint64_t pc);
/* The calling thread's, when what a call at `pc` accesses is to be looked at; else NULL. */
static inline struct hdi_memory_thread *hdi_watched_caller(uint64_t pc)
{
    struct hdi_memory_thread *s = hdi_watched;

    return s && !s->busy && hdi_is_watched_code(pc) ? s : NULL;
}
/* A function of libc that was called at `pc` accesses memory for its caller. Nothing while memory is not
 * watched, or the caller has no hooks. */
void hdi_call_reads(const void *p, size_t bytes, uint64_t pc);
void hdi_call_writes(const void *p, size_t bytes, uint64_t pc);
/* Memory is watched from now on: switch the hooks of all modules on. */
void hdi_hooks_start(void);

/* The whole of an access: inline part. */
static inline __attribute__((always_inline)) void hdi_access(uintptr_t addr, size_t bytes,
                                                             enum hdi_access kind, uint64_t pc)
{
    struct hdi_memory_thread *s = hdi_watched;
    if (__builtin_expect(!s, 1))
        return;
    if ((addr & 7) + bytes <= 8 && --s->quiet && !hdi_goes_long_way(pc)) {
        const struct hdi_cell *cell = hdi_shadow_find(addr);
        uint8_t mask = (uint8_t)(((1u << bytes) - 1) << (addr & 7));
        if (cell && !(cell->flags & HDI_CELL_SHARED) && hdi_race_known(s->racer, cell, mask, kind))
            return;
    }
    hdi_access_slow(s, addr, bytes, kind, pc);
}

#endif /* HEDDLE_ACCESS_H */
