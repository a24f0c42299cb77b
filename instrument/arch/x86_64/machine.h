/* machine.h - x86-64: see arch.h. */
#ifndef HEDDLE_MACHINE_H
#define HEDDLE_MACHINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "wire/registers.h"

/* ---- registers ---- */

/* As they are where this is called: a place, the stack pointer, and those that a called function
 * must preserve (what the caller's callers had in them is there or on the stack above). */
static inline __attribute__((always_inline)) void hdi_registers_here(struct hdp_registers *r)
{
    __asm__ volatile("lea 0(%%rip), %%rax\n\t"
                     "movq %%rax, 0(%0)\n\t"
                     "movq %%rsp, 8(%0)\n\t"
                     "movq %%rbp, 16(%0)\n\t"
                     "movq %%rbx, 24(%0)\n\t"
                     "movq %%r12, 32(%0)\n\t"
                     "movq %%r13, 40(%0)\n\t"
                     "movq %%r14, 48(%0)\n\t"
                     "movq %%r15, 56(%0)\n\t"
                     :
                     : "r"(r)
                     : "rax", "memory");
}

/* Of the thread that a signal interrupted; `context` is a ucontext_t. */
static inline struct hdp_registers hdi_registers_in(const void *context)
{
    const greg_t *g = ((const ucontext_t *)context)->uc_mcontext.gregs;

    return (struct hdp_registers){.pc = (uint64_t)g[REG_RIP],
                                  .sp = (uint64_t)g[REG_RSP],
                                  .kept = {(uint64_t)g[REG_RBP], (uint64_t)g[REG_RBX],
                                           (uint64_t)g[REG_R12], (uint64_t)g[REG_R13],
                                           (uint64_t)g[REG_R14], (uint64_t)g[REG_R15]}};
}

/* Does a system call end right where the signal came? If so, *result is what it returns. */
static inline bool hdi_after_system_call(const void *context, int64_t *result)
{
    const greg_t *g = ((const ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *before = (const unsigned char *)(uintptr_t)g[REG_RIP] - 2;

    *result = g[REG_RAX];
    return before[0] == 0x0f && before[1] == 0x05;
}

/* Was it a write that faulted? */
static inline int hdi_fault_writes(const void *context)
{
    return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2 ? 1 : 0;
}

/* A function saves at most so many words right below its frame pointer: rbx, r12 to r15. */
#define HDI_SAVED_BELOW_FRAME 5

/* ---- stacks ---- */

/* Save what a called function must preserve on this stack, its pointer in *save, and go on where
 * `load` was saved. */
void hdi_switch_stack(void **save, void *load);
/* What to load to have `run`, which does not return, called on the stack that ends at `top` (a
 * multiple of 16). */
static inline void *hdi_new_stack(void *top, void (*run)(void))
{
    uint64_t *p = top;

    /* As hdi_switch_stack() leaves it: control words, six registers, the address to return to. */
    *--p = 0; /* run() is called with the stack as after a call */
    *--p = (uint64_t)(uintptr_t)run;
    for (int i = 0; i < 6; i++)
        *--p = 0;
    *--p = 0x1f80 | 0x037full << 32;
    return p;
}

/* ---- threads ---- */

/* A thread that is not running: its registers lie on its stack, and its thread-local variables where
 * the FS base says. Reading and writing that needs FSGSBASE: HDI_CONTEXTS_WORK. */
struct hdi_context {
    void *sp;
    uint64_t fs;
};
void hdi_switch_context(struct hdi_context *save, const struct hdi_context *load);
#define HDI_CONTEXTS_WORK ((getauxval(AT_HWCAP2) & 2) != 0)

#define HDI_JUMP_SLOT                                                                              \
    R_X86_64_JUMP_SLOT /* relocation: a function's address, found at its first call */

static inline uint64_t hdi_thread_base(void)
{
    uint64_t fs;

    __asm__ volatile("rdfsbase %0" : "=r"(fs));
    return fs;
}

/* The processor's counter. */
static inline uint64_t hdi_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

/* ---- signals ---- */

/* The kernel's own struct, for a handler that is installed beside libc and whoever wraps it. */
struct hdi_kernel_action {
    void (*handler)(int number, siginfo_t *info, void *context);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
/* Returns from a handler, by the very bytes that unwinders know a signal frame by. */
void hdi_signal_return(void);
#define HDI_KERNEL_ACTION(function, how)                                                           \
    (struct hdi_kernel_action)                                                                     \
    {                                                                                              \
        .handler = (function), .flags = (how) | 0x04000000ul, .restorer = hdi_signal_return        \
    }

/* ---- without libc ---- */

/* What the kernel answers: an error is its negated number. */
static inline long hdi_system_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long answer;

    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}

/* The same from a place of which the kernel is told to let calls through that it dispatches else
 * (PR_SET_SYSCALL_USER_DISPATCH), and the return from the handler of those. */
extern const char hdi_passed[], hdi_passed_end[];
long hdi_passed_call(long number, long a, long b, long c, long d, long e, long f);
void hdi_passed_return(void);

/* A system call as a handler of SIGSYS finds it. */
static inline void hdi_caught_call(const void *context, long *number, long argument[6])
{
    const greg_t *g = ((const ucontext_t *)context)->uc_mcontext.gregs;

    *number = g[REG_RAX];
    argument[0] = g[REG_RDI];
    argument[1] = g[REG_RSI];
    argument[2] = g[REG_RDX];
    argument[3] = g[REG_R10];
    argument[4] = g[REG_R8];
    argument[5] = g[REG_R9];
}
static inline void hdi_answer_call(void *context, long answer)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = answer;
}

/* It is rt_sigreturn: it is made once more, from where it is passed. Returns the mask of signals that
 * it brings back, of which only `allowed` are left. */
static inline uint64_t hdi_return_again(void *context, uint64_t allowed)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t *mask = (uint64_t *)(void *)&((ucontext_t *)g[REG_RSP])->uc_sigmask;

    g[REG_RIP] = (greg_t)hdi_passed_return;
    return *mask &= allowed;
}

