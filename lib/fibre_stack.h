/* fibre_stack.h - stacks of fibres: reserved in slabs, committed as they are touched, a guard below
 * each. */
#ifndef HDI_FIBRE_STACK_H
#define HDI_FIBRE_STACK_H

#include <stdbool.h>
#include <stddef.h>

struct hdi_stack {
    unsigned char *low; /* of the guard */
    size_t bytes;       /* with it */
};

/* Free ones that one thread has at hand. */
struct hdi_stack_cache {
    struct hdi_spare *first;
    unsigned count;
};

/* Whether there was memory. usual: most are of that size, and the first so asked for says of which it
 * is worth keeping free ones. cache: the calling thread's; NULL: it has none. */
bool hdi_stack_get(struct hdi_stack *stack, size_t bytes, bool usual,
                   struct hdi_stack_cache *cache);
void hdi_stack_put(struct hdi_stack stack, struct hdi_stack_cache *cache);
void hdi_stack_cache_end(struct hdi_stack_cache *cache);

/* Called now and then: what was free since the last time gives its memory back, but for some. */
void hdi_stack_trim(void);

/* The list of all that there are. */
struct hd_fibre_slab *const *hdi_stack_slabs(void);

/* In a child: whoever held the free ones when the program forked is not there. */
void hdi_stack_forget(void);

/* From now on a fault in the guard of the calling thread's stack is said as an overflow; `alternate`
 * is where that is done, and lives as long as the thread. Not where sanitizers do that. And which
 * stack that is, in a thread that is no worker of fibres. */
#define HDI_ALTERNATE_STACK 16384
void hdi_stack_watch(void *alternate);
void hdi_stack_is(struct hdi_stack stack);

/* Is SIGSEGV's handler the one that says so? */
bool hdi_stack_handles(void);

/* The one that the C library made for the calling thread, with the lowest page that faults. */
struct hdi_stack hdi_stack_of_thread(void);

#endif /* HDI_FIBRE_STACK_H */
