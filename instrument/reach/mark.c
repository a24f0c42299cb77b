/* mark.c - see mark.h. */
#include "mark.h"

#include <string.h>

#define MOST_BYTES ((size_t)64 << 20)
#define COPIED ((size_t)64 << 10)
#define THREAD_CACHE 0x290u /* malloc's own, the first in the heap: every thread points to it */
#define PAGE ((uintptr_t)4096)
#define ADDRESS_BITS ((uintptr_t)0x7fffffffffff)

static struct hdi_map map;
static struct hdi_spans block, excluded, extra, queue;
static uint8_t *block_marked, *extra_marked, *extra_kind;
static size_t block_room, extra_room;
static uintptr_t lowest, highest; /* of all that may be reached */
static size_t scanned;
static bool thorough, unsure, in_libc;

static bool room_for(uint8_t **at, size_t *room, size_t count)
{
    if (count <= *room)
        return true;
    *room = (2 * count + PAGE) & ~(PAGE - 1);
    *at = hdi_reach_pages(*room);
    if (!*at)
        *room = 0;
    return *at != NULL;
}

bool hdi_mark_begin(void)
{
    excluded.count = extra.count = 0;
    if (!hdi_blocks_list(&block) || !hdi_map_read(&map))
        return false;
    for (size_t i = 0; i < map.count; i++)
        if (map.at[i].heap && !hdi_spans_add(&excluded, map.at[i].low, map.at[i].high))
            return false;
    return hdi_blocks_arenas(&excluded) && hdi_map_own(&excluded);
}

const struct hdi_map *hdi_mark_map(void)
{
    return &map;
}

/* Is it malloc's, whether in a block or not? */
static bool in_heap(uintptr_t addr)
{
    static struct hdi_spans arenas;
    const struct hdi_mapping *m = hdi_map_find(&map, addr);

    if (m && m->heap)
        return true;
    arenas.count = 0;
    if (!hdi_blocks_arenas(&arenas))
        return false;
    for (size_t i = 0; i < arenas.count; i++)
        if (addr >= arenas.at[i].low && addr < arenas.at[i].high)
            return true;
    return false;
}

enum hdi_place hdi_mark_place(uintptr_t addr, struct hdi_span *span)
{
    size_t i = hdi_spans_above(&block, addr);
    const struct hdi_mapping *m;

    if (i < block.count && block.at[i].low <= addr) {
        *span = block.at[i];
        return HDI_PLACE_BLOCK;
    }
    m = hdi_map_find(&map, addr);
    if (!in_heap(addr))
        return HDI_PLACE_ELSEWHERE;
    span->low = i > 0 ? block.at[i - 1].high : addr & ~(PAGE - 1);
    if (m && m->heap && span->low < m->low + THREAD_CACHE && addr >= m->low + THREAD_CACHE)
        span->low = m->low + THREAD_CACHE;
    span->high = i < block.count ? block.at[i].low : addr + PAGE;
    if (addr - span->low > COPIED)
        span->low = addr - COPIED;
    if (span->high - addr > COPIED)
        span->high = addr + COPIED;
    return HDI_PLACE_FREED;
}

bool hdi_mark_exclude(uintptr_t low, uintptr_t high)
{
    return hdi_spans_add(&excluded, low, high);
}

bool hdi_mark_extra(uintptr_t low, uintptr_t high, enum hdi_extra_kind kind)
{
    size_t at = 0;

    if (extra.count == extra_room) { /* its arrays grow together */
        size_t room = extra_room ? 2 * extra_room : PAGE;
        uint8_t *kinds = hdi_reach_pages(room), *marks = hdi_reach_pages(room);
        if (!kinds || !marks)
            return false;
        if (extra.count)
            memcpy(kinds, extra_kind, extra.count);
        extra_kind = kinds;
        extra_marked = marks;
        extra_room = room;
    }
    /* Kept in order by insertion, from the end: threads come nearly sorted. */
    if (!hdi_spans_add(&extra, low, high))
        return false;
    for (at = extra.count - 1; at > 0 && extra.at[at - 1].low > low; at--) {
        extra.at[at] = extra.at[at - 1];
        extra_kind[at] = extra_kind[at - 1];
    }
    if (at > 0 && extra.at[at - 1].low == low && extra.at[at - 1].high == high) {
        memmove(&extra.at[at], &extra.at[at + 1], (extra.count - 1 - at) * sizeof extra.at[0]);
        memmove(&extra_kind[at], &extra_kind[at + 1], extra.count - 1 - at);
        extra.count--;
        return true;
    }
    extra.at[at] = (struct hdi_span){low, high};
    extra_kind[at] = (uint8_t)kind;
    return true;
}

bool hdi_mark_start(bool at_every_byte)
{
    size_t n = excluded.count;

    if (!room_for(&block_marked, &block_room, block.count))
        return false;
    if (block.count)
        memset(block_marked, 0, block.count);
    if (extra.count)
        memset(extra_marked, 0, extra.count);
    queue.count = 0;
    scanned = 0;
    unsure = false;
    thorough = at_every_byte;
    lowest = UINTPTR_MAX;
    highest = 0;
    if (block.count) {
        lowest = block.at[0].low;
        highest = block.at[block.count - 1].high;
    }
    if (extra.count && extra.at[0].low < lowest)
        lowest = extra.at[0].low;
    if (extra.count && extra.at[extra.count - 1].high > highest)
        highest = extra.at[extra.count - 1].high;
    hdi_spans_sort(&excluded);
    for (size_t i = 1; i < n; i++) /* they may lie in each other: ends grow monotonously */
        if (excluded.at[i].high < excluded.at[i - 1].high)
            excluded.at[i].high = excluded.at[i - 1].high;
    return true;
}

