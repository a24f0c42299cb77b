/* chan.c - see chan.h.
 *
 * chan->lock guards every field but the constants, and every struct hdi_wait in its lines. True
 * whenever it is free, of those waits whose turn is not over:
 *   I1  senders wait only while count == capacity, receivers only while count == 0
 *   I2  if senders and receivers wait, they are cases of one select (capacity 0)
 *   I3  nobody waits on a closed channel
 * chan_check() goes through them.
 * Its turn decides which of a select's cases happens: whoever takes a wait out of a line first sets
 * turn->chosen, and passes over waits whose turn went elsewhere. Once a wait is chosen its owner
 * touches this channel no more, so that a channel may be freed by whoever received the last value.
 *
 * Happens-before edges, when somebody watches. What a goroutine did before it waits is released to
 * its wait's `out`; what it must see when it goes on, to `in`. A slot of the buffer remembers which
 * clock its value was sent with, and which clock the slot was last emptied with: the k-th receive
 * comes before the (k+C)-th send, and before no other.
 */
#include "chan_inside.h"

#include <stdlib.h>
#include <string.h>

#include <heddle/errors.h>
#include <heddle/invariant.h>
#include <heddle/panic.h>

#include "graveyard.h"
#include "misuse.h"

struct line {
    struct hdi_wait *first, *last;
};

struct edges {
    uint64_t sent_clock, emptied_clock; /* their addresses alone matter */
    const void *sent, *emptied;         /* the clocks in use; NULL before the first */
};

struct hd_chan {
    struct hdi_lock lock;
    _Atomic uint32_t refs;
    size_t bytes, capacity; /* constant */
    size_t head, count;     /* oldest slot, values in the buffer */
    struct line send, recv; /* who waits, first come first */
    const void *shut;       /* the clock that the close was released to */
    struct edges *edges;    /* one a slot; NULL when nobody watches, or without a buffer */
    bool closed;            /* never goes back to false */
    bool of_timer;          /* as if it had no buffer, to those who ask */
    void (*end)(void *of);  /* called when the last reference goes; NULL: nothing else goes */
    void *of;
    const void *gone;       /* where its last reference was given up */
    unsigned char buffer[]; /* ring of capacity * bytes */
};

/* Has its last reference gone? As far as its memory still tells. */
static inline void need_alive(const struct hd_chan *chan, const void *site)
{
    if (HDI_UNLIKELY(atomic_load_explicit(&chan->refs, memory_order_relaxed) == 0))
        hdi_misuse_late("use of a channel after its last reference", chan, site, chan->gone);
}

void hdi_chan_need_alive(const struct hd_chan *chan, const void *site)
{
    need_alive(chan, site);
}

static inline void copy(void *to, const void *from, size_t bytes)
{
    if (!to)
        return;
    __asm__("" : "+r"(to)); /* with -flto gcc would see what it points to, but not chan->bytes */
    if (bytes == 8)
        __builtin_memcpy(to, from, 8);
    else if (bytes == 4)
        __builtin_memcpy(to, from, 4);
    else
        hdi_copy(to, from, bytes);
}

static struct hdi_turn *first_open(const struct line *line)
{
    for (const struct hdi_wait *wait = line->first; wait; wait = wait->next)
        if (atomic_load(&wait->turn->chosen) == 0)
            return wait->turn;
    return NULL;
}

static bool all_are_of(const struct line *line, const struct hdi_turn *turn)
{
    for (const struct hdi_wait *wait = line->first; wait; wait = wait->next)
        if (wait->turn != turn && atomic_load(&wait->turn->chosen) == 0)
            return false;
    return true;
}

