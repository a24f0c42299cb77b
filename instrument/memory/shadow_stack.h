/* shadow_stack.h - what the memory hooks know of a thread: its shadow stack, and once memory is
 * watched, its clock.
 *
 * The shadow stack is exact: the compiler tells each entry and exit. Frames left by longjmp are
 * recognised by their stack pointers. hdi_watched is NULL in every thread until hdi_memory_start,
 * so that a program, or a part of one, that has a single thread pays one load and one branch an
 * access.
 */
#ifndef HEDDLE_SHADOW_STACK_H
#define HEDDLE_SHADOW_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/race/detector.h"

struct hdi_frame {
    uint64_t pc;      /* return address of the function, in its caller */
    uint32_t sp;      /* low half of the stack pointer at entry */
    uint32_t context; /* interned path up to here; 0: not yet */
};

#define HDI_FRAMES 65536u /* deeper frames are counted, not kept */
#define HDI_SEEN 8u

/* A thread as the hooks for memory see it: its stack, and what the detector knows. */
struct hdi_memory_thread {
    struct hdi_frame *top; /* one past the innermost frame */
    struct hdi_frame *base, *limit;
    struct hdi_racer *racer; /* NULL: not watched */
    struct hdi_thread *thread;
    /* accesses until one is made a point whatever it is (see tsan_coverage_callbacks.c) */
    uint32_t quiet;
    /* the same while a tape is kept, where `quiet` sends each access the long way */
    uint32_t budget;
    uint32_t stamp;             /* of the tape: what it did to synchronise so far */
    uint32_t busy;              /* inside the runtime */
    uint32_t unread, unwritten; /* so often told to ignore its reads and writes */
    uint32_t repeats;           /* loads in a row that brought nothing new */
    uint32_t seen_at;
    uint64_t writes; /* to other memory than its stack, where each access goes the long way */
    uint64_t seen[HDI_SEEN]; /* hashes of recent loads: place, address and value */
};

#define HDI_TLS _Thread_local __attribute__((tls_model("initial-exec"), visibility("hidden")))
extern HDI_TLS struct hdi_memory_thread *hdi_memory_thread_self;
extern HDI_TLS struct hdi_memory_thread *hdi_watched;

/* The caller's, made at first use. */
struct hdi_memory_thread *hdi_memory_thread_make(void);
/* By racer's tid; NULL if unknown. */
struct hdi_memory_thread *hdi_memory_thread_of(uint32_t tid);
/* Begin to feed the detector from the calling thread. */
void hdi_memory_thread_watch(void);

/* The caller's calling context, `pc` innermost (0: leave it out). */
uint32_t hdi_memory_thread_context(struct hdi_memory_thread *s, uint64_t pc);

#endif /* HEDDLE_SHADOW_STACK_H */
