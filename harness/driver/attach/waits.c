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

/* Once all are known: who waits may know best what another one's lock is. */
static void name_objects(struct view *v)
{
    for (size_t i = 0; i < v->threads; i++)
        if (v->thread[i].wait.object && v->thread[i].wait.kind != HD_EV_THREAD_JOIN)
            view_learn(v, &v->thread[i], v->thread[i].wait.object);
    for (size_t i = 0; i < v->threads; i++) {
        struct wait *w = &v->thread[i].wait;
        if (!w->name && w->object && w->kind != HD_EV_THREAD_JOIN)
            w->name = view_object(v, w->kind, w->object);
    }
}

void waits_find(struct view *v)
{
    for (size_t i = 0; i < v->threads; i++)
        find_wait(v, &v->thread[i]);
    name_objects(v);
}
