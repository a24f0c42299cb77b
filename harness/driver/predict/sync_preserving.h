/* sync_preserving.h - the sync-preserving races of one tape: pairs of conflicting accesses that
 * some reordering of the same events puts side by side, in which every thread does the same, every
 * read sees the same write, and critical sections of a lock that are both there keep their order.
 *
 * A pair is one iff neither access is in the least set of events that holds what comes before both
 * and is closed under: the order of each thread; the write that a read saw; what a clock was given
 * before it was taken; and, of each lock, the end of a section when a later one that excludes it
 * has begun. Sections of readers exclude those of writers alone. Everything that is no lock keeps
 * its order, so that no event of the set could have gone otherwise.
 *
 *   shape      events of a tape, in order; indices of events are those of the tape
 *   ownership  the tape is borrowed until syncp_free()
 *   time       a search for one pair of places at one cell of memory is linear in their accesses
 *   bounds     a tape that asks for too much memory is cut where that became so: syncp_events()
 * source: Mathur, Pavlogiannis and Viswanathan, "Optimal prediction of synchronization-preserving
 *         races", POPL 2021.
 */
#ifndef HEDDLE_DRIVER_SYNC_PRESERVING_H
#define HEDDLE_DRIVER_SYNC_PRESERVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/tape.h"

struct syncp;

/* `events` entries, of threads below `threads`. careful: every plain write is taken to have read
 * before, since compilers do not tell of a read that a write to the same place follows. Never NULL.
 */
struct syncp *syncp_new(const struct hdp_tape_event *tape, uint32_t events, uint32_t threads,
                        bool careful);
void syncp_free(struct syncp *s);
/* How many events were looked at. */
uint32_t syncp_events(const struct syncp *s);

/* Do the accesses a and b, of two threads, race? They must conflict: syncp_conflict(). */
bool syncp_is_race(struct syncp *s, uint32_t a, uint32_t b);
/* Common memory (of one life), different threads, one a write, not both atomic. */
bool syncp_conflict(const struct syncp *s, uint32_t a, uint32_t b);

/* How many of its events each thread has done in the reordering where a and b are next.
 * prefix[thread] for all threads. False: they do not race. */
bool syncp_witness(struct syncp *s, uint32_t a, uint32_t b, uint32_t *prefix);
/* The i-th event of a thread; UINT32_MAX: it has not so many. And back. */
uint32_t syncp_event_of(const struct syncp *s, uint32_t thread, uint32_t i);
uint32_t syncp_position(const struct syncp *s, uint32_t event);

/* One pair of accesses for each pair of places that has one. `wanted` may refuse a pair of places,
 * and is asked again after each that was found. guesses: instead, pairs that only locks, and what
 * was read under them, keep in order; no lock is common to both. Those may be impossible.
 * `work` bounds the search: false when it did not suffice. */
struct syncp_search {
    bool guesses;
    uint64_t work;
    bool (*wanted)(void *arg, uint64_t site_a, uint64_t site_b);
    void (*found)(void *arg, uint32_t a, uint32_t b);
    void *arg;
};
bool syncp_search(struct syncp *s, const struct syncp_search *search);

#endif /* HEDDLE_DRIVER_SYNC_PRESERVING_H */
