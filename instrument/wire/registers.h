/* registers.h - the registers from which a thread's stack is unwound. */
#ifndef HEDDLE_REGISTERS_H
#define HEDDLE_REGISTERS_H

#include <stdint.h>

/* kept: those that a called function preserves. x86-64: rbp, rbx, r12 to r15. */
struct hdp_registers {
    uint64_t pc, sp, kept[6];
};

#endif /* HEDDLE_REGISTERS_H */
