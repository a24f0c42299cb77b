/* lockset.c - sets of held locks, each kept once. */
#include "lockset.h"

#define SETS 4096u

static struct hdi_lockset *sets;
static uint32_t used;

static bool same(const struct hdi_lockset *set, const struct hdi_thread *t)
{
    if (set->count != (t->locks.count < HDI_LOCKSET ? t->locks.count : HDI_LOCKSET))
        return false;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->lock[i].object != t->locks.held[i].object ||
            set->lock[i].site != t->locks.held[i].site)
            return false;
    return true;
}

uint32_t hdi_lockset_of(const struct hdi_thread *t)
{
    static uint32_t last;
    if (!t || !t->locks.count)
        return 0;
    if (!sets)
        sets = hdi_alloc_lasting(SETS * sizeof *sets);
    if (last && same(&sets[last - 1], t))
        return last;
    for (uint32_t i = 0; i < used; i++)
        if (same(&sets[i], t))
            return last = i + 1;
    if (used == SETS)
        return 0;
    struct hdi_lockset *set = &sets[used++];
    set->count = t->locks.count < HDI_LOCKSET ? t->locks.count : HDI_LOCKSET;
    for (uint32_t i = 0; i < set->count; i++)
        set->lock[i] = t->locks.held[i];
    return last = used;
}

const struct hdi_lockset *hdi_lockset_at(uint32_t number)
{
    return number && number <= used ? &sets[number - 1] : NULL;
}