/* With the lock held, about to be free. A turn may be over meanwhile, but never open again. */
static void chan_check(const struct hd_chan *chan)
{
    const struct hdi_turn *sends, *receives;

    if (!HD_INVARIANTS)
        return;
    HD_ASSERT(chan->count <= chan->capacity && (chan->head < chan->capacity || chan->head == 0));
    receives = first_open(&chan->recv);
    sends = first_open(&chan->send);
    HD_ASSERT(!sends || chan->count == chan->capacity);    /* I1 */
    HD_ASSERT(!receives || chan->count == 0);              /* I1 */
    HD_ASSERT(!sends || !receives || chan->capacity == 0); /* I2 */
    HD_ASSERT(!sends || !receives || atomic_load(&receives->chosen) ||
              (all_are_of(&chan->send, receives) && all_are_of(&chan->recv, sends))); /* I2 */
    HD_ASSERT(!chan->closed || (!sends && !receives));                                /* I3 */
}

void hdi_chan_lock(struct hd_chan *chan)
{
    hdi_lock(&chan->lock);
}

void hdi_chan_unlock(struct hd_chan *chan)
{
    chan_check(chan);
    hdi_unlock(&chan->lock);
}

size_t hdi_chan_bytes(const struct hd_chan *chan)
{
    return chan->bytes;
}

/* Out of line: gcc takes a wait in a list for a dangling pointer, not seeing who unlinks it. */
__attribute__((noinline)) void hdi_chan_join(struct hd_chan *chan, struct hdi_wait *wait,
                                             bool sends)
{
    struct line *line = sends ? &chan->send : &chan->recv;

    hdi_release(&wait->out);
    wait->next = NULL;
    wait->prev = line->last;
    if (line->last)
        line->last->next = wait;
    else
        line->first = wait;
    line->last = wait;
    wait->queued = true;
}

static void take_out(struct line *line, struct hdi_wait *wait)
{
    if (wait->prev)
        wait->prev->next = wait->next;
    else
        line->first = wait->next;
    if (wait->next)
        wait->next->prev = wait->prev;
    else
        line->last = wait->prev;
    wait->queued = false;
}

void hdi_chan_leave(struct hd_chan *chan, struct hdi_wait *wait, bool sends)
{
    if (wait->queued)
        take_out(sends ? &chan->send : &chan->recv, wait);
}

/* Out of a line with the other cases of a select of which one is chosen: its owner does not come
 * back to this channel. */
static void take_out_turn(struct line *line, const struct hdi_turn *turn)
{
    for (struct hdi_wait *wait = line->first, *next; wait; wait = next) {
        next = wait->next;
        if (wait->turn == turn)
            take_out(line, wait);
    }
}

/* The first in line whose turn is still open; it is now chosen and out of the line. */
static struct hdi_wait *choose_first(struct hd_chan *chan, struct line *line)
{
    struct hdi_wait *wait;

    while ((wait = line->first)) {
        uint32_t open = 0;
        take_out(line, wait);
        if (wait->alike && atomic_load(&wait->turn->chosen) == 0) {
            take_out_turn(&chan->send, wait->turn);
            take_out_turn(&chan->recv, wait->turn);
        }
        if (atomic_compare_exchange_strong(&wait->turn->chosen, &open, wait->index + 1)) {
            wait->ok = true;
            wait->in_edge = &wait->in;
            return wait;
        }
    }
    return NULL;
}

static bool anybody_waits(const struct line *line)
{
    return first_open(line) != NULL;
}

size_t hdi_chan_waiting(struct hd_chan *chan)
{
    size_t count = 0;

    hdi_chan_lock(chan);
    for (const struct hdi_wait *wait = chan->send.first; wait; wait = wait->next)
        count++;
    for (const struct hdi_wait *wait = chan->recv.first; wait; wait = wait->next)
        count++;
    hdi_chan_unlock(chan);
    return count;
}

static unsigned char *slot_at(struct hd_chan *chan, size_t place)
{
    return chan->buffer + place * chan->bytes;
}

static size_t place_after(const struct hd_chan *chan, size_t place, size_t steps)
{
    size_t room = chan->capacity - place;

    return steps < room ? place + steps : steps - room;
}

static void acquire_known(const void *clock)
{
    if (clock)
        hdi_acquire(clock);
}

