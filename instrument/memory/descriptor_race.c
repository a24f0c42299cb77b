/* descriptor_race.c - see descriptor_race.h */
#include "descriptor_race.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "access.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/race/race_report.h"

#define CHUNK 256
#define CHUNKS 256 /* numbers up to 65,535 */

struct descriptor {
    uint64_t word;                  /* its address is the descriptor's to the race detector */
    struct hdi_side opened, closed; /* no site: not seen */
    bool told;
};

static struct descriptor *chunk[CHUNKS];

static struct descriptor *of(int fd)
{
    unsigned at = (unsigned)fd / CHUNK;

    if (fd < 0 || at >= CHUNKS)
        return NULL;
    if (!chunk[at])
        chunk[at] = hdi_alloc(CHUNK * sizeof **chunk);
    return &chunk[at][fd % CHUNK];
}

static bool is_open(int fd)
{
    int saved = errno;
    bool is = hdi_real.syscall(SYS_fcntl, fd, F_GETFD) >= 0;

    errno = saved;
    return is;
}

static struct hdi_side here(uint64_t site)
{
    return (struct hdi_side){hdi_self(), site, hdi_stack()};
}

static const void *address_of(int fd)
{
    return (const void *)(uintptr_t)(unsigned)(fd + 1);
}

/* ---- findings ---- */

static void note(struct hdp_finding *f, enum hd_role role, enum hd_event event, int fd,
                 const struct hdi_side *side)
{
    struct hdi_object *o =
        hdi_object_get(address_of(fd), HD_OB_FD, sizeof(struct hdi_object), side->site);

    hdi_note(f, role, side->thread, event, o, side->site, side->stack);
}

static void tell(int fd, const char *what, enum hd_event event, const struct hdi_side *side,
                 enum hd_role role, enum hd_event earlier_event, const struct hdi_side *earlier)
{
    struct descriptor *d = of(fd);
    struct hdp_finding *f;
    char text[HDP_TEXT];
    int saved = errno;

    if (d->told)
        return;
    d->told = true;
    snprintf(text, sizeof text, "number %d %s", fd, what);
    f = hdi_finding_begin(HD_FK_DESCRIPTOR_RACE, text);
    note(f, HD_ROLE_HERE, event, fd, side);
    note(f, role, earlier_event, fd, earlier);
    if (d->opened.site && earlier_event != HD_EV_FD_OPEN)
        note(f, HD_ROLE_CREATED, HD_EV_FD_OPEN, fd, &d->opened);
    hdi_finding_end(f, false);
    errno = saved;
}

/* ---- numbers that are closed one after the other ---- */

static void flush(struct hdi_thread *t)
{
    struct hdi_thread_closes *c = &t->closes;

    if (c->twice.site)
        tell(c->twice_fd, "closed again, after it had been closed", HD_EV_FD_CLOSE, &c->twice,
             HD_ROLE_EARLIER, HD_EV_FD_CLOSE, &of(c->twice_fd)->closed);
    c->twice.site = 0;
}

/* A number that was never open shows that whatever is open is to be closed. */
static void closes_in_vain(struct hdi_thread *self, int fd, uint64_t site)
{
    struct hdi_thread_closes *c = &self->closes;
    struct descriptor *d = of(fd);

    if (!d->closed.site) {
        c->whatever = true;
        c->twice.site = 0;
    } else if (!c->whatever && !c->twice.site) {
        c->twice = here(site);
        c->twice_fd = fd;
    }
}

static void goes_through_numbers(struct hdi_thread *self, int fd, uint64_t site)
{
    struct hdi_thread_closes *c = &self->closes;

    if (c->site != site || (fd != c->fd + 1 && fd != c->fd - 1)) {
        flush(self);
        c->whatever = false;
    }
    c->site = site;
    c->fd = fd;
}

/* ---- what happens to them ---- */

static void accesses(struct descriptor *d, enum hdi_access kind, uint64_t site)
{
    struct hdi_memory_thread *s = hdi_watched_caller(site);

    if (!s)
        return;
    hdi_note_context(s, site);
    hdi_race_access(s->racer, (uintptr_t)&d->word, sizeof d->word, kind, site);
}

