/* digits.h - numbers as text, without libc: also where a signal or a fork came in the middle. */
#ifndef HEDDLE_DIGITS_H
#define HEDDLE_DIGITS_H

#include <stdint.h>

/* n in decimal at `to` and a NUL behind it (at most 21 bytes). Returns where the NUL is. */
static inline char *hdi_put_decimal(char *to, uint64_t n)
{
    char digits[20];
    unsigned k = 0;

    do
        digits[k++] = (char)('0' + n % 10);
    while (n /= 10);
    while (k)
        *to++ = digits[--k];
    *to = '\0';
    return to;
}

/* Hexadecimal digits from p on, none gives 0. Returns what stands behind them. */
static inline const char *hdi_get_hex(const char *p, uint64_t *value)
{
    for (*value = 0;; p++) {
        unsigned digit = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                         : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
                                                  : 16;
        if (digit == 16)
            return p;
        *value = *value << 4 | digit;
    }
}

#endif /* HEDDLE_DIGITS_H */
