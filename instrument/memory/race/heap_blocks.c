/* heap_blocks.c - an open-addressed table of heap blocks, by start address; entries are never
 * removed, an address that is handed out again takes its old entry. */
#include "core/control.h"
#include "heap_blocks.h"

static struct hdi_block *table;
static size_t room, used;

static size_t place(const struct hdi_block *in, size_t size, uintptr_t addr)
{
    /* neighbours stay neighbours: a schedule touches few pages of the table */
    size_t i = (addr >> 4 ^ addr >> 24) & (size - 1);
    while (in[i].addr && in[i].addr != addr)
        i = (i + 1) & (size - 1);
    return i;
}

static void grow(void)
{
    size_t size = room ? room * 4 : 4096;
    struct hdi_block *bigger = hdi_alloc_lasting(size * sizeof *bigger);
    for (size_t i = 0; i < room; i++)
        if (table[i].addr)
            bigger[place(bigger, size, table[i].addr)] = table[i];
    table = bigger;
    room = size;
}

struct hdi_block *hdi_block_born(uintptr_t addr, size_t bytes)
{
    if (used * 2 >= room)
        grow();
    struct hdi_block *b = &table[place(table, room, addr)];
    used += !b->addr;
    *b = (struct hdi_block){.addr = addr, .bytes = bytes};
    return b;
}

struct hdi_block *hdi_block_at(uintptr_t addr)
{
    if (!room)
        return NULL;
    struct hdi_block *b = &table[place(table, room, addr)];
    return b->addr ? b : NULL;
}

struct hdi_block *hdi_block_around(uintptr_t addr)
{
    struct hdi_block *found = NULL;
    for (size_t i = 0; i < room; i++) {
        struct hdi_block *b = &table[i];
        if (b->addr && addr >= b->addr && addr < b->addr + b->bytes && (!found || found->freed))
            found = b;
    }
    return found;
}
