/* library_race.c - see library_race.h
 *
 * std::atomic<std::shared_ptr> of libstdc++ has a lock in its reference counter. Who only read the pointer gives
 * it back with a relaxed update, so that by C++'s rules the next owner's write races with the read. The
 * update is a full barrier on x86, and the program can do nothing about it.
 */
#include "library_race.h"

#include <string.h>

#include "symbols/symbol.h"
#include "util/alloc.h"

#define ATOMIC "std::_Sp_atomic<"

static bool begins_with(const char *text, const char *start)
{
    return text && strncmp(text, start, strlen(start)) == 0;
}

/* Frames of an access, those of inlined functions and of the library included. */
static struct stack innermost(const struct scene *scene, const struct hdp_note *raw,
                              const struct note *n)
{
    struct stack s = {0};

    symbols_frames_all(scene->symbols, raw->site, true, &s);
    if (s.count == 1 && n->stack.count > 1) { /* not inlined: whoever called it */
        const struct frame *caller = &n->stack.frame[1];
        stack_push(&s, caller->function, NULL, 0, 0, NULL, 0);
    }
    return s;
}

/* Does it access the pointer of such an atomic, with the lock? Its member functions do, and exchange it
 * through std::swap(). */
static void look_at(const struct stack *s, bool *in_member, bool *in_swap)
{
    const char *first = s->count ? s->frame[0].function : NULL;
    const char *second = s->count > 1 ? s->frame[1].function : NULL;

    *in_member = begins_with(first, ATOMIC);
    *in_swap = first && begins_with(second, ATOMIC) && strstr(first, " std::swap<");
}

void library_race_mark(const struct scene *scene, const struct hdp_finding *raw, struct finding *f)
{
    bool read = false, written = false;
    size_t accesses = 0;

    if (f->kind != HD_FK_DATA_RACE || f->doubtful)
        return;
    for (size_t i = 0; i < f->notes && i < raw->notes; i++) {
        struct stack s;
        bool in_member, in_swap;
        if (f->note[i].role != HD_ROLE_ACCESS && f->note[i].role != HD_ROLE_PREVIOUS_ACCESS)
            continue;
        s = innermost(scene, &raw->note[i], &f->note[i]);
        look_at(&s, &in_member, &in_swap);
        stack_clear(&s);
        accesses++;
        if (raw->note[i].extra & HD_ACCESS_WRITE)
            written |= in_swap;
        else
            read |= in_member;
    }
    if (accesses == 2 && read && written)
        f->doubtful = mem_copy("the lock within std::atomic<std::shared_ptr> is given back without "
                               "the order that C++ asks for: libstdc++'s mistake, not the "
                               "program's, and without effect on this processor");
}
