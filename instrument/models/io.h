/* io.h - descriptors that may block, for those who read and write through something else. */
#ifndef HEDDLE_IO_H
#define HEDDLE_IO_H

#include <stdbool.h>
#include <stdint.h>

/* Wait until fd is ready for `events` (POLLIN, POLLOUT); what the other end did comes before.
 * False, with errno: a handler without SA_RESTART ran. At once for a file, and for what is not
 * open. */
bool hdi_await(int fd, short events, uint64_t site);
/* The same for a call that does not wait: a point, and the order. */
void hdi_touch(int fd, short events, uint64_t site);

#endif /* HEDDLE_IO_H */
