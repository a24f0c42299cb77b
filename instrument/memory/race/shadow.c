/* shadow.c - the directory, its chunks, overflow chains and bulk clearing.
 *
 * Invariants
 *   1. a cell with a slot in use lies in a page whose touched byte is set
 *   2. meta[2] == HDI_OVERFLOW iff epoch[2] names a live overflow block
 * hdi_shadow_check() goes through them.
 */
#include <sys/mman.h>

#include <heddle/invariant.h>

#include "core/control.h"
#include "shadow.h"

#define PAGE 4096u
#define CELLS_PER_PAGE (PAGE / 8)

struct hdi_chunk **hdi_shadow_directory;
bool hdi_shadow_full;

static bool keep_contexts;
static size_t pages_used, pages_limit;

#define OVERFLOW_BLOCKS (1u << 20)
static struct hdi_overflow *overflow;
static uint32_t overflow_used = 1, overflow_free;

bool hdi_shadow_init(bool rich, size_t limit_bytes)
{
    if (hdi_shadow_directory)
        return true;
    overflow = hdi_map(OVERFLOW_BLOCKS * sizeof(struct hdi_overflow));
    struct hdi_chunk **directory = hdi_map(HDI_DIRECTORY * sizeof *directory);
    if (!overflow || !directory)
        return false;
    keep_contexts = rich;
    pages_limit = limit_bytes / (CELLS_PER_PAGE * sizeof(struct hdi_cell));
    hdi_shadow_directory = directory;
    return true;
}

bool hdi_shadow_rich(void)
{
    return keep_contexts;
}

size_t hdi_shadow_bytes(void)
{
    return pages_used * CELLS_PER_PAGE * sizeof(struct hdi_cell);
}

static struct hdi_chunk *chunk_new(size_t at)
{
    size_t bytes = sizeof(struct hdi_chunk);
    if (keep_contexts)
        bytes += HDI_CHUNK_CELLS * sizeof(uint32_t[HDI_CELL_SLOTS]);
    return hdi_shadow_directory[at] = hdi_map(bytes);
}

struct hdi_cell *hdi_shadow_get(uintptr_t addr)
{
    size_t at = addr >> HDI_CHUNK_SHIFT;
    if (at >= HDI_DIRECTORY)
        return NULL;
    struct hdi_chunk *chunk = hdi_shadow_directory[at];
    if (!chunk && !(chunk = chunk_new(at))) {
        hdi_shadow_full = true;
        return NULL;
    }
    uint8_t *touched = &chunk->touched[addr >> 12 & (HDI_CHUNK_PAGES - 1)];
    if (!*touched) {
        if (pages_used >= pages_limit) {
            hdi_shadow_full = true;
            return NULL;
        }
        pages_used++;
        *touched = 1;
    }
    return &chunk->cell[addr >> 3 & (HDI_CHUNK_CELLS - 1)];
}

uint32_t *hdi_shadow_contexts(uintptr_t addr)
{
    if (!keep_contexts)
        return NULL;
    struct hdi_chunk *chunk = hdi_shadow_directory[addr >> HDI_CHUNK_SHIFT];
    return chunk->context[addr >> 3 & (HDI_CHUNK_CELLS - 1)];
}

/* A block on the free list is told by a first slot that no block in use has. */
static bool is_live(uint32_t index)
{
    return index > 0 && index < overflow_used && overflow[index].meta[0] != HDI_OVERFLOW;
}

struct hdi_overflow *hdi_overflow_at(uint32_t index)
{
    HD_ASSERT(is_live(index));
    return &overflow[index];
}

void hdi_shadow_check(uintptr_t addr)
{
    const struct hdi_cell *cell = hdi_shadow_find(addr);
    bool used = false;

    if (!HD_INVARIANTS || !cell)
        return;
    for (unsigned i = 0; i < HDI_CELL_SLOTS; i++)
        used |= cell->meta[i] != 0;
    HD_ASSERT(!used || hdi_shadow_directory[addr >> HDI_CHUNK_SHIFT]
                           ->touched[addr >> 12 & (HDI_CHUNK_PAGES - 1)]); /* 1 */
    HD_ASSERT(cell->meta[0] != HDI_OVERFLOW && cell->meta[1] != HDI_OVERFLOW);
    HD_ASSERT(cell->meta[2] != HDI_OVERFLOW || is_live(cell->epoch[2])); /* 2 */
}

