/* by_value.h - the order of numbers, for qsort(). */
#ifndef HEDDLE_DRIVER_BY_VALUE_H
#define HEDDLE_DRIVER_BY_VALUE_H

#include <stdint.h>

static inline int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

#endif /* HEDDLE_DRIVER_BY_VALUE_H */
