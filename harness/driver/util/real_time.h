/* real_time.h - the time that passes for us, not for the program under test. */
#ifndef HEDDLE_DRIVER_REAL_TIME_H
#define HEDDLE_DRIVER_REAL_TIME_H

#include <stdint.h>
#include <time.h>

/* Monotonic, in nanoseconds. */
static inline int64_t real_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif /* HEDDLE_DRIVER_REAL_TIME_H */
