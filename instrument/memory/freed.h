/* freed.h - memory that was given back, and locks that are used in it all the same.
 *
 * Of plain builds too: what is known of the heap is which blocks live (reach/heap_bitmap.c), and of
 * the blocks and stacks given back last who did it. Says nothing when the allocator is another one
 * or --reach=off.   threads  the one that has the turn; others are passed over
 */
#ifndef HEDDLE_FREED_H
#define HEDDLE_FREED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hdi_object;

/* A block of the heap is about to be given back by the call at `site`. Whoever is about to use a
 * lock, semaphore, … in it, or waits for one, is a finding that ends the schedule. */
void hdi_freed(const void *p, size_t bytes, uint64_t site);
/* The memory is something else now, although no block of the heap. */
void hdi_freed_forget(const void *p, size_t bytes);

/* Is o where it was made, for certain: a variable of a module, or in a block that lived on? */
bool hdi_stayed(const struct hdi_object *o);

#endif /* HEDDLE_FREED_H */
