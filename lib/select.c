/* select.c - see select.h.
 *
 * All channels are locked, each once and in the order of their addresses, so that which cases can
 * happen is one question. If none can, the goroutine waits in the line of every channel; the one
 * whose case is chosen (struct hdi_turn) wakes it, and it leaves the other lines.
 */
#include <heddle/select.h>

#include <stdlib.h>

#include <heddle/errors.h>
#include <heddle/panic.h>

#include "chan_inside.h"
#include "misuse.h"

#define FEW 8u
#define MOST_CASES 65536u
#define MOST_TOLD 32u

/* One case while its select runs. */
struct part {
    struct hdi_wait wait;
    struct hd_chan *chan; /* in the order of addresses, of the i-th place: not of this case */
    uint32_t able; /* the i-th place of a list of cases that can happen, or of those to wait for */
    size_t bytes;  /* of a value: the channel may be gone when it is needed */
    unsigned char *stage; /* what others see of the value, when somebody watches */
};

struct choice {
    const struct hd_case *cases;
    struct part *parts;
    size_t count;
    struct hdi_turn turn;
    struct hdi_why why;
    bool ok;     /* the case that happened found its channel open, or a value left in it */
    bool stated; /* it is called after something else than its first channel */
    bool could_wait;
};

static _Thread_local uint64_t seed;

/* xorshift64*; which case comes first is nobody's secret. */
static uint32_t any_of(uint32_t n, const void *site)
{
    if (n == 1)
        return 0;
    if (hdi_seam)
        return hdi_seam->choose(n, site);
    if (seed == 0)
        seed = (uint64_t)(uintptr_t)&seed ^ (uint64_t)hdi_now_ns() ^ 0x9e3779b97f4a7c15u;
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)(((seed * 0x2545f4914f6cdd1du >> 32) * n) >> 32);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const struct part *)a)->chan;
    uintptr_t right = (uintptr_t)((const struct part *)b)->chan;

    return (left > right) - (left < right);
}

/* Heap sort moves whole parts; they hold nothing else yet. */
static void sort_channels(struct choice *choice)
{
    if (choice->count > FEW) {
        qsort(choice->parts, choice->count, sizeof *choice->parts, by_address);
        return;
    }
    for (size_t i = 1; i < choice->count; i++) {
        struct hd_chan *chan = choice->parts[i].chan;
        size_t at = i;
        for (; at > 0 && (uintptr_t)choice->parts[at - 1].chan > (uintptr_t)chan; at--)
            choice->parts[at].chan = choice->parts[at - 1].chan;
        choice->parts[at].chan = chan;
    }
}

/* The i-th channel to lock, NULL if it is none or the same as the one before. */
static struct hd_chan *to_lock(const struct choice *choice, size_t i)
{
    struct hd_chan *chan = choice->parts[i].chan;

    return i > 0 && choice->parts[i - 1].chan == chan ? NULL : chan;
}

static void lock_all(const struct choice *choice)
{
    for (size_t i = 0; i < choice->count; i++)
        if (to_lock(choice, i))
            hdi_chan_lock(to_lock(choice, i));
}

static void unlock_all(const struct choice *choice)
{
    for (size_t i = 0; i < choice->count; i++)
        if (to_lock(choice, i))
            hdi_chan_unlock(to_lock(choice, i));
}

static uint32_t list_able(struct choice *choice)
{
    uint32_t able = 0;

    for (size_t i = 0; i < choice->count; i++) {
        const struct hd_case *one = &choice->cases[i];
        if (one->chan && (one->sends ? hdi_chan_can_send(one->chan) : hdi_chan_can_recv(one->chan)))
            choice->parts[able++].able = (uint32_t)i;
    }
    return able;
}

static enum hdi_outcome attempt(const struct hd_case *one, struct hdi_wait **wake)
{
    return one->sends ? hdi_chan_send_now(one->chan, one->send, wake)
                      : hdi_chan_recv_now(one->chan, one->recv, wake);
}

/* With all locked: do one of those that can happen. Its index, or -1. One whose peer was chosen by
 * another select meanwhile drops out. */
static int do_one(struct choice *choice, enum hdi_outcome *outcome, struct hdi_wait **wake)
{
    uint32_t able = list_able(choice);

    while (able > 0) {
        uint32_t pick = any_of(able, choice->why.site);
        uint32_t index = choice->parts[pick].able;
        *outcome = attempt(&choice->cases[index], wake);
        if (*outcome != HDI_MUST_WAIT)
            return (int)index;
        choice->parts[pick].able = choice->parts[--able].able;
    }
    return -1;
}

/* Of several cases on one channel the first in its line happens: none is to be first by its place.
 * Whether there are such. */
