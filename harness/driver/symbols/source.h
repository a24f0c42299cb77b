/* source.h - lines of source files, which are read once.
 *
 *   ownership  what is returned lives as long as the process
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_SOURCE_H
#define HEDDLE_DRIVER_SOURCE_H

#include <stddef.h>

/* How many lines the file has; 0: it cannot be read. */
unsigned source_lines(const char *path);
/* The line, from 1, without its end and the blanks around it; NULL = there is none. */
const char *source_line(const char *path, unsigned line);
/* How many blanks stand before it. */
unsigned source_indent(const char *path, unsigned line);

#endif /* HEDDLE_DRIVER_SOURCE_H */
