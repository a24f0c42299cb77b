/* fibres.h - goroutines of lib/ that no thread carries (HEDDLE_LIB=fibres): they become threads of
 * the snapshot that have no number. */
#ifndef HEDDLE_DRIVER_FIBRES_H
#define HEDDLE_DRIVER_FIBRES_H

#include "snapshot.h"

/* Where the library tells of them, from the map: before the process is stopped. */
void fibres_locate(struct snapshot *s);

/* Takes them, and says which thread carries which goroutine. keep: copies memory into the snapshot,
 * NULL if it has all. */
void fibres_take(struct snapshot *s, void (*keep)(void *arg, uint64_t addr, size_t bytes),
                 void *arg);

/* Does the thread sleep because the library has nothing for it to do? */
bool fibres_rests(const struct snapshot *s, const struct seen_thread *t);

#endif /* HEDDLE_DRIVER_FIBRES_H */
