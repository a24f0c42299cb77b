/* quantity.c - see quantity.h */
#include "quantity.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_digits(const char *text, int base, uint64_t high, uint64_t *value)
{
    if (!text || !isxdigit((unsigned char)*text) || strlen(text) > 20 ||
        (base == 16 && tolower((unsigned char)text[1]) == 'x'))
        return false;
    char *end;
    errno = 0;
    *value = strtoull(text, &end, base);
    return !errno && !*end && *value <= high;
}

bool parse_count(const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    uint64_t n;
    if (!parse_digits(text, 10, high, &n) || n < low)
        return false;
    *value = n;
    return true;
}

bool parse_time(const char *text, int64_t *ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
                 {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}};
    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    if (text[0] == '0' && tolower((unsigned char)text[1]) == 'x')
        return false; /* strtod reads hexadecimal; people do not write time in it */
    char *end;
    double n = strtod(text, &end);
    if (end == text || !isfinite(n) || n <= 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0) {
            double value = n * units[i].ns;
            if (value < 1 || value > 3e17) /* ten years */
                return false;
            *ns = (int64_t)value;
            return true;
        }
    return false;
}

const char *show_time(int64_t ns, char *buffer, unsigned long bytes)
{
    double s = (double)ns / 1e9;
    if (ns < 1000000)
        snprintf(buffer, bytes, "%.3g us", s * 1e6);
    else if (s < 1)
        snprintf(buffer, bytes, "%.3g ms", s * 1e3);
    else if (s < 120)
        snprintf(buffer, bytes, "%.1f s", s);
    else if (s < 7200)
        snprintf(buffer, bytes, "%.1f min", s / 60);
    else if (s < 2 * 86400)
        snprintf(buffer, bytes, "%.1f h", s / 3600);
    else
        snprintf(buffer, bytes, "%.1f days", s / 86400);
    return buffer;
}

const char *show_count(uint64_t n, char *buffer)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *to = buffer;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return buffer;
}
