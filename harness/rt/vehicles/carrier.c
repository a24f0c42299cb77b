/* carrier.c - the vehicle of the in-process explorer: all threads are stacks of one kernel thread.
 *
 * A switch saves the callee-saved registers and swaps the stack pointer. Thread-local variables are
 * shared by all of them; those that belong to a goroutine are swapped by hand (hd_seam.local).
 * Stacks are kept from schedule to schedule, with a guard page below each.
 */
#include "carrier.h"

#include <string.h>
#include <sys/mman.h>

#ifndef __x86_64__
#error "stacks are switched on x86-64 only so far"
#endif

#define STACK_BYTES (256u << 10)
#define GUARD_BYTES 4096u
#define LOCALS 8u

struct rt_stack {
    struct rt_stack *next;
    unsigned char *low;
};

static void *engine_sp;         /* the explorer itself */
static struct hdi_thread *next; /* given the turn; NULL: the explorer goes on */
static struct rt_stack *idle;
static void **local[LOCALS];
static uint32_t locals;

void rt_switch(void **save, void *load);
__asm__(".text\n.hidden rt_switch\n.globl rt_switch\n.type rt_switch,@function\n"
        "rt_switch:\n"
        "\tpush %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n"
        "\tsub $8, %rsp\n\tstmxcsr (%rsp)\n\tfnstcw 4(%rsp)\n"
        "\tmov %rsp, (%rdi)\n\tmov %rsi, %rsp\n"
        "\tldmxcsr (%rsp)\n\tfldcw 4(%rsp)\n\tadd $8, %rsp\n"
        "\tpop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret\n");

void rt_carrier_local(void **word)
{
    for (uint32_t i = 0; i < locals; i++)
        if (local[i] == word)
            return;
    if (locals < LOCALS)
        local[locals++] = word;
}

static void save_locals(struct hdi_thread *t)
{
    for (uint32_t i = 0; i < locals; i++)
        t->carrier.local[i] = *local[i];
}

static void load_locals(struct hdi_thread *t)
{
    for (uint32_t i = 0; i < locals; i++)
        *local[i] = t ? t->carrier.local[i] : NULL;
}

static void give(struct hdi_thread *t)
{
    next = t;
}

static void wait_for_turn(struct hdi_thread *self)
{
    struct hdi_thread *t = next;

    next = NULL;
    if (t == self)
        return;
    save_locals(self);
    rt_become(t);
    load_locals(t);
    rt_switch(&self->carrier.sp, t ? t->carrier.sp : engine_sp);
}

const struct rt_vehicle rt_carrier = {.give = give, .wait = wait_for_turn};

/* First frame of every thread. */
__attribute__((noreturn)) static void run(void)
{
    struct hdi_thread *self = hdi_self(), *t;
    void *abandoned;

    self->life.result = self->life.routine(self->life.arg);
    hdi_point(HD_EV_THREAD_EXIT, &self->object, self->start);
    self->carrier.stack->next = idle;
    idle = self->carrier.stack;
    hdi_thread_end();
    t = next;
    next = NULL;
    rt_become(t);
    load_locals(t);
    rt_switch(&abandoned, t ? t->carrier.sp : engine_sp);
    __builtin_unreachable();
}

bool rt_carrier_start(struct hdi_thread *t)
{
    struct rt_stack *s = idle;
    uint64_t *top;

    if (s) {
        idle = s->next;
    } else {
        unsigned char *m = mmap(NULL, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (m == MAP_FAILED || mprotect(m, GUARD_BYTES, PROT_NONE) != 0)
            return false;
        s = (struct rt_stack *)(void *)(m + STACK_BYTES + GUARD_BYTES - 64);
        s->low = m;
    }
    t->carrier.stack = s;
    t->stack_low = (uintptr_t)s->low + GUARD_BYTES;
    t->stack_high = (uintptr_t)s;
    /* As rt_switch leaves it: control words, six registers, the address to return to. */
    top = (uint64_t *)(void *)s;
    *--top = 0; /* run() is called with the stack as after a call */
    *--top = (uint64_t)(uintptr_t)run;
    for (int i = 0; i < 6; i++)
        *--top = 0;
    *--top = 0x1f80 | 0x037full << 32;
    t->carrier.sp = top;
    return true;
}

/* Run threads, beginning with t, until the turn is given to nobody. */
void rt_carrier_enter(struct hdi_thread *t)
{
    next = NULL;
    rt_become(t);
    load_locals(t);
    rt_switch(&engine_sp, t->carrier.sp);
    load_locals(NULL);
}

void rt_carrier_leave(void)
{
    void *abandoned;

    rt_become(NULL);
    rt_switch(&abandoned, engine_sp);
    __builtin_unreachable();
}
