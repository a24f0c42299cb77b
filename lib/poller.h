/* poller.h - a fibre waits until a descriptor is ready, served by one thread while any do.
 *
 * Whoever has the turn at a descriptor, one to read and one to write, tries and waits; the others
 * wait for their turn, so that nobody finds that another was faster. */
#ifndef HDI_POLLER_H
#define HDI_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "park.h"

/* On the fibre's stack. */
struct hdi_turn {
    struct hdi_turn *next;  /* in its bucket, in the order in which they came */
    struct hdi_turn *woken; /* in the list of those that are woken at once */
    uint64_t key;           /* which descriptor, and whether to write */
    bool waits;             /* until it is ready, and nobody has taken it to wake it */
    struct hdi_parker parker;
};

void hdi_turn_take(struct hdi_turn *turn, int fd, bool to_write);
void hdi_turn_give(struct hdi_turn *turn);

enum hdi_ready {
    HDI_READY,    /* perhaps */
    HDI_TOO_LATE, /* until_ns has come */
    HDI_UNKNOWN,  /* such a descriptor cannot be waited for, or there is no memory or thread */
};
enum hdi_ready hdi_turn_wait(struct hdi_turn *turn, int64_t until_ns);

#endif /* HDI_POLLER_H */
