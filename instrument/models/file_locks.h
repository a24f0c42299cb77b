/* file_locks.h - locks of files. */
#ifndef HEDDLE_FILE_LOCKS_H
#define HEDDLE_FILE_LOCKS_H

#include <stdint.h>

/* fd is about to be closed, and with it goes what is locked through it. */
void hdi_file_unlocks(int fd, uint64_t site);
#endif /* HEDDLE_FILE_LOCKS_H */
