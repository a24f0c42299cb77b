/* always.h - invariants: what must be true of the program's memory at every point where another thread may come in.
 *
 *     HD_INVARIANT(money_stays, account[0] + account[1] == 100)     at file scope
 *     ...
 *     hd_always(&money_stays);          from here on
 *     hd_always_end(&money_stays);      until here
 *
 * Or about an object, for as long as it lives:
 *
 *     static int within(const void *queue) { return ((const struct queue *)queue)->used <= ROOM; }
 *     static const struct hd_invariant fits = {within, &the_queue, "used <= ROOM"};
 *
 * Under `heddle run` and hd_explore() (heddle/test.h) it is looked at whenever a thread has done a step, before another may
 * run; the first time that it does not hold is a finding, "always: ...", which names the thread that acted. Natively it
 * is looked at in hd_always() and hd_always_end() alone; the program aborts where it does not hold.
 *
 * Until hd_always_end(), or the end of the program or of the explored function, what it looks at must be there: end
 * one about locals or freed memory before. In a schedule of hd_explore() those stand which the function began, and those that
 * stood before.
 *
 * A step is what a thread does from one point to the next: of code that is not built with heddle-cc, from one call that
 * Heddle models to the next; of code that is, to the next access of shared memory (`--points=all`: of any). What is put
 * right within a step is not seen. Where a lock makes several steps one for others, say so: !locked || ... Under a weak memory
 * model it sees what has reached memory.
 *
 * A compiler moves and removes stores that nobody else may read in between: make what the invariant reads volatile or atomic
 * where that matters.
 *
 * The function reads memory and returns whether the invariant holds; it calls nothing that waits, and changes nothing.
 * What it reads is no access of the program: it is no race, and no point.
 *
 *   threads  any
 *   blocks   no
 */
#ifndef HEDDLE_ALWAYS_H
#define HEDDLE_ALWAYS_H

#include <stdio.h>
#include <stdlib.h>

#include <heddle/annotate.h>
#include <heddle/api.h>

HD_BEGIN_DECLS

struct hd_invariant {
    int (*holds)(const void *arg);
    const void *arg;
    const char *text; /* as reports call it */
};

/* An invariant `name` about what is declared at file scope. */
#define HD_INVARIANT(name, expression)                                                             \
    static int name##_holds(const void *hdi_unused)                                                \
    {                                                                                              \
        (void)hdi_unused;                                                                          \
        return (expression) ? 1 : 0;                                                               \
    }                                                                                              \
    static const struct hd_invariant name = {name##_holds, NULL, #expression};

static inline void hdi_invariant_tell(const char *whom, const struct hd_invariant *invariant)
{
    int (*tell)(const struct hd_invariant *);
    *(void **)(&tell) = hdi_annotation(whom);
    if ((!tell || !tell(invariant)) && !invariant->holds(invariant->arg)) {
        fprintf(stderr, "always: %s\n", invariant->text);
        abort();
    }
}

/* *invariant lives as long as it stands. One that stands already stays. */
static inline void hd_always(const struct hd_invariant *invariant)
{
    hdi_invariant_tell("heddle_rt_always", invariant);
}

/* It is looked at once more. */
static inline void hd_always_end(const struct hd_invariant *invariant)
{
    hdi_invariant_tell("heddle_rt_always_end", invariant);
}

HD_END_DECLS

#endif /* HEDDLE_ALWAYS_H */
