/* sent_pointers.h - pointers that the kernel has, or another process: they may come back some day. */
#ifndef HEDDLE_REACH_SENT_POINTERS_H
#define HEDDLE_REACH_SENT_POINTERS_H

#include <stdint.h>

void hdi_sent_each(void (*f)(uintptr_t word));

#endif /* HEDDLE_REACH_SENT_POINTERS_H */