static bool mix_order(struct choice *choice)
{
    bool alike = false;

    for (size_t i = 0; i < choice->count; i++) {
        choice->parts[i].able = (uint32_t)i;
        alike |= choice->parts[i].chan && !to_lock(choice, i);
    }
    for (size_t i = 0; alike && i + 1 < choice->count; i++) {
        size_t with = i + any_of((uint32_t)(choice->count - i), choice->why.site);
        uint32_t index = choice->parts[i].able;
        choice->parts[i].able = choice->parts[with].able;
        choice->parts[with].able = index;
    }
    return alike;
}

static void join_all(struct choice *choice)
{
    bool alike = mix_order(choice);

    for (size_t place = 0; place < choice->count; place++) {
        uint32_t i = choice->parts[place].able;
        const struct hd_case *one = &choice->cases[i];
        struct part *part = &choice->parts[i];
        if (!one->chan)
            continue;
        part->wait.turn = &choice->turn;
        part->wait.queued = false;
        part->wait.index = i;
        part->wait.alike = alike;
        part->wait.slot = one->sends ? (void *)(uintptr_t)one->send : one->recv;
        if (part->stage) {
            if (one->sends)
                hdi_copy(part->stage, one->send, part->bytes);
            part->wait.slot = part->stage;
        }
        hdi_chan_join(one->chan, &part->wait, one->sends);
    }
}

/* Out of every line but those of the chosen case's channel, which may be gone. */
static void leave_others(struct choice *choice, uint32_t chosen)
{
    const struct hd_chan *left = chosen == HDI_TURN_OVER ? NULL : choice->cases[chosen - 1].chan;

    for (size_t i = 0; i < choice->count; i++) {
        const struct hd_case *one = &choice->cases[i];
        if (!one->chan || one->chan == left)
            continue;
        hdi_chan_lock(one->chan);
        hdi_chan_leave(one->chan, &choice->parts[i].wait, one->sends);
        hdi_chan_unlock(one->chan);
    }
}

/* For whoever reports: all that is waited for. */
static void tell_cases(const struct choice *choice)
{
    struct hd_seam_case told[MOST_TOLD];
    uint32_t count = 0;

    if (!HDI_TELLS(cases))
        return;
    for (size_t i = 0; i < choice->count && count < MOST_TOLD; i++)
        if (choice->cases[i].chan)
            told[count++] = (struct hd_seam_case){
                choice->cases[i].chan, choice->cases[i].sends ? HD_EV_CHAN_SEND : HD_EV_CHAN_RECV};
    if (choice->stated)
        told[0] = (struct hd_seam_case){choice->why.object, choice->why.event};
    hdi_seam->cases(told, count);
}

/* With all locked; unlocks them. The index, or HD_TIMED_OUT. */
static int wait_for_one(struct choice *choice, int64_t until_ns)
{
    uint32_t chosen = 0;
    struct part *part;

    hdi_parker_init(&choice->turn.parker);
    atomic_store_explicit(&choice->turn.chosen, 0, memory_order_relaxed);
    join_all(choice);
    unlock_all(choice);
    tell_cases(choice);
    if (!hdi_park(&choice->turn.parker, &choice->why, until_ns)) {
        if (atomic_compare_exchange_strong(&choice->turn.chosen, &chosen, HDI_TURN_OVER)) {
            leave_others(choice, HDI_TURN_OVER);
            return HD_TIMED_OUT;
        }
        hdi_park(&choice->turn.parker, &choice->why, HD_SEAM_FOREVER);
    }
    chosen = atomic_load(&choice->turn.chosen);
    leave_others(choice, chosen);
    part = &choice->parts[chosen - 1];
    hdi_acquire(part->wait.in_edge);
    choice->ok = part->wait.ok;
    if (part->stage && !choice->cases[chosen - 1].sends)
        hdi_copy(choice->cases[chosen - 1].recv, part->stage, part->bytes);
    return (int)chosen - 1;
}

/* Memory for what others see of the values, and what the caller's code reads of them. */
static unsigned char *stage_values(struct choice *choice)
{
    unsigned char *stage;
    size_t total = 0;

    for (size_t i = 0; i < choice->count; i++)
        total += choice->parts[i].bytes;
    if (total == 0)
        return NULL;
    stage = calloc(1, total);
    if (!stage)
        hd_panic_err(hd_out_of_memory);
    hdi_hide(stage, total);
    for (size_t i = 0, at = 0; i < choice->count; i++) {
        const struct hd_case *one = &choice->cases[i];
        if (one->sends)
            hdi_reads(one->send, choice->parts[i].bytes, choice->why.site);
        if (one->sends || one->recv)
            choice->parts[i].stage = stage + at;
        at += choice->parts[i].bytes;
    }
    return stage;
}

