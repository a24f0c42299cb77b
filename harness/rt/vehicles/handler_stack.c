/* handler_stack.c - a stack for the crash handler of each thread: one that has used up its own has
 * none left for it. They are mapped once, and take memory only when they are used.
 */
#include "turn/rt.h"

#include <signal.h>
#include <sys/syscall.h>

#include "core/real.h"
#include "reach/snapshot.h"

#define HANDLER_STACKS 256u
#define HANDLER_STACK_BYTES 32768u

static unsigned char *handler_stacks;
static bool off;

static bool is_handler_stack(const stack_t *s)
{
    const unsigned char *p = s->ss_sp;
    return handler_stacks && !(s->ss_flags & SS_DISABLE) && p >= handler_stacks &&
           p < handler_stacks + HANDLER_STACKS * HANDLER_STACK_BYTES;
}

void rt_handler_stacks_start(void)
{
    handler_stacks = hdi_reach_pages((size_t)HANDLER_STACKS * HANDLER_STACK_BYTES);
    rt_handler_stack(rt.main);
}

void rt_handler_stack(const struct hdi_thread *t)
{
    stack_t mine = {.ss_size = HANDLER_STACK_BYTES}, old;

    if (!handler_stacks || off)
        return;
    mine.ss_sp = handler_stacks + t->index % HANDLER_STACKS * HANDLER_STACK_BYTES;
    if (hdi_real.syscall(SYS_sigaltstack, &mine, &old) == 0 && !(old.ss_flags & SS_DISABLE) &&
        !is_handler_stack(&old))
        hdi_real.syscall(SYS_sigaltstack, &old, NULL); /* the program's own, or another tool's */
}

/* One that has no alternate stack runs such a handler on the thread's own, which may be larger, and is
 * nobody else's. A thread that began before keeps ours. */
void hdi_handler_stacks_off(void)
{
    stack_t none = {.ss_flags = SS_DISABLE}, old;

    if (hdi_real.syscall(SYS_sigaltstack, NULL, &old) == 0 && is_handler_stack(&old))
        hdi_real.syscall(SYS_sigaltstack, &none, NULL);
    off = true;
}

/* The program sees and sets its own alternate stack, as if ours were not there. */
HDI_EXPORT int sigaltstack(const stack_t *restrict stack, stack_t *restrict old)
{
    stack_t before;
    int rc = hdi_real.sigaltstack(stack, &before);

    if (rc != 0)
        return rc;
    if (is_handler_stack(&before))
        before = (stack_t){.ss_flags = SS_DISABLE};
    if (old)
        *old = before;
    if (stack && stack->ss_flags & SS_DISABLE && rt.active && hdi_self())
        rt_handler_stack(hdi_self());
    return 0;
}