static void tell_met(struct hdi_wait *wait)
{
    hdi_acquire(&wait->out);
    hdi_release(&wait->in);
}

/* Handed to a receiver that waits at an empty buffer: as if it had gone through the next slot. */
static void tell_handed(struct hd_chan *chan, struct hdi_wait *receiver)
{
    struct edges *slot = &chan->edges[chan->head];

    acquire_known(slot->emptied);
    hdi_release(&receiver->in);
    slot->emptied = &receiver->out;
    chan->head = place_after(chan, chan->head, 1);
}

static void tell_sent(struct edges *slot)
{
    acquire_known(slot->emptied);
    hdi_release(&slot->sent_clock);
    slot->sent = &slot->sent_clock;
}

static void tell_received(struct edges *slot)
{
    acquire_known(slot->sent);
    hdi_release(&slot->emptied_clock);
    slot->emptied = &slot->emptied_clock;
}

enum hdi_outcome hdi_chan_send_now(struct hd_chan *chan, const void *value, struct hdi_wait **wake)
{
    struct hdi_wait *receiver;
    size_t place;

    if (chan->closed)
        return HDI_CLOSED;
    receiver = choose_first(chan, &chan->recv);
    if (receiver) {
        copy(receiver->slot, value, chan->bytes);
        if (chan->capacity == 0)
            tell_met(receiver);
        else if (chan->edges)
            tell_handed(chan, receiver);
        *wake = receiver;
        return HDI_DONE;
    }
    if (chan->count == chan->capacity)
        return HDI_MUST_WAIT;
    place = place_after(chan, chan->head, chan->count);
    copy(slot_at(chan, place), value, chan->bytes);
    chan->count++;
    if (chan->edges)
        tell_sent(&chan->edges[place]);
    return HDI_DONE;
}

/* The buffer was full and its head is free now: that is the place behind the last value. */
static struct hdi_wait *admit_sender(struct hd_chan *chan)
{
    struct hdi_wait *sender = choose_first(chan, &chan->send);

    if (!sender)
        return NULL;
    copy(slot_at(chan, chan->head), sender->slot, chan->bytes);
    chan->count++;
    if (chan->edges) {
        hdi_release(&sender->in);
        chan->edges[chan->head].sent = &sender->out;
    }
    return sender;
}

enum hdi_outcome hdi_chan_recv_now(struct hd_chan *chan, void *value, struct hdi_wait **wake)
{
    if (chan->count > 0) {
        copy(value, slot_at(chan, chan->head), chan->bytes);
        chan->count--;
        if (chan->edges)
            tell_received(&chan->edges[chan->head]);
        *wake = admit_sender(chan);
        chan->head = place_after(chan, chan->head, 1);
        return HDI_DONE;
    }
    *wake = choose_first(chan, &chan->send);
    if (*wake) {
        copy(value, (*wake)->slot, chan->bytes);
        tell_met(*wake);
        return HDI_DONE;
    }
    if (!chan->closed)
        return HDI_MUST_WAIT;
    if (value)
        hdi_zero(value, chan->bytes);
    acquire_known(chan->shut);
    return HDI_CLOSED;
}

bool hdi_chan_can_send(const struct hd_chan *chan)
{
    return chan->closed || chan->count < chan->capacity || anybody_waits(&chan->recv);
}

bool hdi_chan_can_recv(const struct hd_chan *chan)
{
    return chan->closed || chan->count > 0 || anybody_waits(&chan->send);
}

void hdi_chan_wake(struct hdi_wait *wait)
{
    if (wait)
        hdi_unpark(&wait->turn->parker);
}

/* Wait in line; the channel's lock is held on entry and released. Whether it was not closed. When
 * somebody watches, other threads see a copy of the value, not the caller's memory. */
