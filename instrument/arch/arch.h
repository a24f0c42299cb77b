/* arch.h - what is bound to one processor, and nothing else of instrument/ and harness/rt/ is.
 *
 * A port is a folder beside x86_64 with a machine.h and machine.S of the same names. In the driver
 * it is harness/driver/symbols/unwind.c (registers as DWARF counts them), in lib/ the pause of a
 * loop that spins.
 */
#ifndef HEDDLE_ARCH_H
#define HEDDLE_ARCH_H

#if defined(__x86_64__) && defined(__LP64__)
#include "arch/x86_64/machine.h"
#else
#error "x86-64 only so far"
#endif

#endif /* HEDDLE_ARCH_H */
