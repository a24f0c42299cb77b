/* bug.h - shared by the bugs: each is one body, run with its mistake and without.
 *
 *     BUG(name)
 *     {
 *         ... right ...
 *     }
 * defines the scenarios name_wrong and name_right; nothing but what depends on `right` differs.
 */
#ifndef HEDDLE_STRESS_BUG_H
#define HEDDLE_STRESS_BUG_H

#include "suite/suite.h"

#include <heddle/atomic.h>
#include <heddle/cond.h>
#include <heddle/mutex.h>
#include <heddle/once.h>
#include <heddle/panic.h>
#include <heddle/rwmutex.h>
#include <heddle/scope.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

#define BUG(name)                                                                                  \
    static void name(bool right);                                                                  \
    void name##_wrong(void)                                                                        \
    {                                                                                              \
        name(false);                                                                               \
    }                                                                                              \
    void name##_right(void)                                                                        \
    {                                                                                              \
        name(true);                                                                                \
    }                                                                                              \
    static void name(bool right)

/* What the goroutines of one bug share; each uses what it needs. */
struct box {
    bool right;
    struct hd_chan *a, *b, *c;
    struct hd_mutex m, n;
    struct hd_rwmutex rw;
    struct hd_cond cond;
    struct hd_wg wg;
    struct hd_once once, twice;
    struct hd_context *ctx;
    struct hd_atomic_int64 count, other;
    struct gauge gauge;
    struct tally tally;
    int x, y, items[8];
    int *pointer;
};

__attribute__((unused)) static struct box *box_new(bool right)
{
    struct box *b = KEEP(struct box);

    b->right = right;
    b->cond.mutex = &b->m;
    return b;
}

/* Run it in a goroutine that b->wg waits for. */
#define RUN(fn, b) started(hd_wg_go(&(b)->wg, fn, b))

#endif /* HEDDLE_STRESS_BUG_H */