static __attribute__((noinline)) bool wait_in_line(struct hd_chan *chan, void *value, bool sends,
                                                   const struct hdi_why *why)
{
    bool staged = HDI_WATCHED() && value;
    size_t bytes = chan->bytes;
    unsigned char stage[staged ? bytes + 1 : 1];
    struct hdi_turn turn;
    struct hdi_wait wait = {.turn = &turn, .slot = staged ? stage : value};

    hdi_parker_init(&turn.parker);
    atomic_store_explicit(&turn.chosen, 0, memory_order_relaxed);
    if (HDI_WATCHED()) {
        hdi_hide(&turn, sizeof turn);
        hdi_hide(&wait, sizeof wait);
        if (staged && sends)
            hdi_copy(stage, value, bytes);
        hdi_hide(stage, sizeof stage);
    }
    hdi_chan_join(chan, &wait, sends);
    hdi_chan_unlock(chan);
    hdi_park(&turn.parker, why, HD_SEAM_FOREVER);
    hdi_acquire(wait.in_edge);
    if (staged && !sends)
        hdi_copy(value, stage, bytes);
    return wait.ok;
}

void hd_chan_send(struct hd_chan *chan, const void *value)
{
    struct hdi_why why = {HD_EV_CHAN_SEND, chan, HDI_SITE()};
    struct hdi_wait *wake = NULL;
    enum hdi_outcome outcome;
    bool open;

    if (chan)
        hdi_reads(value, chan->bytes, why.site);
    hdi_point(&why);
    if (!chan)
        hdi_park_for_ever(&why);
    need_alive(chan, why.site);
    hdi_chan_lock(chan);
    outcome = hdi_chan_send_now(chan, value, &wake);
    switch (outcome) {
    case HDI_DONE:
        hdi_chan_unlock(chan);
        hdi_chan_wake(wake);
        open = true;
        break;
    case HDI_MUST_WAIT:
        open = wait_in_line(chan, (void *)(uintptr_t)value, true, &why);
        break;
    default:
        hdi_chan_unlock(chan);
        open = false;
        break;
    }
    if (!open)
        hdi_misuse("send on closed channel", chan, why.site);
    hdi_tell_moved(&why, 1, true);
    hdi_released(why.site);
}

bool hd_chan_recv(struct hd_chan *chan, void *value)
{
    struct hdi_why why = {HD_EV_CHAN_RECV, chan, HDI_SITE()};
    struct hdi_wait *wake = NULL;
    enum hdi_outcome outcome;
    size_t bytes;
    bool ok;

    hdi_point(&why);
    if (!chan)
        hdi_park_for_ever(&why);
    need_alive(chan, why.site);
    bytes = chan->bytes;
    hdi_chan_lock(chan);
    outcome = hdi_chan_recv_now(chan, value, &wake);
    switch (outcome) {
    case HDI_DONE:
        hdi_chan_unlock(chan);
        hdi_chan_wake(wake);
        ok = true;
        break;
    case HDI_MUST_WAIT:
        ok = wait_in_line(chan, value, false, &why);
        break;
    default:
        hdi_chan_unlock(chan);
        ok = false;
        break;
    }
    hdi_tell_moved(&why, ok, true);
    hdi_writes(value, bytes, why.site);
    return ok;
}

static bool try_send(struct hd_chan *chan, const void *value, const void *site)
{
    struct hdi_why why = {HD_EV_CHAN_SEND, chan, site};
    struct hdi_wait *wake = NULL;
    enum hdi_outcome outcome;

    if (chan)
        hdi_reads(value, chan->bytes, why.site);
    hdi_point(&why);
    if (!chan)
        return false;
    need_alive(chan, why.site);
    hdi_chan_lock(chan);
    outcome = hdi_chan_send_now(chan, value, &wake);
    hdi_chan_unlock(chan);
    hdi_chan_wake(wake);
    if (outcome == HDI_CLOSED)
        hdi_misuse("send on closed channel", chan, why.site);
    if (outcome == HDI_DONE) {
        hdi_tell_moved(&why, 1, false);
        hdi_released(why.site);
    }
    return outcome == HDI_DONE;
}

bool hd_chan_try_send(struct hd_chan *chan, const void *value)
{
    return try_send(chan, value, HDI_SITE());
}

