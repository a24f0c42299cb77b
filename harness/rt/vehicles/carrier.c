/* carrier.c - the vehicle of the in-process explorer: all threads are stacks of one kernel thread.
 *
 * A switch saves the callee-saved registers and swaps the stack pointer. Thread-local variables are
 * shared by all of them; those that belong to a goroutine are swapped by hand (hd_seam.local).
 * Stacks are kept from schedule to schedule, with a guard page below each.
 */
#include "carrier.h"

#include <sys/mman.h>

#include "arch/arch.h"
#include "core/observers.h"

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
    hdi_switch_stack(&self->carrier.sp, t ? t->carrier.sp : engine_sp);
}

static bool stack(const struct hdi_thread *t, uintptr_t *low, uintptr_t *high)
{
    *low = t->stack_low;
    *high = t->stack_high;
    return true;
}

const struct rt_vehicle rt_carrier = {.give = give, .wait = wait_for_turn, .stack = stack};

/* First frame of every thread. */
__attribute__((noreturn)) static void run(void)
{
    struct hdi_thread *self = hdi_self(), *t;
    void *abandoned;

    self->turn.first_frame = (uintptr_t)__builtin_frame_address(0);
    hdi_tell(THREAD_BEGINS, .object = &self->object);
    self->life.result = self->life.routine(self->life.arg);
    hdi_point(HD_EV_THREAD_EXIT, &self->object, self->start);
    self->carrier.stack->next = idle;
    idle = self->carrier.stack;
    hdi_tell(THREAD_ENDS, .object = &self->object);
    hdi_thread_end();
    t = next;
    next = NULL;
    rt_become(t);
    load_locals(t);
    hdi_switch_stack(&abandoned, t ? t->carrier.sp : engine_sp);
    __builtin_unreachable();
}

bool rt_carrier_start(struct hdi_thread *t)
{
    struct rt_stack *s = idle;

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
    t->carrier.sp = hdi_new_stack(s, run);
    return true;
}

/* Run threads, beginning with t, until the turn is given to nobody. */
void rt_carrier_enter(struct hdi_thread *t)
{
    next = NULL;
    rt_become(t);
    load_locals(t);
    hdi_switch_stack(&engine_sp, t->carrier.sp);
    load_locals(NULL);
}

void rt_carrier_leave(void)
{
    void *abandoned;

    rt_become(NULL);
    hdi_switch_stack(&abandoned, engine_sp);
    __builtin_unreachable();
}
