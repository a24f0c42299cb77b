/* graveyard.c - see graveyard.h. A ring: whoever comes round to a place frees what lay there. */
#include "graveyard.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "happens_before.h"

#define PLACES 64u
#define PLACES_WATCHED 4096u
#define MOST_BYTES ((size_t)4 << 10)
#define MOST_BYTES_WATCHED ((size_t)64 << 10)

static _Atomic(void *) place[PLACES_WATCHED];
static _Atomic unsigned next;

__attribute__((constructor(102))) static void hide_places(void)
{
    hdi_hide(place, sizeof place);
    hdi_weak(place, sizeof place);
}

void hdi_bury(void *memory, size_t bytes)
{
    unsigned places = HDI_CONTROLLED() ? PLACES_WATCHED : PLACES;
    void *before = memory;

    if (bytes <= (HDI_CONTROLLED() ? MOST_BYTES_WATCHED : MOST_BYTES)) {
        hdi_release(memory);
        before = atomic_exchange(&place[atomic_fetch_add(&next, 1) % places], memory);
        if (before)
            hdi_acquire(before);
    }
    free(before);
}
