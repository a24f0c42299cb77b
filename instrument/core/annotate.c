/* annotate.c - see annotate.h
 *
 * Two tables by address, open addressing, doubled when half full. Their memory is their own: that
 * of the models is forgotten between two schedules of one process.
 */
#include "annotate.h"

#include <sys/mman.h>

#include "real.h"
#include "thread.h"

struct entry {
    uintptr_t key; /* 0 = free: nothing lies at address 0 */
    uintptr_t mask;
};
struct table {
    struct entry *entry;
    size_t room, used;
};

static struct table benign; /* by 8-byte word; mask of its bytes */
static struct table fine;   /* by lock */
bool hdi_said_any_benign;

static struct entry *slot(const struct table *t, uintptr_t key)
{
    size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & (t->room - 1);
    while (t->entry[i].key && t->entry[i].key != key)
        i = (i + 1) & (t->room - 1);
    return &t->entry[i];
}

static bool grow(struct table *t)
{
    struct table larger = {.room = t->room ? 2 * t->room : 256, .used = t->used};
    void *p = mmap(NULL, larger.room * sizeof *t->entry, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    larger.entry = p;
    for (size_t i = 0; i < t->room; i++)
        if (t->entry[i].key)
            *slot(&larger, t->entry[i].key) = t->entry[i];
    if (t->entry)
        munmap(t->entry, t->room * sizeof *t->entry);
    *t = larger;
    return true;
}

static void put(struct table *t, uintptr_t key, uintptr_t mask)
{
    if (2 * t->used >= t->room && !grow(t))
        return; /* out of memory: as if it had not been said */
    struct entry *e = slot(t, key);
    t->used += !e->key;
    e->key = key;
    e->mask |= mask;
}

/* The bytes of [addr, end) in the word of addr. */
static uintptr_t mask_of(uintptr_t addr, uintptr_t end)
{
    uintptr_t word = addr & ~(uintptr_t)7, mask = 0xffu << (addr & 7) & 0xffu;
    return end < word + 8 ? mask & (0xffu >> (word + 8 - end)) : mask;
}

bool hdi_said_benign(uintptr_t addr, size_t bytes)
{
    uintptr_t end = addr + bytes;
    if (!benign.room)
        return false;
    for (; addr < end; addr = (addr | 7) + 1) {
        uintptr_t mask = mask_of(addr, end);
        if ((slot(&benign, addr | 7)->mask & mask) != mask)
            return false;
    }
    return true;
}

void hdi_said_forget(uintptr_t addr, size_t bytes)
{
    uintptr_t end = addr + bytes;
    if (!benign.room)
        return;
    if (bytes / 8 > benign.room) {
        for (size_t i = 0; i < benign.room; i++)
            if (benign.entry[i].key >= addr && benign.entry[i].key - 7 < end)
                benign.entry[i].mask = 0;
        return;
    }
    for (; addr < end; addr = (addr | 7) + 1) {
        struct entry *e = slot(&benign, addr | 7);
        e->mask &= ~mask_of(addr, end);
    }
}

bool hdi_said_order_ok(uintptr_t lock)
{
    return fine.room && slot(&fine, lock)->key != 0;
}

HDI_EXPORT void heddle_rt_lock_order_ok(const void *lock);
HDI_EXPORT void heddle_rt_lock_order_ok(const void *lock)
{
    if (lock)
        put(&fine, (uintptr_t)lock, 1);
}

HDI_EXPORT void heddle_rt_expect_leak(void);
HDI_EXPORT void heddle_rt_expect_leak(void)
{
    if (hdi_enter())
        hdi_self()->leak.expected = true;
}

HDI_EXPORT void heddle_rt_benign_race(const volatile void *memory, size_t bytes);
HDI_EXPORT void heddle_rt_benign_race(const volatile void *memory, size_t bytes)
{
    uintptr_t addr = (uintptr_t)memory, end = addr + bytes;
    for (; memory && addr < end; addr = (addr | 7) + 1)
        put(&benign, addr | 7, mask_of(addr, end));
    hdi_said_any_benign = true;
}
