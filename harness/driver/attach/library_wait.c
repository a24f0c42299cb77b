/* library_wait.c - threads that carry goroutines of lib/, and wait in its primitives.
 *
 * Whoever waits there has a struct hdi_why on its stack (lib/operation.h): event, object, and the
 * place in the user's code, which is a return address of the same stack. That it is one tells it
 * from other memory. A select has it behind its cases (struct choice of lib/select.c).
 */
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <heddle/select.h>

#include "fibres.h"
#include "findings/phrase.h"
#include "symbols/numbering.h"
#include "util/alloc.h"
#include "waits.h"

#define WORDS_MOST 512u
#define FRAMES_MOST 10u
#define CASES_MOST 16u
#define ASLEEP 2u /* what the word of a parker holds */
#define ASLEEP_FOR_EVER 3u
#define NO_END 1u /* bits of a wait whose time limit is the library's own */

/* What lies before the hdi_why of a select: cases, parts, their count, and its turn. */
#define CHOICE_CASES 48u
#define CHOICE_COUNT 32u

struct why {
    uint32_t event, unused;
    uint64_t object, site;
};

/* The head of struct hd_chan. */
struct channel {
    uint32_t lock, refs;
    uint64_t bytes, capacity, head, count;
};

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

/* Between the kernel and the user's code: the library's own functions, where any have names. */
static bool is_in_library(struct view *v, const struct viewed *t)
{
    bool named = false;
    for (size_t i = 0; i < t->places && i < FRAMES_MOST; i++) {
        const char *name = view_function(v, &t->place[i]);
        if (begins(name, "hd_") || begins(name, "hdi_") || begins(name, "park_natively"))
            return true;
        named |= name && !view_is_libc(v, &t->place[i]);
    }
    return !named;
}

/* struct carrier of lib/go.c: of a thread whose goroutine has ended, on its stack. */
struct carrier {
    uint64_t thread;
    uint32_t go, unused; /* the word that it sleeps on */
    uint64_t next, stack_bytes, below, link;
};

/* It is in the list of idle ones, whose links say so. */
static bool is_idle(const struct view *v, const struct viewed *t)
{
    uint64_t at = t->seen->arg[0] - offsetof(struct carrier, go), linked;
    struct carrier c;
    return snapshot_read(v->s, at, &c, sizeof c) && !c.next && c.stack_bytes >= 16384 &&
           c.stack_bytes % 4096 == 0 && c.link && snapshot_read(v->s, c.link, &linked, 8) &&
           linked == at;
}

static bool is_insides(const char *name)
{
    return begins(name, "hd_") || begins(name, "hdi_") || begins(name, "leave");
}

static bool is_site(const struct viewed *t, uint64_t pc)
{
    for (size_t i = 0; i < t->places; i++)
        if (t->place[i].is_return && t->place[i].pc == pc)
            return true;
    return false;
}

static bool is_of_library(uint32_t event)
{
    return event == HD_EV_SLEEP || (event >= HD_EV_CHAN_SEND && event < HD_EV_COUNT);
}

static bool find_why(const struct view *v, const struct viewed *t, struct why *why, uint64_t *at)
{
    uint64_t from = t->seen->reg[7];
    for (uint64_t a = from; a < from + (uint64_t)WORDS_MOST * 8; a += 8)
        if (snapshot_kept(v->s, a, why, sizeof *why) && is_of_library(why->event) &&
            is_site(t, why->site)) {
            *at = a;
            return true;
        }
    return false;
}

static char *channel_state(const struct view *v, uint64_t addr)
{
    struct channel c;
    if (!addr || !snapshot_read(v->s, addr, &c, sizeof c) || c.capacity > 1u << 30 ||
        c.count > c.capacity || c.refs > 1u << 30)
        return NULL;
    return c.capacity ? mem_format("%llu of %llu in its buffer", (unsigned long long)c.count,
                                   (unsigned long long)c.capacity)
                      : mem_copy("no buffer");
}

static char *detail_of(const struct view *v, const struct why *why)
{
    uint64_t state;
    switch ((enum hd_event)why->event) {
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
        return channel_state(v, why->object);
    case HD_EV_HD_WAITGROUP_WAIT:
        return snapshot_read(v->s, why->object, &state, sizeof state)
                   ? mem_format("its counter is %d", (int32_t)(state >> 32))
                   : NULL;
    default:
        return NULL;
    }
}

