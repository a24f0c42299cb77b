/* noting.h - for those who note the state of the world: what /proc says of this process, and what
 * cannot be noted. */
#ifndef HEDDLE_NOTING_H
#define HEDDLE_NOTING_H

#include <stdbool.h>
#include <stddef.h>

/* Memory for what is read, of which little is ever touched: from rt_scratch_begin() to _end(). */
#define RT_SCRATCH_BYTES ((size_t)64 << 20)
extern char *rt_scratch;
bool rt_scratch_begin(void);
void rt_scratch_end(void);
/* Read a file into it, with a 0 behind. Bytes read; < 0: it cannot be read. */
long rt_scratch_read(const char *path);

/* "/proc/self/NAME/FD" */
void rt_descriptor_path(char to[48], const char *name, int fd);
/* f for each open descriptor. */
void rt_each_descriptor(void (*f)(int fd));

/* Made before the first thread, and shared by all schedules: named once in the report. fd < 0: no
 * descriptor of it is open. */
void rt_shared(int fd, const char *what);

#endif /* HEDDLE_NOTING_H */
