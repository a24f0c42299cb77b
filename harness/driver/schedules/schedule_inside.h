/* schedule_inside.h - shared by schedule.c and schedule_parse.c only. */
#ifndef HEDDLE_DRIVER_SCHEDULE_INSIDE_H
#define HEDDLE_DRIVER_SCHEDULE_INSIDE_H

#include <stddef.h>
#include <stdint.h>

/* Options of a schedule that a replay needs: word in the file, bit of hdp_config.flags. Ends with a
 * NULL word. */
struct schedule_flag {
    const char *word;
    uint32_t bit;
};
extern const struct schedule_flag schedule_flags[];

/* Words of enum hdp_points and enum hdp_memory_model. */
enum { SCHEDULE_POINTS = 3, SCHEDULE_MODELS = 3 };
extern const char *const points_words[SCHEDULE_POINTS];
extern const char *const model_words[SCHEDULE_MODELS];

#define SCHEDULE_CHECKSUM_START 2166136261u
uint32_t schedule_checksum(uint32_t h, const char *text, size_t bytes);

#endif /* HEDDLE_DRIVER_SCHEDULE_INSIDE_H */