static void take_cases(struct view *v, uint64_t at, struct wait *w)
{
    uint64_t cases, count;
    if (!snapshot_kept(v->s, at - CHOICE_CASES, &cases, sizeof cases) ||
        !snapshot_kept(v->s, at - CHOICE_COUNT, &count, sizeof count) || count > CASES_MOST)
        return;
    for (uint64_t i = 0; i < count; i++) {
        struct hd_case one;
        if (!snapshot_read(v->s, cases + i * sizeof one, &one, sizeof one) || !one.chan)
            continue;
        enum hd_event kind = one.sends ? HD_EV_CHAN_SEND : HD_EV_CHAN_RECV;
        w->one = mem_grow(w->one, w->cases, sizeof *w->one);
        w->one[w->cases++] =
            (struct wait_case){kind, view_object(v, kind, (uint64_t)(uintptr_t)one.chan)};
    }
}

/* "waits in a select for a value from channel ready, or room in channel 0x55c0" */
static char *cases_text(const struct wait *w)
{
    char *text = mem_copy("waits in a select for ");
    for (size_t i = 0; i < w->cases; i++) {
        char *phrase = phrase_case(w->one[i].kind, w->one[i].name);
        char *more = mem_format("%s%s%s", text, i ? ", or " : "", phrase);
        free(text);
        free(phrase);
        text = more;
    }
    return text;
}

static void take_why(struct view *v, const struct viewed *t, struct wait *w, const struct why *why,
                     uint64_t at)
{
    while (t->place[w->from].pc != why->site)
        w->from++;
    w->kind = (enum hd_event)why->event;
    w->object = why->object;
    w->detail = detail_of(v, why);
    if (w->kind == HD_EV_SELECT)
        take_cases(v, at, w);
    if (w->cases)
        w->text = cases_text(w);
}

/* A goroutine that no thread carries. What it waits for may be nothing that a struct hdi_why names,
 * as a descriptor is: then nobody knows who ends it. */
static void wait_in_fibre(struct view *v, const struct viewed *t, struct wait *w)
{
    struct why why;
    uint64_t at;
    if (t->seen->state != 'S') {
        w->kind = HD_EV_NONE;
        w->ends = true;
        w->text = mem_copy("is ready to run");
    } else if (find_why(v, t, &why, &at)) {
        w->ends = t->seen->has_end;
        take_why(v, t, w, &why, at);
    } else {
        w->kind = HD_EV_HD_OTHER;
        w->ends = true;
        w->text = mem_copy("waits in the library, which does not tell what for");
    }
    while (!w->from && w->kind == HD_EV_NONE && w->from + 1 < t->places &&
           is_insides(view_function(v, &t->place[w->from])))
        w->from++;
}

static void do_nothing(struct wait *w, const char *text)
{
    w->kind = HD_EV_HD_OTHER;
    w->idle = !w->woken;
    w->text = mem_copy(text);
}

bool wait_in_library(struct view *v, const struct viewed *t, struct wait *w)
{
    const struct seen_thread *seen = t->seen;
    struct why why;
    uint64_t at;
    uint32_t now;
    bool again = seen->call == SYS_restart_syscall;
    if (seen->fibre) {
        wait_in_fibre(v, t, w);
        return true;
    }
    w->woken = snapshot_kept(v->s, seen->arg[0], &now, sizeof now) && now != (uint32_t)seen->arg[2];
    if (fibres_rests(v->s, seen)) {
        w->woken &= !seen->is_monitor;
        do_nothing(w, seen->is_monitor ? "looks after those that carry goroutines"
                                       : "carries goroutines, and none is ready to run");
        return true;
    }
    if ((seen->call == SYS_futex || again) && (uint32_t)seen->arg[2] >= ASLEEP &&
        (uint32_t)seen->arg[2] <= ASLEEP_FOR_EVER &&
        ((int)seen->arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && is_in_library(v, t)) {
        if (is_idle(v, t)) {
            do_nothing(w, "has no goroutine: it waits a while for the next");
            return true;
        }
        if (find_why(v, t, &why, &at)) {
            w->ends = (uint32_t)seen->arg[5] != NO_END && (again || seen->arg[3] != 0);
            take_why(v, t, w, &why, at);
            return true;
        }
    }
    w->woken = false;
    return false;
}