void hdi_mark_word(uintptr_t word)
{
    size_t i;

    if (word < lowest || word >= highest)
        return;
    i = hdi_spans_above(&block, word);
    if (i < block.count && block.at[i].low <= word) {
        /* malloc's lists point to the headers of free blocks, whose first word is the last of the
         * block before. */
        if (!block_marked[i] && !(in_libc && word == block.at[i].high - sizeof word)) {
            block_marked[i] = 1;
            unsure |= !hdi_spans_add(&queue, block.at[i].low, block.at[i].high);
        }
        return;
    }
    i = hdi_spans_above(&extra, word);
    if (i == extra.count || extra.at[i].low > word || extra_marked[i] ||
        (in_libc && extra_kind[i] == HDI_EXTRA_FREED))
        return;
    extra_marked[i] = 1;
    if (extra_kind[i] == HDI_EXTRA_STACK)
        unsure |= !hdi_spans_add(&queue, extra.at[i].low, extra.at[i].high);
}

/* Readable memory, from low to high; not what a sanitizer checks. */
__attribute__((no_sanitize("address", "undefined"))) static void words(uintptr_t low,
                                                                       uintptr_t high)
{
    uintptr_t step = thorough ? 1 : sizeof(uintptr_t);
    uintptr_t mask = thorough ? ADDRESS_BITS : UINTPTR_MAX;

    low = (low + 7) & ~(uintptr_t)7;
    for (; low + sizeof(uintptr_t) <= high; low += step) {
        uintptr_t word;
        __builtin_memcpy(&word, (const void *)low, sizeof word);
        hdi_mark_word(word & mask);
    }
}

/* False: the kernel does not read it. */
static bool words_by_kernel(uintptr_t low, uintptr_t high)
{
    static unsigned char *copy;

    if (!copy)
        copy = hdi_reach_pages(COPIED);
    if (!copy)
        return false;
    while (low < high) {
        long n = hdi_map_copy(copy, low, high - low < COPIED ? high - low : COPIED);
        if (n < 0)
            return false;
        words((uintptr_t)copy, (uintptr_t)copy + (size_t)n);
        if (n > (long)sizeof(uintptr_t) &&
            low + (uintptr_t)n < high) /* a word may lie in two copies */
            n -= (long)sizeof(uintptr_t);
        low = n > 0 ? low + (uintptr_t)n : (low + PAGE) & ~(PAGE - 1);
    }
    return true;
}

void hdi_mark_memory(uintptr_t low, uintptr_t high)
{
    while (low < high && !unsure) {
        const struct hdi_mapping *m = hdi_map_find(&map, low);
        uintptr_t end;
        if (!m) {
            low = (low + PAGE) & ~(PAGE - 1);
            continue;
        }
        end = high < m->high ? high : m->high;
        scanned += end - low;
        if (scanned > MOST_BYTES)
            unsure = true;
        else if (!m->file && !m->shared &&
                 end - low < PAGE) /* mostly a block: no guard is so small */
            words(low, end);
        else if (!words_by_kernel(low, end)) {
            if (m->file || m->shared)
                unsure = true;
            else
                words(low, end);
        }
        low = end;
    }
}

/* What of [low, high) lies in no block. */
static void outside_blocks(uintptr_t low, uintptr_t high)
{
    for (size_t i = hdi_spans_above(&block, low); low < high && !unsure; i++) {
        uintptr_t end = i < block.count && block.at[i].low < high ? block.at[i].low : high;
        if (end > low)
            hdi_mark_memory(low, end);
        low = i < block.count ? block.at[i].high : high;
    }
}

static void root(const struct hdi_mapping *m)
{
    uintptr_t low = m->low;

    in_libc = low < hdi_modules.libc.high && m->high > hdi_modules.libc.low;
    for (size_t i = hdi_spans_above(&excluded, low); low < m->high && !unsure; i++) {
        uintptr_t end =
            i < excluded.count && excluded.at[i].low < m->high ? excluded.at[i].low : m->high;
        if (end > low)
            outside_blocks(low, end);
        low = i < excluded.count && excluded.at[i].high > low ? excluded.at[i].high
              : i < excluded.count                            ? low
                                                              : m->high;
    }
    in_libc = false;
}

void hdi_mark_roots(void)
{
    for (size_t i = 0; i < map.count && !unsure; i++)
        if (map.at[i].writable || !map.at[i].file)
            root(&map.at[i]);
}

bool hdi_mark_all(void)
{
    while (queue.count && !unsure) {
        struct hdi_span s = queue.at[--queue.count];
        hdi_mark_memory(s.low, s.high);
    }
    return !unsure;
}

size_t hdi_mark_bytes(void)
{
    return scanned;
}

bool hdi_marked(uintptr_t addr)
{
    size_t i = hdi_spans_above(&block, addr);

    if (i < block.count && block.at[i].low <= addr)
        return block_marked[i];
    i = hdi_spans_above(&extra, addr);
    return i < extra.count && extra.at[i].low <= addr && extra_marked[i];
}
