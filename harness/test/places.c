/* places.c - return addresses of this process in words, for the texts of leak checks. */
#include <heddle/test.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "symbols/symbol.h"
#include "util/read_file.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct symbols *symbols; /* kept: opening a program's debug information takes long */

size_t heddle_test_place(const void *address, char *text, size_t bytes)
{
    struct stack s = {0};
    char *map = read_maps(getpid());
    size_t used = 0;

    pthread_mutex_lock(&lock);
    if (!symbols)
        symbols = symbols_new();
    if (map)
        symbols_map(symbols, map);
    symbols_frames(symbols, (uint64_t)(uintptr_t)address, true, &s);
    pthread_mutex_unlock(&lock);
    if (s.count && s.frame[0].function && s.frame[0].file && bytes > 0) {
        int wanted = snprintf(text, bytes, "%s  %s:%u", s.frame[0].function, s.frame[0].file,
                              s.frame[0].line);
        used = wanted < 0 ? 0 : (size_t)wanted < bytes ? (size_t)wanted : bytes - 1;
    }
    stack_clear(&s);
    free(map);
    return used;
}