bool hd_chan_offer(struct hd_chan *chan, const void *value)
{
    return try_send(chan, value, HDI_SITE());
}

bool hd_chan_try_recv(struct hd_chan *chan, void *value, bool *ok)
{
    struct hdi_why why = {HD_EV_CHAN_RECV, chan, HDI_SITE()};
    struct hdi_wait *wake = NULL;
    enum hdi_outcome outcome;
    size_t bytes;

    hdi_point(&why);
    if (!chan)
        return false;
    need_alive(chan, why.site);
    bytes = chan->bytes;
    hdi_chan_lock(chan);
    outcome = hdi_chan_recv_now(chan, value, &wake);
    hdi_chan_unlock(chan);
    hdi_chan_wake(wake);
    if (outcome == HDI_MUST_WAIT)
        return false;
    hdi_tell_moved(&why, outcome == HDI_DONE, false);
    hdi_writes(value, bytes, why.site);
    if (ok)
        *ok = outcome == HDI_DONE;
    return true;
}

/* All that wait go on, senders to panic; they are chained by `next` in the order of their lines. */
static struct hdi_wait *turn_away(struct hd_chan *chan, struct line *line)
{
    struct hdi_wait *list = NULL, **end = &list, *wait;

    while ((wait = choose_first(chan, line))) {
        wait->ok = false;
        if (line == &chan->recv && wait->slot)
            hdi_zero(wait->slot, chan->bytes);
        wait->in_edge = chan->shut;
        wait->next = NULL;
        *end = wait;
        end = &wait->next;
    }
    return list;
}

static void wake_list(struct hdi_wait *list)
{
    while (list) {
        struct hdi_wait *next = list->next; /* read before its owner may go */
        hdi_chan_wake(list);
        list = next;
    }
}

/* clock: NULL for what the caller did. */
static bool shut(struct hd_chan *chan, const void *clock)
{
    struct hdi_wait *receivers, *senders;

    hdi_chan_lock(chan);
    if (chan->closed) {
        hdi_chan_unlock(chan);
        return false;
    }
    chan->closed = true;
    chan->shut = clock ? clock : chan;
    if (!clock)
        hdi_release(chan);
    receivers = turn_away(chan, &chan->recv);
    senders = turn_away(chan, &chan->send);
    hdi_chan_unlock(chan);
    wake_list(receivers);
    wake_list(senders);
    return true;
}

void hdi_chan_shut(struct hd_chan *chan, const void *clock)
{
    shut(chan, clock);
}

void hd_chan_close(struct hd_chan *chan)
{
    struct hdi_why why = {HD_EV_CHAN_CLOSE, chan, HDI_SITE()};

    hdi_point(&why);
    if (!chan)
        hdi_misuse("close of nil channel", NULL, why.site);
    need_alive(chan, why.site);
    if (!shut(chan, NULL))
        hdi_misuse("close of closed channel", chan, why.site);
    hdi_tell_moved(&why, 0, false);
    hdi_released(why.site);
}

size_t hd_chan_len(const struct hd_chan *chan)
{
    struct hdi_why why = {HD_EV_HD_OTHER, chan, HDI_SITE()};
    struct hd_chan *mine = (struct hd_chan *)(uintptr_t)chan;
    size_t count;

    if (!chan)
        return 0;
    hdi_point(&why);
    need_alive(chan, why.site);
    hdi_chan_lock(mine);
    count = mine->of_timer ? 0 : mine->count;
    hdi_chan_unlock(mine);
    return count;
}

size_t hd_chan_cap(const struct hd_chan *chan)
{
    return chan && !chan->of_timer ? chan->capacity : 0;
}

void hdi_chan_post(struct hd_chan *chan, const void *value, const void *clock)
{
    struct hdi_wait *receiver;

    hdi_chan_lock(chan);
    receiver = choose_first(chan, &chan->recv);
    if (receiver) {
        copy(receiver->slot, value, chan->bytes);
        receiver->in_edge = clock;
    } else if (chan->count < chan->capacity) {
        size_t place = place_after(chan, chan->head, chan->count);
        copy(slot_at(chan, place), value, chan->bytes);
        chan->count++;
        if (chan->edges)
            chan->edges[place].sent = clock;
    }
    hdi_chan_unlock(chan);
    hdi_chan_wake(receiver);
}

