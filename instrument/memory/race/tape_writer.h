/* tape_writer.h - keep the tape of a schedule (wire/tape.h), when the driver asked for one.
 *
 *   threads  the one that has the turn; does nothing for a thread that is not watched
 */
#ifndef HEDDLE_RACE_TAPE_WRITER_H
#define HEDDLE_RACE_TAPE_WRITER_H

#include "memory/shadow_stack.h"
#include "wire/tape.h"

/* NULL: no tape is kept. */
extern struct hdp_tape *hdi_tape;

/* Begin, with the locks that the calling thread holds. `steps` counts decisions. */
void hdi_tape_start(struct hdp_tape *tape, const uint32_t *steps);
/* An access to [addr, addr + bytes), already made or about to be; point: it was a scheduling
 * point. */
void hdi_tape_access(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdp_tape_kind kind, uint64_t pc, bool point);
/* New memory: what was there before is another matter. */
void hdi_tape_reset(uintptr_t addr, size_t bytes);
/* The edges of the models, by the address of lock or clock. The thread's lock set has the lock. */
void hdi_tape_acquire(struct hdi_memory_thread *s, const void *clock);
void hdi_tape_release(struct hdi_memory_thread *s, const void *clock);
/* LOOK and TURN. */
void hdi_tape_note(enum hdp_tape_kind kind, const void *clock);

#endif /* HEDDLE_RACE_TAPE_WRITER_H */
