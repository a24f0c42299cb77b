/* alloc.c - see alloc.h */
#include "alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *p)
{
    if (!p) {
        fputs("heddle: out of memory\n", stderr);
        exit(3);
    }
    return p;
}

void *mem_zeroed(size_t count, size_t size)
{
    return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *array, size_t count, size_t size)
{
    /* Doubling at the powers of two: no capacity to carry along. */
    if (count & (count - 1))
        return array;
    size_t room = count ? count * 2 : 1;
    return or_die(reallocarray(array, room, size));
}

void *mem_resize(void *p, size_t bytes)
{
    return or_die(realloc(p, bytes));
}

char *mem_copy(const char *text)
{
    return text ? or_die(strdup(text)) : NULL;
}

char *mem_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return or_die(text);
}
