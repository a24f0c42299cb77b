/* calling_context.h - calling contexts as numbers: a tree with one node per distinct stack.
 *
 * A node is 16 bytes whatever the depth, so that each access of a rich schedule can name its whole
 * stack in 32 bits. 0 is the empty stack; also what is given when the tree is full.
 *   threads  any one at a time
 */
#ifndef HEDDLE_CALLING_CONTEXT_H
#define HEDDLE_CALLING_CONTEXT_H

#include <stdint.h>

/* The context of `pc` within `parent`. */
uint32_t hdi_context_child(uint32_t parent, uint64_t pc);
/* `context` with the number of a lock set (lockset.h) and of a decision of the schedule; 0 = none.
 * Far from the tree's end the step is noted, near it left out. */
uint32_t hdi_context_noted(uint32_t context, uint32_t locks, uint32_t step);
uint32_t hdi_context_locks(uint32_t context);
uint32_t hdi_context_step(uint32_t context);
/* Up to `max` program counters of a context, innermost first; how many. */
uint32_t hdi_context_pcs(uint32_t context, uint64_t *pcs, uint32_t max);

#endif /* HEDDLE_CALLING_CONTEXT_H */
