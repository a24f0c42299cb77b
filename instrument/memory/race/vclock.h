/* vclock.h - vector clocks, and the epochs that stand for one component of them.
 *
 * An epoch packs a thread and its clock into 32 bits, so that a shadow cell holds several. A
 * thread's clock counts its releases; one that runs out (4 million releases) stops the detector, it
 * never wraps.
 *
 *   threads    any one at a time: the detector runs under the scheduler's turn
 *   ownership  a clock owns its components; they come from hdi_alloc and are kept for reuse
 * source: Flanagan and Freund, FastTrack, PLDI 2009.
 */
#ifndef HEDDLE_VCLOCK_H
#define HEDDLE_VCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define HDI_CLOCK_BITS 22
#define HDI_CLOCK_MAX ((1u << HDI_CLOCK_BITS) - 1)
#define HDI_RACERS 1024u /* threads that the detector can tell apart */

static inline uint32_t hdi_epoch(uint32_t tid, uint32_t clock)
{
    return tid << HDI_CLOCK_BITS | clock;
}
static inline uint32_t hdi_epoch_tid(uint32_t epoch)
{
    return epoch >> HDI_CLOCK_BITS;
}
static inline uint32_t hdi_epoch_clock(uint32_t epoch)
{
    return epoch & HDI_CLOCK_MAX;
}

/* Zero-initialised: the clock that is before every other. */
struct hdi_vclock {
    uint32_t n, cap; /* components in use, room */
    uint32_t *c;     /* owned */
};

static inline uint32_t hdi_vclock_get(const struct hdi_vclock *v, uint32_t tid)
{
    return tid < v->n ? v->c[tid] : 0;
}
void hdi_vclock_set(struct hdi_vclock *v, uint32_t tid, uint32_t clock);
/* dst becomes the least clock that is after both. */
void hdi_vclock_join(struct hdi_vclock *dst, const struct hdi_vclock *src);
void hdi_vclock_copy(struct hdi_vclock *dst, const struct hdi_vclock *src);
/* Everything that a knows, b knows. */
bool hdi_vclock_leq(const struct hdi_vclock *a, const struct hdi_vclock *b);
/* Back to zero; the room goes to the free list. */
void hdi_vclock_clear(struct hdi_vclock *v);

#endif /* HEDDLE_VCLOCK_H */
