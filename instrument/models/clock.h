/* clock.h - from the program's time values to virtual nanoseconds. */
#ifndef HEDDLE_CLOCK_H
#define HEDDLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Virtual deadline of an absolute time on `clock`: > 0; a time before the clock's start is 1. */
int64_t hdi_deadline(clockid_t clock, const struct timespec *abs);
/* Virtual deadline of a relative one. */
int64_t hdi_deadline_in(int64_t ns);
int64_t hdi_deadline_for(const struct timespec *relative);
bool hdi_timespec_valid(const struct timespec *ts);
/* As a relative time, which is not negative. */
bool hdi_interval_valid(const struct timespec *ts);

#endif /* HEDDLE_CLOCK_H */
