/* waits.c - see waits.h */
#include "waits.h"

static void find_wait(struct view *v, struct viewed *t)
{
    struct wait *w = &t->wait;
    *w = (struct wait){.holder = NOBODY};
    if (!wait_in_library(v, t, w) && !wait_on_futex(v, t, w) && !wait_in_call(v, t, w))
        wait_by_running(v, t, w);
    while (w->from < t->places && view_is_libc(v, &t->place[w->from]))
        w->from++;
    if (w->from >= t->places) /* nothing but libc: better than nothing */
        w->from = 0;
}

void waits_find(struct view *v)
{
    for (size_t i = 0; i < v->threads; i++)
        find_wait(v, &v->thread[i]);
}
