/* raw_calls.h - models of what is called by syscall(). */
#ifndef HEDDLE_RAW_CALLS_H
#define HEDDLE_RAW_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* The futex system call, under control. False: the operation has no model. (futex.c) */
bool hdi_futex(const long a[6], uint64_t site, long *result);
/* The calling process is a new child of the program. (process.c) */
void hdi_in_child(void);

/* The program is about to restrict its system calls, with them those of the runtime. (outside.c) */
void hdi_filter_set(uint64_t site);

/* vfork() around its system call; pid as the kernel returned it. (outside.c) */
void hdi_before_vfork(uint64_t site);
long hdi_after_vfork(long pid);

#endif /* HEDDLE_RAW_CALLS_H */