bool hdi_chan_drain(struct hd_chan *chan)
{
    bool any;

    hdi_chan_lock(chan);
    any = chan->count > 0;
    if (any) {
        chan->count--;
        chan->head = place_after(chan, chan->head, 1);
    }
    hdi_chan_unlock(chan);
    return any;
}

struct hd_chan *hdi_chan_make_for_timer(const void *site)
{
    struct hd_chan *chan = hdi_chan_make("time", sizeof(int64_t), 1, site);

    if (!chan)
        return NULL;
    chan->of_timer = true;
    hdi_tell_units(chan, HD_SEAM_UNITS_OPEN);
    return chan;
}

void hdi_chan_ends_with(struct hd_chan *chan, void (*end)(void *of), void *of)
{
    chan->end = end;
    chan->of = of;
}

struct hd_chan *hdi_chan_make(const char *name, size_t bytes, size_t capacity, const void *site)
{
    size_t room, total;
    struct hd_chan *chan;

    if (bytes > HD_CHAN_MOST_BYTES || __builtin_mul_overflow(bytes, capacity, &room) ||
        __builtin_add_overflow(room, sizeof *chan, &total) || total > PTRDIFF_MAX ||
        capacity > PTRDIFF_MAX / sizeof(struct edges))
        hdi_misuse("makechan: size out of range", NULL, site);
    chan = malloc(total);
    if (!chan)
        return NULL;
    *chan = (struct hd_chan){.bytes = bytes, .capacity = capacity};
    atomic_store_explicit(&chan->refs, 1, memory_order_relaxed);
    if (HDI_WATCHED() && capacity > 0) {
        chan->edges = calloc(capacity, sizeof *chan->edges);
        if (!chan->edges) {
            free(chan);
            return NULL;
        }
        hdi_hide(chan->edges, capacity * sizeof *chan->edges);
    }
    hdi_hide(chan, total);
    hdi_allocated(&chan->refs);
    if (hdi_seam)
        hdi_seam->born(HD_OB_CHAN, chan, name, site);
    hdi_tell_units(chan, (int64_t)capacity);
    return chan;
}

static struct hd_chan *make(const char *name, size_t bytes, size_t capacity, const void *site)
{
    struct hd_chan *chan = hdi_chan_make(name, bytes, capacity, site);

    if (!chan)
        hd_panic_err(hd_out_of_memory);
    return chan;
}

struct hd_chan *hd_chan_make(size_t bytes, size_t capacity)
{
    return make(NULL, bytes, capacity, HDI_SITE());
}

struct hd_chan *hd_chan_make_named(const char *name, size_t bytes, size_t capacity)
{
    return make(name, bytes, capacity, HDI_SITE());
}

struct hd_chan *hd_chan_ref(struct hd_chan *chan)
{
    if (!chan)
        return NULL;
    need_alive(chan, HDI_SITE());
    atomic_fetch_add_explicit(&chan->refs, 1, memory_order_relaxed);
    return chan;
}

void hd_chan_unref(struct hd_chan *chan)
{
    const void *site = HDI_SITE();

    if (!chan)
        return;
    hdi_inner(chan);
    need_alive(chan, site);
    if (atomic_fetch_sub_explicit(&chan->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (anybody_waits(&chan->send) || anybody_waits(&chan->recv))
        hdi_misuse("end of a channel on which goroutines wait", chan, site);
    chan->gone = site;
    if (chan->end)
        chan->end(chan->of);
    if (hdi_seam)
        hdi_seam->gone(chan, site);
    hdi_to_be_freed(&chan->refs);
    free(chan->edges);
    hdi_bury(chan, sizeof *chan + chan->bytes * chan->capacity);
}
