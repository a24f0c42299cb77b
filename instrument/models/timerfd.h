/* timerfd.h - timers that are descriptors, in virtual time. */
#ifndef HEDDLE_TIMERFD_H
#define HEDDLE_TIMERFD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Deadline of the one that expires first, 0: none will; all that are due become ready. */
int64_t hdi_timerfd_next(void);
void hdi_timerfd_expire(int64_t now);
/* n bytes were read from fd: if it is one, how often it has expired is put there. */
void hdi_timerfd_taken(int fd, void *buffer, ssize_t n);
void hdi_timerfds_forget(void);

#endif /* HEDDLE_TIMERFD_H */
