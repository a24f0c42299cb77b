/* sent_pointers.h - pointers that the kernel has, or another process: they may come back some
 * day. */
#ifndef HEDDLE_REACH_SENT_POINTERS_H
#define HEDDLE_REACH_SENT_POINTERS_H

#include <stddef.h>
#include <stdint.h>

/* These bytes leave the process, or are kept for it by the kernel.   threads any */
void hdi_reach_sent(const void *bytes, size_t count);
void hdi_sent_each(void (*f)(uintptr_t word));

#endif /* HEDDLE_REACH_SENT_POINTERS_H */
