/* leak_ledger.c - see leak_ledger.h. */
#include "leak_ledger.h"

#include <pthread.h>

#include "fibre.h"
#include "park.h"

_Atomic bool hdi_checking;
struct hdi_lock hdi_check_lock;
_Thread_local __attribute__((tls_model("initial-exec"))) struct hdi_working *hdi_working;
HDI_OF_THREAD struct hdi_check *mine;

void hdi_ledger_swap(struct hdi_locals *locals)
{
    struct hdi_working *working = hdi_working;
    struct hdi_check *check = mine;

    hdi_working = locals->working;
    mine = locals->check;
    locals->working = working;
    locals->check = check;
}

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
    void *before = mine;

    if (hdi_seam)
        return HDI_TELLS(check_swap) ? hdi_seam->check_swap(check) : NULL;
    mine = check;
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
        if (mine)
            enter(owed, mine, kind, site);
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
    work->check = mine;
    if (!mine)
        return;
    hdi_hide(work, sizeof *work);
    work->name = name;
    work->number = number;
    enter(&work->owed, mine, HD_OB_THREAD, site);
}

void hdi_work_undone(struct hdi_working *work)
{
    if (work->check)
        strike_out(&work->owed);
}

void hdi_work_begins(struct hdi_working *work)
{
    mine = work->check;
    hdi_working = mine ? work : NULL;
}

void hdi_work_ends(struct hdi_working *work)
{
    mine = NULL;
    hdi_working = NULL;
    if (work->check)
        strike_out(&work->owed);
}

/* What hd_expect_leak() calls. */
HD_API void hdi_leak_expected(void);
void hdi_leak_expected(void)
{
    if (hdi_working)
        strike_out(&hdi_working->owed);
}

void hdi_work_waits(const struct hdi_why *why)
{
    if (why) {
        atomic_store_explicit(&hdi_working->site, why->site, memory_order_relaxed);
        atomic_store_explicit(&hdi_working->since_ns, hdi_now_ns(), memory_order_relaxed);
    }
    atomic_store_explicit(&hdi_working->event, why ? why->event : HD_EV_NONE, memory_order_release);
}
