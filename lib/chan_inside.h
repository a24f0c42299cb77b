/* chan_inside.h - channels as select, timers and contexts see them. */
#ifndef HDI_CHAN_INSIDE_H
#define HDI_CHAN_INSIDE_H

#include <heddle/chan.h>
#include <heddle/select.h>

#include "park.h"

/* What a goroutine waits for: the first of its cases. On its stack. */
struct hdi_turn {
    struct hdi_parker parker;
    _Atomic uint32_t chosen; /* 0 none yet, else 1 + the case that happened, or HDI_TURN_OVER */
};

#define HDI_TURN_OVER UINT32_MAX /* its time was over first */

/* One case in a channel's line. Its owner may leave only when it is out of the line, and the one
 * whose case was chosen only when its parker is released. */
struct hdi_wait {
    struct hdi_wait *next, *prev; /* guarded by the channel's lock, as `queued` */
    struct hdi_turn *turn;
    void *slot;     /* the value, or room for it; NULL: drop it */
    uint32_t index; /* of the case in its select */
    bool queued;
    bool alike;          /* its select has another case on the same channel */
    bool ok;             /* set by whoever chose it: false if the channel was closed */
    const void *in_edge; /* set by whoever chose it: the clock to acquire */
    uint64_t out, in;    /* clocks: their addresses alone matter */
};

enum hdi_outcome { HDI_MUST_WAIT, HDI_DONE, HDI_CLOSED };

/* Each with the channel's lock held; *wake is who is to be unparked after it is unlocked. */
void hdi_chan_lock(struct hd_chan *chan);
void hdi_chan_unlock(struct hd_chan *chan);
enum hdi_outcome hdi_chan_send_now(struct hd_chan *chan, const void *value, struct hdi_wait **wake);
enum hdi_outcome hdi_chan_recv_now(struct hd_chan *chan, void *value, struct hdi_wait **wake);
bool hdi_chan_can_send(const struct hd_chan *chan);
bool hdi_chan_can_recv(const struct hd_chan *chan);
void hdi_chan_join(struct hd_chan *chan, struct hdi_wait *wait, bool sends);
void hdi_chan_leave(struct hd_chan *chan, struct hdi_wait *wait, bool sends);

/* Panics if its last reference has gone. */
void hdi_chan_need_alive(const struct hd_chan *chan, const void *site);

/* Let the owner of a chosen wait go on; NULL is allowed. No lock is held. */
void hdi_chan_wake(struct hdi_wait *wait);

/* Goroutines that wait to send or to receive there now. For those who watch it. */
size_t hdi_chan_waiting(struct hd_chan *chan);

size_t hdi_chan_bytes(const struct hd_chan *chan); /* of one value */

/* Made on behalf of a caller at `site`; NULL without memory. */
struct hd_chan *hdi_chan_make(const char *name, size_t bytes, size_t capacity, const void *site);

/* A timer's: one value, but its length and capacity are 0 to those who ask. NULL without memory. */
struct hd_chan *hdi_chan_make_for_timer(const void *site);

/* end(of) when the last reference to the channel goes. */
void hdi_chan_ends_with(struct hd_chan *chan, void (*end)(void *of), void *of);

/* Put a value in from a timer, if there is room: ordered after `clock` alone. Not a point. */
void hdi_chan_post(struct hd_chan *chan, const void *value, const void *clock);

/* Take out what a timer put in; whether there was something. Not a point. */
bool hdi_chan_drain(struct hd_chan *chan);

/* Close as a part of a larger operation, ordered after `clock` alone. Not a point. */
void hdi_chan_shut(struct hd_chan *chan, const void *clock);

/* hd_select(), as the wait that it is part of: reports name why's object, which is not NULL. */
int hdi_select_as(const struct hd_case *cases, size_t count, const struct hdi_why *why);

#endif /* HDI_CHAN_INSIDE_H */