int hdi_descriptor_opened(int fd, uint64_t site)
{
    struct descriptor *d = of(fd);

    if (!d || !hdi_enter())
        return fd;
    d->opened = here(site);
    d->closed.site = 0;
    d->told = false;
    if (hdi_watched) {
        hdi_race_reset((uintptr_t)&d->word, sizeof d->word);
        accesses(d, HDI_READ, site);
    }
    return fd;
}

/* By a call that is not known here. */
static void opened_unseen(struct descriptor *d)
{
    d->opened.site = d->closed.site = 0;
    d->told = false;
}

void hdi_descriptor_used(int fd, uint64_t site)
{
    struct descriptor *d = of(fd);

    if (!d)
        return;
    if (d->closed.site && d->closed.thread != hdi_self()) {
        if (is_open(fd)) {
            opened_unseen(d);
        } else {
            const struct hdi_side user = here(site);
            tell(fd, "used after another thread had closed it", HD_EV_FD_USE, &user,
                 HD_ROLE_EARLIER, HD_EV_FD_CLOSE, &d->closed);
        }
    }
    accesses(d, HDI_READ, site);
}

static bool is_about_to_use(const struct hdi_thread *t, int fd, const struct hdi_object *o)
{
    return t != hdi_self() && t->op &&
           ((o && t->op->object == o) || (t->op->uses && t->op->uses(t->op, fd)));
}

void hdi_descriptor_closes(int fd, uint64_t site)
{
    struct hdi_thread *self = hdi_self();
    struct descriptor *d = of(fd);
    const struct hdi_object *o = hdi_object_find(address_of(fd), HD_OB_FD);
    struct hdi_side closer;
    struct hdi_thread **live;
    uint32_t n;

    if (!d || !self)
        return;
    goes_through_numbers(self, fd, site);
    if (!is_open(fd)) {
        closes_in_vain(self, fd, site);
        return;
    }
    if (d->closed.site)
        opened_unseen(d);
    closer = here(site);
    live = hdi_live(&n);
    for (uint32_t i = 0; i < n; i++)
        if (is_about_to_use(live[i], fd, o)) {
            const struct hdi_side user = {live[i], live[i]->op->site, live[i]->end_stack};
            tell(fd, "closed while another thread uses it", HD_EV_FD_CLOSE, &closer, HD_ROLE_WAITS,
                 HD_EV_FD_USE, &user);
        }
    if (!d->told)
        accesses(d, HDI_WRITE, site);
    if (hdi_watched)
        hdi_race_reset((uintptr_t)&d->word, sizeof d->word);
    if (n > 1) /* before there are others it is no race that a number is closed */
        d->closed = closer;
}

bool hdi_descriptor_raced(uintptr_t word, uint64_t pc, const struct hdi_earlier *earlier)
{
    for (unsigned i = 0; i < CHUNKS; i++) {
        uintptr_t first = (uintptr_t)chunk[i];
        if (first && word >= first && word < first + CHUNK * sizeof **chunk) {
            int fd = (int)(i * CHUNK + (word - first) / sizeof **chunk);
            const struct hdi_side closer = here(pc), before = hdi_race_side(earlier);
            bool opened = before.site == of(fd)->opened.site;
            tell(fd,
                 opened ? "closed by a thread that nothing orders behind the one that opened it"
                        : "closed by a thread that nothing orders behind the one that used it",
                 HD_EV_FD_CLOSE, &closer, HD_ROLE_EARLIER, opened ? HD_EV_FD_OPEN : HD_EV_FD_USE,
                 &before);
            return true;
        }
    }
    return false;
}

void hdi_descriptors_observe(enum hdi_what what, const struct hdi_happened *e)
{
    struct hdi_thread **live;
    uint32_t n;

    (void)e;
    if (what == HDI_THREAD_ENDS) {
        flush(hdi_self());
        return;
    }
    live = hdi_live(&n);
    for (uint32_t i = 0; i < n; i++)
        flush(live[i]);
}
