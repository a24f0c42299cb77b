/* rounds.h - how often to repeat: as often as said when the operating system schedules, a few times
 * under Heddle, which tries many schedules of each repetition. */
#ifndef ROUNDS_H
#define ROUNDS_H

#include <heddle/api.h>
#include <heddle/go.h>

static inline int rounds(int natively)
{
    if (!(hdi_watchers & 1u))
        return hdi_watchers ? natively / 10 + 1 : natively;
    return natively > 3 ? 3 : natively;
}

/* In a loop that goes on until another thread stops it: under Heddle, an unfair schedule might
 * otherwise never let that one run. */
static inline void breathe(void)
{
    if (hdi_watchers & 1u)
        hd_go_yield();
}

#endif /* ROUNDS_H */
