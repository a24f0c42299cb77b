/* heap_blocks.h - the heap blocks of the program: who allocated which bytes, where.
 *
 * A freed block is remembered until its address is handed out again, for use-after-free and double
 * free.
 *
 *   threads    any one at a time (under the turn, or before the first thread)
 *   ownership  entries are the table's; pointers hold until the next hdi_block_born
 */
#ifndef HEDDLE_HEAP_BLOCKS_H
#define HEDDLE_HEAP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hdi_block {
    uintptr_t addr; /* 0: unused entry */
    size_t bytes;
    uint64_t site, freed_site;       /* return addresses of the calls */
    uint32_t context, freed_context; /* see calling_context.h */
    uint32_t thread, freed_thread;   /* name hashes */
    bool freed;
};

struct hdi_block *hdi_block_born(uintptr_t addr, size_t bytes);
/* By start address; NULL if unknown. */
struct hdi_block *hdi_block_at(uintptr_t addr);
/* The block that holds addr, a live one before a freed one; NULL if none. O(blocks): for
 * reports. */
struct hdi_block *hdi_block_around(uintptr_t addr);

#endif /* HEDDLE_HEAP_BLOCKS_H */
