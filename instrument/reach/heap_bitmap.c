/* heap_bitmap.c - where blocks of the heap begin: one bit for each 16 bytes.
 *
 * The bits of 64 MiB lie together in a leaf, found by hashing; that is also how far apart glibc
 * places its arenas, so a leaf is an arena or part of none. malloc and free set and clear a bit,
 * any thread; the sizes are asked of malloc when somebody looks. Leaves are never given back.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "snapshot.h"
#include "reach.h"

#define LEAF_SHIFT 26
#define LEAF_BYTES ((uintptr_t)1 << LEAF_SHIFT)
#define LEAF_WORDS (LEAF_BYTES / 16 / 64)
#define SLOTS 1024u
#define MOST_BLOCKS ((size_t)1 << 20)
#define NOT_MAIN_ARENA 4u /* in the word before a block: glibc's chunk header */

struct leaf {
    uint64_t some[LEAF_WORDS / 64]; /* this word was not zero once */
    uint64_t start[LEAF_WORDS];
};

static struct {
    uintptr_t key; /* address >> LEAF_SHIFT; 0: free */
    struct leaf *leaf;
    bool arena;
} slot[SLOTS];

bool hdi_reach_on = true;
static size_t heap_bytes; /* in which blocks began, ever */
static bool overflow;     /* some blocks are not noted */
static bool ours;
static size_t (*usable_bytes)(void *);

void *hdi_reach_pages(size_t bytes)
{
    /* At the first malloc of a process nothing of libc has been looked up. */
    long rc = hdi_system_call(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (rc < 0 && rc > -4096)
        return NULL;
    hdi_map_add_own((uintptr_t)rc, (uintptr_t)rc + bytes);
    return (void *)rc;
}

size_t hdi_blocks_bytes(void)
{
    return __atomic_load_n(&heap_bytes, __ATOMIC_RELAXED);
}

static uint32_t home(uintptr_t key)
{
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 54);
}

static uint32_t find(uintptr_t a)
{
    uintptr_t key = a >> LEAF_SHIFT;

    for (uint32_t n = 0, i = home(key); n < SLOTS; n++, i = (i + 1) % SLOTS) {
        uintptr_t there = __atomic_load_n(&slot[i].key, __ATOMIC_ACQUIRE);
        if (there == key)
            return i;
        if (!there)
            return SLOTS;
    }
    return SLOTS;
}

/* A slot with a leaf for a; SLOTS when the table is full or memory short. */
static uint32_t get(uintptr_t a)
{
    uintptr_t key = a >> LEAF_SHIFT;
    uint32_t n = 0, i = home(key);

    for (; n < SLOTS; n++, i = (i + 1) % SLOTS) {
        uintptr_t there = 0;
        if (__atomic_compare_exchange_n(&slot[i].key, &there, key, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE) ||
            there == key)
            break;
    }
    if (n == SLOTS)
        return SLOTS;
    if (!__atomic_load_n(&slot[i].leaf, __ATOMIC_ACQUIRE)) {
        struct leaf *none = NULL, *fresh = hdi_reach_pages(sizeof *fresh);
        if (!fresh)
            return SLOTS;
        __atomic_compare_exchange_n(&slot[i].leaf, &none, fresh, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE);
    }
    return i;
}

static size_t word_of(uintptr_t a)
{
    return (a & (LEAF_BYTES - 1)) >> 10;
}

void hdi_reach_born(void *p)
{
    uintptr_t a = (uintptr_t)p;
    uint32_t i = find(a);
    struct leaf *leaf;
    size_t word = word_of(a);

    if (__builtin_expect(i == SLOTS || !slot[i].leaf, 0) && (i = get(a)) == SLOTS) {
        overflow = true;
        return;
    }
    leaf = slot[i].leaf;
    if (ours && ((const size_t *)p)[-1] & NOT_MAIN_ARENA && !slot[i].arena)
        slot[i].arena = true;
    if (!(leaf->some[word / 64] >> (word % 64) & 1)) {
        __atomic_fetch_or(&leaf->some[word / 64], 1ull << (word % 64), __ATOMIC_RELAXED);
        __atomic_fetch_add(&heap_bytes, 1024, __ATOMIC_RELAXED);
    }
    __atomic_fetch_or(&leaf->start[word], 1ull << (a >> 4 & 63), __ATOMIC_RELAXED);
}