enum { WAIT_NOT = -1 };

static int run(struct choice *choice, int64_t until_ns)
{
    unsigned char *stage = NULL;
    enum hdi_outcome outcome = HDI_MUST_WAIT;
    struct hdi_wait *wake = NULL;
    int index;

    for (size_t i = 0; i < choice->count; i++) {
        struct hd_chan *chan = choice->cases[i].chan;
        choice->parts[i].chan = chan; /* its wait is filled in when there is one */
        choice->parts[i].bytes = chan ? hdi_chan_bytes(chan) : 0;
        choice->parts[i].stage = NULL;
        if (chan && !choice->why.object && !choice->stated)
            choice->why.object = chan;
    }
    sort_channels(choice);
    if (HDI_WATCHED()) {
        hdi_hide(choice->parts, choice->count * sizeof *choice->parts);
        hdi_hide(&choice->turn, sizeof choice->turn);
        stage = stage_values(choice);
    }
    hdi_point(&choice->why);
    for (size_t i = 0; i < choice->count; i++)
        if (choice->cases[i].chan)
            hdi_chan_need_alive(choice->cases[i].chan, choice->why.site);
    lock_all(choice);
    index = do_one(choice, &outcome, &wake);
    if (index >= 0 || until_ns == WAIT_NOT) {
        unlock_all(choice);
        hdi_chan_wake(wake);
        choice->ok = outcome == HDI_DONE;
    } else {
        index = wait_for_one(choice, until_ns);
    }
    free(stage);
    return index;
}

/* What the caller's code sees of the case that happened; a send to a closed channel panics. */
static void settle(const struct choice *choice, const struct hd_case *one, size_t bytes)
{
    struct hdi_why why = {one->sends ? HD_EV_CHAN_SEND : HD_EV_CHAN_RECV, one->chan,
                          choice->why.site};

    if (one->sends && !choice->ok)
        hdi_misuse("send on closed channel", one->chan, choice->why.site);
    hdi_tell_moved(&why, choice->ok, choice->could_wait && choice->count == 1);
    if (one->sends)
        return;
    hdi_writes(one->recv, bytes, choice->why.site);
    if (one->ok)
        *one->ok = choice->ok;
}

/* why: what it is called in reports; its object NULL: the first of its channels. */
static int select_until(const struct hd_case *cases, size_t count, int64_t until_ns,
                        const struct hdi_why *why)
{
    struct part few[FEW];
    struct choice choice = {.cases = cases,
                            .parts = few,
                            .count = count,
                            .why = *why,
                            .could_wait = until_ns == HD_SEAM_FOREVER,
                            .stated = why->object != NULL};
    size_t bytes = 0;
    int index;

    if (count > MOST_CASES)
        hdi_misuse("select: too many cases", NULL, why->site);
    if (count > FEW) {
        choice.parts = malloc(count * sizeof *choice.parts);
        if (!choice.parts)
            hd_panic_err(hd_out_of_memory);
    }
    index = run(&choice, until_ns);
    if (index >= 0)
        bytes = choice.parts[index].bytes;
    if (choice.parts != few)
        free(choice.parts);
    if (index >= 0)
        settle(&choice, &cases[index], bytes);
    return index;
}

uint32_t hd_choose(uint32_t n)
{
    if (n == 0)
        hdi_misuse("choice among nothing", NULL, HDI_SITE());
    return any_of(n, HDI_SITE());
}

int hdi_select_as(const struct hd_case *cases, size_t count, const struct hdi_why *why)
{
    return select_until(cases, count, HD_SEAM_FOREVER, why);
}

int hd_select(const struct hd_case *cases, size_t count)
{
    struct hdi_why why = {HD_EV_SELECT, NULL, HDI_SITE()};

    return select_until(cases, count, HD_SEAM_FOREVER, &why);
}

int hd_select_default(const struct hd_case *cases, size_t count)
{
    struct hdi_why why = {HD_EV_SELECT, NULL, HDI_SITE()};

    return select_until(cases, count, WAIT_NOT, &why);
}

int hd_select_timeout(const struct hd_case *cases, size_t count, int64_t timeout_ns)
{
    struct hdi_why why = {HD_EV_SELECT, NULL, HDI_SITE()};
    int64_t until_ns;

    if (timeout_ns < 0)
        timeout_ns = 0;
    if (__builtin_add_overflow(hdi_now_ns(), timeout_ns, &until_ns))
        until_ns = HD_SEAM_FOREVER;
    return select_until(cases, count, until_ns, &why);
}
