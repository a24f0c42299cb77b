/* snapshot.h - what reach.c knows of the address space: blocks, mappings, what is whose.
 *
 * A snapshot is taken while nobody else runs. It lives in memory of its own, nothing is allocated
 * from the program's heap.   threads  the one that looks, but for those marked `any`
 */
#ifndef HEDDLE_REACH_SNAPSHOT_H
#define HEDDLE_REACH_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hdi_span {
    uintptr_t low, high;
};

struct hdi_spans {
    struct hdi_span *at;
    size_t count, room;
};

/* Memory from the kernel, zeroed; NULL without. Never given back by the caller.   any */
void *hdi_reach_pages(size_t bytes);

/* Append; false without memory. */
bool hdi_spans_add(struct hdi_spans *s, uintptr_t low, uintptr_t high);
void hdi_spans_sort(struct hdi_spans *s);
/* The first span that ends above `at`: its index, or count. Sorted and disjoint. */
size_t hdi_spans_above(const struct hdi_spans *s, uintptr_t at);

/* ---- heap_bitmap.c: where blocks of the heap begin ---- */

/* All that live now, sorted. False: too many, or some are not known. */
bool hdi_blocks_list(struct hdi_spans *out);
/* Append the areas that malloc's arenas own, but for the first, which is [heap]. */
bool hdi_blocks_arenas(struct hdi_spans *out);
/* About how large the heap has become.   any */
size_t hdi_blocks_bytes(void);
/* Could w point into the heap? Quick, and true too often.   any */
bool hdi_blocks_near(uintptr_t w);

/* ---- mappings.c: mappings ---- */

struct hdi_mapping {
    uintptr_t low, high;
    bool writable, shared, file, heap, stack;
};

struct hdi_map {
    struct hdi_mapping *at;
    size_t count;
};

/* Readable mappings of the process, sorted. */
bool hdi_map_read(struct hdi_map *m);
const struct hdi_mapping *hdi_map_find(const struct hdi_map *m, uintptr_t at);

/* Copy `bytes` of memory from `low` on, as far as it can be read: how much. Mappings do not say: a file may be
 * shorter than its mapping, and a guard that madvise made stands in no list. -1: the kernel does not do it.
 *   any */
long hdi_map_copy(void *to, uintptr_t low, size_t bytes);

/* Our own memory and variables, as spans. */
bool hdi_map_own(struct hdi_spans *out);
void hdi_map_add_own(uintptr_t low, uintptr_t high); /* any */
bool hdi_map_is_own(uint64_t pc);
/* Somebody else has mapped it. */
void hdi_map_not_own(uintptr_t low, uintptr_t high);

/* What is known since the first thread of the program. */
struct hdi_modules {
    struct hdi_span libc; /* variables of the C library */
    struct hdi_span libc_code;
    size_t descriptor_bytes; /* struct pthread; 0: unknown */
    size_t stack_bytes;      /* of a thread without attributes */
    bool may_signal_threads; /* some module can cancel or signal a thread whose handle it has */
    bool moves_break;        /* some module calls brk or sbrk itself */
    uint32_t tls;            /* used entries of: */
    struct {
        size_t below, bytes; /* below the thread descriptor */
    } tls_block[64];
};
extern struct hdi_modules hdi_modules;
bool hdi_modules_read(void);

/* ---- reach.c ---- */

/* Append what the stacks of the program's threads have below their last frames. False: a stack is not
 * understood. */
bool hdi_reach_unused(const struct hdi_map *map, struct hdi_spans *out);

#endif /* HEDDLE_REACH_SNAPSHOT_H */
