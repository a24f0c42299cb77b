/* schedule_inside.h - shared by schedule.c and schedule_parse.c only. */
#ifndef HEDDLE_DRIVER_SCHEDULE_INSIDE_H
#define HEDDLE_DRIVER_SCHEDULE_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_CHECKSUM_START 2166136261u
uint32_t schedule_checksum(uint32_t h, const char *text, size_t bytes);

#endif /* HEDDLE_DRIVER_SCHEDULE_INSIDE_H */
