/* leak_ledger.h - what is owed: goroutines that must end, contexts to cancel, tickers to stop,
 * pools to close; and the leak checks (heddle/leak.h) that they are charged to.
 *
 * Under the seam the runtime keeps the books. Natively nothing is kept before the first check
 * begins; from then on, what is made by those who work for a check is linked into it. Checks are
 * few and are never freed: whoever still works for one that has ended owes it nothing more.
 */
#ifndef HDI_LEAK_LEDGER_H
#define HDI_LEAK_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "operation.h"

/* A debt, a part of the object that it is about. Zero: none. Guarded by the lock of all checks. */
struct hdi_owed {
    struct hdi_owed *next, **link; /* in its check's list; link NULL: in none */
    enum hd_object kind;           /* HD_OB_THREAD: a goroutine, in struct hdi_working */
    const void *site;              /* where the object was made */
    const char *name;              /* of the program's text: what sort of pool; NULL */
};

/* A goroutine that works for a check. */
struct hdi_working {
    struct hdi_owed owed;
    void *check;      /* constant; NULL: for none, and nothing else here is used */
    const char *name; /* borrowed from the goroutine; may be empty */
    unsigned long number;
    const void
        *thread; /* a plain one, as the follower knows it (watch_client.h); NULL: a goroutine */

    /* What it waits for, written by itself before it sleeps and after. */
    _Atomic uint32_t event; /* enum hd_event; HD_EV_NONE: it runs */
    const void *_Atomic site;
    _Atomic int64_t since_ns;
};

struct hdi_check {
    struct hdi_check *outer; /* of the same thread, to be worked for again */
    struct hdi_owed *owed;   /* newest first */
    unsigned long thread;    /* that began it */
    char name[64];
    const char *file; /* of the program's text */
    int line;
    bool over;
};

/* Set when the first check begins, and never unset. */
extern _Atomic bool hdi_checking;
extern struct hdi_lock hdi_check_lock; /* a leaf */

/* Told by the seam or natively, all of them; see the inline ones below. */
void *hdi_check_swap_kept(void *check);
void hdi_owe_kept(struct hdi_owed *owed, enum hd_object kind, const void *object, const char *name,
                  const void *site);
void hdi_settle_kept(struct hdi_owed *owed, const void *object);

static inline bool hdi_books_are_kept(void)
{
    return HDI_CONTROLLED() ||
           HDI_UNLIKELY(atomic_load_explicit(&hdi_checking, memory_order_relaxed));
}

/* Work for another check; which one before. NULL: for none. */
static inline void *hdi_check_swap(void *check)
{
    return hdi_books_are_kept() ? hdi_check_swap_kept(check) : NULL;
}

/* Whom the caller works for: for those who start something on his behalf later. */
static inline void *hdi_check_now(void)
{
    void *mine = hdi_check_swap(NULL);

    return hdi_check_swap(mine), mine;
}

/* `object`, made at site and announced to the seam by that name, must be ended by whoever has
 * it. */
static inline void hdi_owe(struct hdi_owed *owed, enum hd_object kind, const void *object,
                           const char *name, const void *site)
{
    if (hdi_books_are_kept())
        hdi_owe_kept(owed, kind, object, name, site);
}

/* It has been; it may be said again. */
static inline void hdi_settle(struct hdi_owed *owed, const void *object)
{
    if (hdi_books_are_kept())
        hdi_settle_kept(owed, object);
}

/* A goroutine's life, natively: made by the caller, begun and ended in its thread. `undone`: it was
 * never begun. */
void hdi_work_made(struct hdi_working *work, const char *name, unsigned long number,
                   const void *site);
void hdi_work_undone(struct hdi_working *work);
void hdi_work_begins(struct hdi_working *work);
void hdi_work_ends(struct hdi_working *work);

/* It is about to sleep, or goes on (NULL). */
void hdi_work_waits(const struct hdi_why *why);

#endif /* HDI_LEAK_LEDGER_H */
