/* leak_ledger.c - see leak_ledger.h. */
#include "leak_ledger.h"

#include <pthread.h>

#include "fibre.h"
#include "park.h"

_Atomic bool hdi_checking;
struct hdi_lock hdi_check_lock;

static void forget_lock(void)
{
    atomic_store(&hdi_check_lock.word, 0);
}

__attribute__((constructor(106))) static void hide_lock(void)
{
    pthread_atfork(NULL, NULL, forget_lock);
    hdi_hide(&hdi_check_lock, sizeof hdi_check_lock);
}

void *hdi_check_swap_kept(void *check)
{
    void *before = hdi_mine.check;

    if (hdi_seam)
        return HDI_TELLS(check_swap) ? hdi_seam->check_swap(check) : NULL;
    hdi_mine.check = check;
    return before;
}

/* ---- debts ---- */

static void enter(struct hdi_owed *owed, struct hdi_check *check, enum hd_object kind,
                  const void *site)
{
    hdi_hide(owed, sizeof *owed);
    owed->kind = kind;
    owed->site = site;
    hdi_lock(&hdi_check_lock);
    if (!check->over && !owed->link) {
        owed->next = check->owed;
        owed->link = &check->owed;
        if (owed->next)
            owed->next->link = &owed->next;
        check->owed = owed;
    }
    hdi_unlock(&hdi_check_lock);
}

static void strike_out(struct hdi_owed *owed)
{
    hdi_lock(&hdi_check_lock);
    if (owed->link) {
        *owed->link = owed->next;
        if (owed->next)
            owed->next->link = owed->link;
        owed->link = NULL;
    }
    hdi_unlock(&hdi_check_lock);
}

void hdi_owe_kept(struct hdi_owed *owed, enum hd_object kind, const void *object, const char *name,
                  const void *site)
{
    if (!hdi_seam) {
        owed->name = name;
        if (hdi_mine.check)
            enter(owed, hdi_mine.check, kind, site);
    } else if (HDI_TELLS(owes)) {
        hdi_seam->owes(object, 1);
    }
}

void hdi_settle_kept(struct hdi_owed *owed, const void *object)
{
    strike_out(owed);
    if (HDI_TELLS(owes))
        hdi_seam->owes(object, 0);
}

/* ---- goroutines ---- */

void hdi_work_made(struct hdi_working *work, const char *name, unsigned long number,
                   const void *site)
{
    work->check = hdi_mine.check;
    if (!hdi_mine.check)
        return;
    hdi_hide(work, sizeof *work);
    work->name = name;
    work->number = number;
    enter(&work->owed, hdi_mine.check, HD_OB_THREAD, site);
}

void hdi_work_undone(struct hdi_working *work)
{
    if (work->check)
        strike_out(&work->owed);
}

void hdi_work_begins(struct hdi_working *work)
{
    hdi_mine.check = work->check;
    hdi_mine.working = hdi_mine.check ? work : NULL;
}

void hdi_work_ends(struct hdi_working *work)
{
    hdi_mine.check = NULL;
    hdi_mine.working = NULL;
    if (work->check)
        strike_out(&work->owed);
}

/* What hd_expect_leak() calls. */
HD_API void hdi_leak_expected(void);
void hdi_leak_expected(void)
{
    if (hdi_mine.working)
        strike_out(&hdi_mine.working->owed);
}

void hdi_work_waits(const struct hdi_why *why)
{
    if (why) {
        atomic_store_explicit(&hdi_mine.working->site, why->site, memory_order_relaxed);
        atomic_store_explicit(&hdi_mine.working->since_ns, hdi_now_ns(), memory_order_relaxed);
    }
    atomic_store_explicit(&hdi_mine.working->event, why ? why->event : HD_EV_NONE,
                          memory_order_release);
}
