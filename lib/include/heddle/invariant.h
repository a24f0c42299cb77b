/* invariant.h - what Heddle's own code takes for granted, checked while Heddle itself is tested.
 *
 * Built with -DHEDDLE_INVARIANTS=ON (the default of Debug; ci/test and ci/mutate do), a condition
 * that does not hold ends the program by a trap instruction right there. Otherwise no code is left
 * of it. Where numbered invariants are told at the top of a file, its check function goes through
 * them.
 */
#ifndef HEDDLE_INVARIANT_H
#define HEDDLE_INVARIANT_H

#ifdef HEDDLE_INVARIANTS
#define HD_INVARIANTS 1
#else
#define HD_INVARIANTS 0
#endif

/* The line number keeps the compiler from making one trap of two. */
#define HD_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (HD_INVARIANTS && !(condition)) {                                                       \
            __asm__ volatile("" : : "i"(__LINE__));                                                \
            __builtin_trap();                                                                      \
        }                                                                                          \
    } while (0)

#endif /* HEDDLE_INVARIANT_H */
