/* libc_formats.c - see libc_formats.h. A format with numbered arguments (%1$s) is read, and no more is
 * said of it. source: C17 7.21.6.1, 7.21.6.2; POSIX's m; glibc's C and S. */
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "libc_formats.h"
#include "access.h"

enum length { CHAR, SHORT, INT, LONG, LONGER, MAXIMAL };

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum length length_of(const char **at)
{
    enum length length = INT;

    for (;; (*at)++)
        switch (**at) {
        case 'h':
            length = length == SHORT ? CHAR : SHORT;
            break;
        case 'l':
            length = length == LONG ? LONGER : LONG;
            break;
        case 'j':
        case 'z':
        case 't':
            length = LONG;
            break;
        case 'L':
        case 'q':
            length = MAXIMAL;
            break;
        default:
            return length;
        }
}

static size_t bytes_of(enum length length)
{
    return length == CHAR ? 1 : length == SHORT ? 2 : length == INT ? 4 : 8;
}

void hdi_printf_reads(const char *format, va_list ap, uint64_t pc)
{
    hdi_call_reads(format, strlen(format) + 1, pc);
    for (const char *at = strchr(format, '%'); at; at = strchr(at, '%')) {
        size_t most = SIZE_MAX;
        at++;
        while (*at && strchr("-+ #0'I", *at))
            at++;
        if (*at == '*') {
            va_arg(ap, int);
            at++;
        }
        while (digit(*at))
            at++;
        if (*at == '$')
            return;
        if (*at == '.') {
            at++;
            if (*at == '*') {
                int n = va_arg(ap, int);
                most = n < 0 ? SIZE_MAX : (size_t)n;
                at++;
            } else {
                for (most = 0; digit(*at); at++)
                    most = most * 10 + (size_t)(*at - '0');
            }
        }
        enum length length = length_of(&at);
        switch (*at) {
        case 's':
        case 'S': {
            const char *s = va_arg(ap, const char *);
            if (s && length == INT && *at == 's') {
                size_t n = strnlen(s, most);
                hdi_call_reads(s, n < most ? n + 1 : n, pc);
            } else if (s && most == SIZE_MAX) {
                hdi_call_reads(s, (wcslen((const wchar_t *)s) + 1) * sizeof(wchar_t), pc);
            }
            break;
        }
        case 'n':
            hdi_call_writes(va_arg(ap, void *), bytes_of(length), pc);
            break;
        case 'd':
        case 'i':
        case 'o':
        case 'u':
        case 'x':
        case 'X':
            if (bytes_of(length) == 8)
                va_arg(ap, long);
            else
                va_arg(ap, int);
            break;
        case 'c':
        case 'C':
            va_arg(ap, int);
            break;
        case 'p':
            va_arg(ap, void *);
            break;
        case 'a':
        case 'A':
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G':
            if (length == MAXIMAL)
                va_arg(ap, long double);
            else
                va_arg(ap, double);
            break;
        case 'm':
        case '%':
            break;
        default: /* unknown: what follows of the arguments is, too */
            return;
        }
        at++;
    }
}

/* Behind the set of a %[...]. */
static const char *behind_set(const char *at)
{
    at += *at == '^';
    at += *at == ']';
    while (*at && *at != ']')
        at++;
    return at;
}

void hdi_scanf_writes(const char *format, int done, va_list ap, uint64_t pc)
{
    hdi_call_reads(format, strlen(format) + 1, pc);
    for (const char *at = strchr(format, '%'); at; at = strchr(at, '%')) {
        bool stores = true, makes = false;
        size_t width = 0, bytes = 0;
        at++;
        if (*at == '*') {
            stores = false;
            at++;
        }
        for (; digit(*at); at++)
            width = width * 10 + (size_t)(*at - '0');
        if (*at == '$')
            return;
        for (; *at == '\'' || *at == 'm' || (*at == 'a' && strchr("sS[", at[1]) && at[1]); at++)
            makes |= *at != '\'';
        enum length length = length_of(&at);
        char kind = *at;
        if (kind == '[')
            at = behind_set(at + 1);
        if (!*at)
            return;
        at++;
        if (kind == '%' || !stores)
            continue;
        if (kind != 'n' && done-- <= 0)
            return;
        void *to = va_arg(ap, void *);
        size_t letter = length == LONG || kind == 'C' || kind == 'S' ? sizeof(wchar_t) : 1;
        if (makes || kind == 'p')
            bytes = sizeof(void *);
        else if (kind == 'c' || kind == 'C')
            bytes = (width ? width : 1) * letter;
        else if (kind == 's' || kind == 'S' || kind == '[')
            bytes = letter == 1 ? strlen(to) + 1 : (wcslen(to) + 1) * letter;
        else if (strchr("aAeEfFgG", kind))
            bytes = length == MAXIMAL ? sizeof(long double) : length == LONG ? 8 : 4;
        else if (strchr("diouxXn", kind))
            bytes = bytes_of(length);
        else
            return;
        hdi_call_writes(to, bytes, pc);
    }
}
