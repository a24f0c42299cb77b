/* mark.h - what can be reached from where, over one snapshot of the memory.
 *
 * Spans that may be reached are blocks of the heap and the extras that the caller adds: the stacks
 * of waiting threads, freed memory, handles. Whatever is scanned marks the spans that its words
 * point into; marked blocks and stacks are scanned in turn, when hdi_mark_all() is called.
 *   threads  the one that looks
 */
#ifndef HEDDLE_REACH_MARK_H
#define HEDDLE_REACH_MARK_H

#include "snapshot.h"

enum hdi_extra_kind {
    HDI_EXTRA_STACK,  /* scanned when it is reached */
    HDI_EXTRA_FREED,  /* the C library's own pointers into it do not count */
    HDI_EXTRA_HANDLE, /* of a thread */
};

/* Take the snapshot. False: it cannot be had. */
bool hdi_mark_begin(void);
const struct hdi_map *hdi_mark_map(void);

/* Where does `addr` lie? */
enum hdi_place { HDI_PLACE_BLOCK, HDI_PLACE_FREED, HDI_PLACE_ELSEWHERE };
/* span: the block, or the room between two blocks; else not touched. */
enum hdi_place hdi_mark_place(uintptr_t addr, struct hdi_span *span);

/* These bytes are no roots: stacks, which are told apart, and what is weak. */
bool hdi_mark_exclude(uintptr_t low, uintptr_t high);
/* Equal and disjoint spans only. */
bool hdi_mark_extra(uintptr_t low, uintptr_t high, enum hdi_extra_kind kind);

/* From here on. thorough: words at every byte, and bits above the address left out of account.
 * Marks of before are forgotten. */
bool hdi_mark_start(bool thorough);
void hdi_mark_word(uintptr_t word);
void hdi_mark_memory(uintptr_t low, uintptr_t high);
void hdi_mark_roots(void); /* every mapping, but for what is excluded and for the heap */
/* Follow what is marked to the end. False: the memory is too large, or could not be read. */
bool hdi_mark_all(void);
size_t hdi_mark_bytes(void);     /* looked through since the start */
bool hdi_marked(uintptr_t addr); /* the block or extra that holds it */

#endif /* HEDDLE_REACH_MARK_H */
