/* watch_client.c - see watch_client.h: finding the follower, and plain threads as debts of a leak
 * check. */
#include "watch_client.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "fibre.h"
#include "leak_ledger.h"
#include "watch_restart.h"

extern __typeof__(dlsym) dlsym __attribute__((weak)); /* a static program has none */

const struct hd_watch *hdi_watch;

/* A thread that works for a check. */
struct thread {
    struct hdi_working work;
    char name[16];
};

static void *made(const void *thread, uint32_t number, const void *site)
{
    struct thread *t = hdi_check_now() ? calloc(1, sizeof *t) : NULL;

    if (!t)
        return NULL;
    snprintf(t->name, sizeof t->name, "T%u", number);
    t->work.thread = thread;
    hdi_work_made(&t->work, t->name, number, site);
    return t;
}

static void begins(void *handle)
{
    hdi_work_begins(&((struct thread *)handle)->work);
}

static void settled(void *handle)
{
    struct thread *t = handle;

    if (hdi_mine.working == &t->work) /* its very last moments */
        hdi_mine.working = NULL;
    hdi_work_undone(&t->work);
    free(t);
}

/* Behind the one that looks for a seam: under that nothing is followed. */
__attribute__((constructor(102))) static void find_follower(void)
{
    static const struct hd_watch_library mine = {sizeof mine, made, begins, settled};
    const struct hd_watch *(*offer)(uint32_t) = NULL;

    if (dlsym && !hdi_seam)
        *(void **)&offer = dlsym(RTLD_DEFAULT, HD_WATCH_SYMBOL);
    hdi_watch = offer ? offer(HD_WATCH_VERSION) : NULL;
    if (hdi_watch)
        hdi_watch->attach(&mine);
    else if (!hdi_seam)
        hdi_be_followed();
}
