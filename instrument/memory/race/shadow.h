/* shadow.h - what is remembered of each byte of the program's memory.
 *
 * Eight bytes of memory have one cell of 32 bytes: up to three accesses, each with the bytes that
 * it is still the latest of its kind for. More than three go to an overflow chain, so nothing is
 * ever forgotten. Cells are found over a directory of 4 MiB chunks, mapped when first needed; the
 * kernel gives pages as they are touched. hdi_shadow_limit pages of program memory are watched at
 * most; beyond that accesses are not checked, and hdi_shadow_full says so.
 *
 *   threads  any one at a time
 */
#ifndef HEDDLE_SHADOW_H
#define HEDDLE_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hdi_access {
    HDI_READ,
    HDI_ALLOCATED, /* by a call of the program: a write */
    HDI_WRITE,
    HDI_ATOMIC_READ,
    HDI_ATOMIC_WRITE,
    HDI_FREED, /* the block is freed: conflicts with everything, afterwards whatever the order */
};

#define HDI_CELL_SLOTS 3u
#define HDI_OVERFLOW 0xffffu /* meta[2]: epoch[2] is the index of an overflow block */

/* meta of a slot: mask of bytes in the low byte (0: empty), enum hdi_access above. */
static inline uint16_t hdi_meta(uint8_t mask, enum hdi_access kind)
{
    return (uint16_t)(mask | (unsigned)kind << 8);
}

#define HDI_CELL_SHARED 1u /* two accesses raced here, or may in another order */
#define HDI_CELL_SYNC 2u   /* holds an atomic with a clock or a history */

struct hdi_cell {
    uint32_t epoch[HDI_CELL_SLOTS];
    uint32_t pc[HDI_CELL_SLOTS]; /* low half of the return address */
    uint16_t meta[HDI_CELL_SLOTS];
    uint16_t flags; /* HDI_CELL_*; survives a clear */
};
_Static_assert(sizeof(struct hdi_cell) == 32, "two cells to a cache line");

#define HDI_OVERFLOW_SLOTS 6u
struct hdi_overflow {
    uint32_t epoch[HDI_OVERFLOW_SLOTS];
    uint32_t pc[HDI_OVERFLOW_SLOTS];
    uint32_t context[HDI_OVERFLOW_SLOTS];
    uint16_t meta[HDI_OVERFLOW_SLOTS];
    uint32_t next; /* index of the next block, 0: none */
};

#define HDI_CHUNK_SHIFT 22
#define HDI_CHUNK_CELLS (1u << (HDI_CHUNK_SHIFT - 3))
#define HDI_CHUNK_PAGES (1u << (HDI_CHUNK_SHIFT - 12))
#define HDI_DIRECTORY (1ul << (47 - HDI_CHUNK_SHIFT))

struct hdi_chunk {
    struct hdi_cell cell[HDI_CHUNK_CELLS];
    uint8_t touched[HDI_CHUNK_PAGES];   /* page of program memory has cells in use */
    uint32_t context[][HDI_CELL_SLOTS]; /* rich schedules alone: calling contexts of the slots */
};

extern struct hdi_chunk **hdi_shadow_directory; /* NULL before hdi_shadow_init */
extern bool hdi_shadow_full;

/* Reserve the directory. `rich`: keep calling contexts. limit_bytes bounds the memory for cells.
 * False if the address space cannot be had. */
bool hdi_shadow_init(bool rich, size_t limit_bytes);
bool hdi_shadow_rich(void);

/* The cell of the 8 bytes around addr, NULL if its chunk was never touched. */
static inline struct hdi_cell *hdi_shadow_find(uintptr_t addr)
{
    size_t at = addr >> HDI_CHUNK_SHIFT;
    if (__builtin_expect(at >= HDI_DIRECTORY, 0))
        return NULL;
    struct hdi_chunk *chunk = hdi_shadow_directory[at];
    if (__builtin_expect(!chunk, 0))
        return NULL;
    return &chunk->cell[addr >> 3 & (HDI_CHUNK_CELLS - 1)];
}

/* The same, made if needed and its page marked; NULL when the limit is reached. */
struct hdi_cell *hdi_shadow_get(uintptr_t addr);
/* Contexts of the inline slots of addr's cell; NULL unless rich. */
uint32_t *hdi_shadow_contexts(uintptr_t addr);

struct hdi_overflow *hdi_overflow_at(uint32_t index);
/* A zeroed block; 0 when memory is out. */
uint32_t hdi_overflow_new(void);
/* Give a chain back. */
void hdi_overflow_free(uint32_t index);

/* The first address from `addr` on whose page has cells; `end`: there is none before. */
uintptr_t hdi_shadow_touched(uintptr_t addr, uintptr_t end);
/* Forget accesses to [addr, addr + bytes); the flags of cells stay. `on_sync` (may be NULL) is
 * called with the address of each cell with HDI_CELL_SYNC, which is then cleared. */
void hdi_shadow_clear(uintptr_t addr, size_t bytes, void (*on_sync)(uintptr_t word));
/* The invariants of shadow.c, of addr's cell. */
void hdi_shadow_check(uintptr_t addr);
/* Bytes of memory used by cells. */
size_t hdi_shadow_bytes(void);

#endif /* HEDDLE_SHADOW_H */
