/* fibres.h - where the goroutines lie that no thread carries (HEDDLE_LIB=fibres), for whoever looks
 * at a process from outside, or at its core: `heddle attach`, gdb. Programs have no use for it.
 *
 * The file that holds the library has a note, of owner HD_FIBRES_OWNER and kind HD_FIBRES_NOTE: 8
 * bytes that say how far behind them a struct hd_fibres lies. It is found without symbols.
 */
#ifndef HEDDLE_FIBRES_H
#define HEDDLE_FIBRES_H

#include <stdint.h>

#define HD_FIBRES_OWNER "Heddle"
#define HD_FIBRES_NOTE 1
#define HD_FIBRES_VERSION 1

/* Stacks that lie side by side, a guard page at the bottom of each and its fibre at the top; at the
 * beginning of their mapping. One is in use if its fibre says that this is its stack. */
struct hd_fibre_slab {
    struct hd_fibre_slab *next, **link;
    unsigned char *first;
    uint64_t bytes; /* of each stack */
    uint64_t count;
};

/* Addresses, and offsets within the library's own structures. */
struct hd_fibres {
    uint32_t version; /* 0: there are no fibres in this process */
    uint32_t workers; /* places for them */
    struct hd_fibre_slab *const *slabs;
    const unsigned *generation; /* of this process: fibres of others are its parent's */
    const void *worker;         /* the first */
    const int *monitor;         /* number of the thread that only looks after the workers */
    uint32_t worker_bytes, worker_running, worker_bed;
    uint32_t fibre_bytes, fibre_sp, fibre_wants, fibre_arg, fibre_parker, fibre_timer_link,
        fibre_stack, fibre_generation;
    uint32_t wants_to_park; /* what it wants then */
    uint32_t parker_go;     /* 2: asleep */
    uint32_t goroutine_number;
};

#endif /* HEDDLE_FIBRES_H */