static inline void hdi_clear_raw(void *to, size_t bytes)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(0) : "memory");
}

/* Not memcpy, which a sanitizer in the program would check: a stack has poisoned parts. */
static inline void hdi_copy_raw(void *to, const void *from, size_t bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

/* At `at`, a jump to `to` that spoils one register which a call may change. */
#define HDI_JUMP_BYTES 12
static inline void hdi_put_jump(unsigned char *at, const void *to)
{
    uint64_t target = (uintptr_t)to;

    *at++ = 0x48; /* mov target, %rax */
    *at++ = 0xb8;
    hdi_copy_raw(at, &target, sizeof target);
    at[8] = 0xff; /* jmp *%rax */
    at[9] = 0xe0;
}

/* ---- calls that come before ours are looked up ---- */

/* Defines hdi_first_NAME(): calls hdi_real_start() and goes on, with its own arguments, to what the
 * next word of the table hdi_real holds then. In the order of the table, after HDI_FIRST_CALLS. */
#define HDI_FIRST_CALLS                                                                            \
    __asm__(".set hdi_real_offset, 0\n"                                                            \
            ".pushsection .text\n"                                                                 \
            "hdi_first_call:\n"                                                                    \
            "push %rdi\n push %rsi\n push %rdx\n push %rcx\n push %r8\n push %r9\n"                \
            "push %rax\n push %r11\n sub $8, %rsp\n"                                               \
            "call hdi_real_start\n"                                                                \
            "add $8, %rsp\n pop %r11\n pop %rax\n"                                                 \
            "pop %r9\n pop %r8\n pop %rcx\n pop %rdx\n pop %rsi\n pop %rdi\n"                      \
            "jmp *(%r11)\n"                                                                        \
            ".popsection")
#define HDI_FIRST_CALL(name)                                                                       \
    __asm__(".pushsection .text\n"                                                                 \
            "hdi_first_" #name ": leaq hdi_real + hdi_real_offset(%rip), %r11\n"                   \
            ".set hdi_real_offset, hdi_real_offset + 8\n"                                          \
            "jmp hdi_first_call\n"                                                                 \
            ".popsection")

/* ---- results ---- */

/* Does nobody look at what the call returned that ends at this address? False when in doubt. (result.c) */
bool hdi_result_is_ignored(uint64_t behind_call);

#endif /* HEDDLE_MACHINE_H */