void hdi_reach_gone(void *p)
{
    uintptr_t a = (uintptr_t)p;
    uint32_t i = find(a);

    if (i != SLOTS && slot[i].leaf)
        __atomic_fetch_and(&slot[i].leaf->start[word_of(a)], ~(1ull << (a >> 4 & 63)),
                           __ATOMIC_RELAXED);
}

void hdi_reach_allocator(bool is_ours, size_t (*usable)(void *))
{
    ours = is_ours;
    usable_bytes = usable;
    if (!ours)
        hdi_reach_off();
}

/* Where the last block of the leaf begins whose bit is `bit` of `word`, or a lower one; 0: none. */
static uintptr_t last_start(uintptr_t base, const struct leaf *leaf, size_t word, uint32_t bit)
{
    uint64_t bits = leaf->start[word] & (~0ull >> (63 - bit));

    while (!bits && word > 0) {
        word--;
        if (word % 64 == 63)
            while (!leaf->some[word / 64] && word > 63)
                word -= 64;
        bits = leaf->start[word];
    }
    return bits ? base + (word << 10) + ((63 - (uintptr_t)__builtin_clzll(bits)) << 4) : 0;
}

bool hdi_block_is_live(uintptr_t a)
{
    uintptr_t low = 0, base = a & ~(LEAF_BYTES - 1);
    uint32_t i, bit = a >> 4 & 63;
    size_t word = word_of(a);

    if (overflow || !usable_bytes)
        return true;
    for (; !low && (i = find(base)) != SLOTS && slot[i].leaf; base -= LEAF_BYTES) {
        low = last_start(base, slot[i].leaf, word, bit);
        word = LEAF_WORDS - 1;
        bit = 63;
    }
    return low && a < low + usable_bytes((void *)low);
}

bool hdi_blocks_near(uintptr_t w)
{
    return find(w) != SLOTS;
}

/* Leaves by address, into order[]; how many. */
static uint32_t sorted(uint32_t *order)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < SLOTS; i++) {
        uint32_t at = n;
        if (!slot[i].leaf)
            continue;
        for (; at > 0 && slot[order[at - 1]].key > slot[i].key; at--)
            order[at] = order[at - 1];
        order[at] = i;
        n++;
    }
    return n;
}

static bool list_leaf(struct hdi_spans *out, uintptr_t base, const struct leaf *leaf)
{
    for (size_t s = 0; s < LEAF_WORDS / 64; s++)
        for (uint64_t some = leaf->some[s]; some; some &= some - 1) {
            size_t word = s * 64 + (size_t)__builtin_ctzll(some);
            for (uint64_t bits = leaf->start[word]; bits; bits &= bits - 1) {
                uintptr_t low = base + (word << 10) + ((uintptr_t)__builtin_ctzll(bits) << 4);
                if (out->count && out->at[out->count - 1].high > low)
                    out->at[out->count - 1].high = low;
                if (out->count == MOST_BLOCKS ||
                    !hdi_spans_add(out, low, low + usable_bytes((void *)low)))
                    return false;
            }
        }
    return true;
}

bool hdi_blocks_list(struct hdi_spans *out)
{
    uint32_t order[SLOTS], n = sorted(order);

    out->count = 0;
    if (overflow || !ours || !usable_bytes)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!list_leaf(out, slot[order[i]].key << LEAF_SHIFT, slot[order[i]].leaf))
            return false;
    return true;
}

bool hdi_blocks_arenas(struct hdi_spans *out)
{
    for (uint32_t i = 0; i < SLOTS; i++)
        if (slot[i].arena &&
            !hdi_spans_add(out, slot[i].key << LEAF_SHIFT, (slot[i].key + 1) << LEAF_SHIFT))
            return false;
    return true;
}
