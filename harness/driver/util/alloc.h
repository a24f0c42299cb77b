/* alloc.h - allocation that ends the program with a sentence instead of failing.
 *
 * The driver has nothing sensible to do without memory; exit code 3. Pair with free().
 */
#ifndef HEDDLE_DRIVER_ALLOC_H
#define HEDDLE_DRIVER_ALLOC_H

#include <stddef.h>

void *mem_zeroed(size_t count, size_t size);
/* An array that grows: room for one more element of `size` bytes after `count`. */
void *mem_grow(void *array, size_t count, size_t size);
/* `bytes` of memory that begins with what was at p, or NULL; p is no longer valid. */
void *mem_resize(void *p, size_t bytes);
/* NULL gives NULL. */
char *mem_copy(const char *text);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* HEDDLE_DRIVER_ALLOC_H */
