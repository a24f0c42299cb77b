/* happens_before.h - who watches this process, and the happens-before edges told to them.
 *
 * Go's memory model says which operation comes before which; the library's own locks and atomics
 * say much more, and a detector that saw them would miss the user's races. So the library is
 * compiled without TSan's instrumentation, hides its memory from Valgrind's tools, and states the
 * edges itself: to the runtime through the seam, to TSan and to Helgrind or DRD by their
 * interfaces. When nobody watches, each call below is one predictable branch on hdi_watchers.
 */
#ifndef HDI_HAPPENS_BEFORE_H
#define HDI_HAPPENS_BEFORE_H

#include <stddef.h>

#include <heddle/api.h>
#include <heddle/seam.h>

enum {                         /* bits of hdi_watchers, api.h */
       HDI_WATCH_SEAM = 1,     /* hdi_seam is set: the runtime decides who runs */
       HDI_WATCH_TSAN = 2,     /* the program carries ThreadSanitizer's runtime */
       HDI_WATCH_VALGRIND = 4, /* some tool of Valgrind's */
};

/* Set by the library's first constructor, never changed: read without a lock, as hdi_watchers. */
extern const struct hd_seam *hdi_seam; /* NULL natively */

#define HDI_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define HDI_WATCHED() HDI_UNLIKELY(hdi_watchers != 0)
#define HDI_CONTROLLED() HDI_UNLIKELY((hdi_watchers & HDI_WATCH_SEAM) != 0)

void hdi_release_told(const void *clock);
void hdi_acquire_told(const void *clock);
void hdi_hide_told(const void *memory, size_t bytes);

/* What this thread did so far happens before what a thread does after hdi_acquire(clock). */
static inline void hdi_release(const void *clock)
{
    if (HDI_WATCHED())
        hdi_release_told(clock);
}

static inline void hdi_acquire(const void *clock)
{
    if (HDI_WATCHED())
        hdi_acquire_told(clock);
}

/* These bytes are the library's own: not to be checked until they are allocated anew. Costs a
 * client request under Valgrind, so it may be repeated at every operation on an object without a
 * maker. */
static inline void hdi_hide(const void *memory, size_t bytes)
{
    if (HDI_WATCHED())
        hdi_hide_told(memory, bytes);
}

/* A list of who waits, by address: it leads to nobody's object. Told once, by a constructor. */
void hdi_weak(const void *memory, size_t bytes);

/* For memory of the library's own that one thread allocates and another frees: the first comes
 * before the second, and no more is said of the two. `birth` is an address in it that is no other
 * clock. */
static inline void hdi_allocated(const void *birth)
{
    hdi_release(birth);
}

static inline void hdi_to_be_freed(const void *birth)
{
    hdi_acquire(birth);
}

#endif /* HDI_HAPPENS_BEFORE_H */
