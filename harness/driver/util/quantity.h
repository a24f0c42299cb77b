/* quantity.h - counts and times as people write and read them. */
#ifndef HEDDLE_DRIVER_QUANTITY_H
#define HEDDLE_DRIVER_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* Digits of base 10 or 16, at most 20, and nothing else; up to `high`. False: text is none, or
 * NULL. */
bool parse_digits(const char *text, int base, uint64_t high, uint64_t *value);
/* A whole decimal number in [low, high]. False: text is none. */
bool parse_count(const char *text, uint64_t low, uint64_t high, uint64_t *value);
/* "500ms", "30s", "2m", "1h", "10" (seconds), "1.5s": in ns, > 0. False: text is none. */
bool parse_time(const char *text, int64_t *ns);
/* Nanoseconds as a person writes them: "250 ms", "1.5 s", "3 min". In a buffer of the caller. */
const char *show_time(int64_t ns, char *buffer, unsigned long bytes);
/* 1234567 as "1,234,567". In a buffer of the caller (>= 28 bytes). */
const char *show_count(uint64_t n, char *buffer);

#endif /* HEDDLE_DRIVER_QUANTITY_H */
