/* named_pipe.c - see named_pipe.h */
#include "named_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "io.h"
#include "core/real.h"
#include "core/thread.h"

#define MOST_WAITING 64u
#define MOST_LOOKS 1000000u

static struct waiting {
    struct hdi_thread *by; /* NULL: free */
    struct hdi_named_pipe pipe;
} waiting[MOST_WAITING];

static bool is_outside(const struct hdi_thread *t)
{
    return __atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == HDP_T_EXTERNAL;
}

static bool is_other_end(const struct waiting *w, const struct hdi_named_pipe *p)
{
    return w->by && w->pipe.device == p->device && w->pipe.file == p->file &&
           w->pipe.reads != p->reads && is_outside(w->by);
}

static bool waits_for_other_end(int at, const char *name, int flags, struct stat *st)
{
    return name && !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR && hdi_enter() &&
           hdi_real.syscall(SYS_newfstatat, at, name, st, 0) == 0 && S_ISFIFO(st->st_mode);
}

void hdi_named_pipe_begin(struct hdi_named_pipe *p, int at, const char *name, int flags,
                          uint64_t site)
{
    struct stat st;
    int saved = errno;

    p->how = HDI_NOT_NAMED_PIPE;
    if (waits_for_other_end(at, name, flags, &st)) {
        *p = (struct hdi_named_pipe){.how = HDI_OPENED_FIRST,
                                     .device = st.st_dev,
                                     .file = st.st_ino,
                                     .reads = (flags & O_ACCMODE) == O_RDONLY,
                                     .at = MOST_WAITING};
        for (uint32_t i = 0; i < MOST_WAITING; i++) {
            if (is_other_end(&waiting[i], p))
                p->how = HDI_OPENED_SECOND;
            else if (!waiting[i].by)
                p->at = i;
        }
        if (p->how == HDI_OPENED_FIRST) {
            if (p->at < MOST_WAITING)
                waiting[p->at] = (struct waiting){hdi_self(), *p};
            hdi_external_enter(site);
        }
    }
    errno = saved;
}

/* The other end is open now: those that waited for it are about to come back, and do so before anybody
 * goes on. */
static void see_them_back(const struct hdi_named_pipe *p)
{
    uint32_t looks = 0;

    for (uint32_t i = 0; i < MOST_WAITING; i++)
        while (is_other_end(&waiting[i], p) && looks++ < MOST_LOOKS)
            hdi_real.syscall(SYS_sched_yield);
}

void hdi_named_pipe_end(const struct hdi_named_pipe *p)
{
    int saved = errno;

    if (p->how == HDI_OPENED_SECOND) {
        see_them_back(p);
    } else if (p->how == HDI_OPENED_FIRST) {
        hdi_returns(-1);
        if (p->at < MOST_WAITING)
            waiting[p->at].by = NULL;
    }
    errno = saved;
}