uint32_t hdi_overflow_new(void)
{
    uint32_t index = overflow_free;
    if (index) {
        overflow_free = overflow[index].next;
        overflow[index] = (struct hdi_overflow){0};
        return index;
    }
    if (overflow_used == OVERFLOW_BLOCKS) {
        hdi_shadow_full = true;
        return 0;
    }
    return overflow_used++;
}

void hdi_overflow_free(uint32_t index)
{
    while (index) {
        uint32_t next = overflow[index].next;
        HD_ASSERT(is_live(index));
        if (HD_INVARIANTS)
            overflow[index].meta[0] = HDI_OVERFLOW;
        overflow[index].next = overflow_free;
        overflow_free = index;
        index = next;
    }
}

static void overflow_clear(uint32_t index, uint8_t keep)
{
    for (; index; index = overflow[index].next)
        for (unsigned i = 0; i < HDI_OVERFLOW_SLOTS; i++) {
            uint16_t meta = (uint16_t)(overflow[index].meta[i] & (0xff00u | keep));
            overflow[index].meta[i] = meta & 0xff ? meta : 0;
        }
}

/* Forget the bytes of `cell` that are not in `keep`. */
static void cell_clear(struct hdi_cell *cell, uintptr_t word, uint8_t keep,
                       void (*on_sync)(uintptr_t))
{
    if (cell->flags & HDI_CELL_SYNC && !keep) {
        cell->flags = (uint16_t)(cell->flags & ~HDI_CELL_SYNC);
        if (on_sync)
            on_sync(word);
    }
    if (cell->meta[2] == HDI_OVERFLOW) {
        if (keep) {
            overflow_clear(cell->epoch[2], keep);
        } else {
            hdi_overflow_free(cell->epoch[2]);
            cell->meta[2] = 0;
        }
    }
    for (unsigned i = 0; i < HDI_CELL_SLOTS; i++) {
        if (cell->meta[i] == HDI_OVERFLOW && i == 2)
            continue;
        uint16_t meta = (uint16_t)(cell->meta[i] & (0xff00u | keep));
        cell->meta[i] = meta & 0xff ? meta : 0;
    }
}

uintptr_t hdi_shadow_touched(uintptr_t addr, uintptr_t end)
{
    while (addr < end) {
        size_t at = addr >> HDI_CHUNK_SHIFT;
        const struct hdi_chunk *chunk = at < HDI_DIRECTORY ? hdi_shadow_directory[at] : NULL;
        if (chunk && chunk->touched[addr >> 12 & (HDI_CHUNK_PAGES - 1)])
            return addr;
        addr = chunk ? (addr | (PAGE - 1)) + 1 : (uintptr_t)(at + 1) << HDI_CHUNK_SHIFT;
    }
    return end;
}

void hdi_shadow_clear(uintptr_t addr, size_t bytes, void (*on_sync)(uintptr_t word))
{
    uintptr_t end = addr + bytes;
    while (addr < end) {
        size_t at = addr >> HDI_CHUNK_SHIFT;
        struct hdi_chunk *chunk = at < HDI_DIRECTORY ? hdi_shadow_directory[at] : NULL;
        uintptr_t chunk_end = (uintptr_t)(at + 1) << HDI_CHUNK_SHIFT;
        if (!chunk) {
            addr = chunk_end;
            continue;
        }
        uintptr_t stop = (addr | (PAGE - 1)) + 1;
        if (stop > end)
            stop = end;
        if (chunk->touched[addr >> 12 & (HDI_CHUNK_PAGES - 1)]) {
            while (addr < stop) {
                uintptr_t word = addr & ~(uintptr_t)7;
                uintptr_t next = word + 8;
                uint8_t gone = (uint8_t)(0xffu << (addr & 7));
                if (next > stop)
                    gone &= (uint8_t)(0xffu >> (next - stop));
                cell_clear(&chunk->cell[addr >> 3 & (HDI_CHUNK_CELLS - 1)], word, (uint8_t)~gone,
                           on_sync);
                addr = next < stop ? next : stop;
            }
        }
        addr = stop;
    }
}
