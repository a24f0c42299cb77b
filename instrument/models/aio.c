/* aio.c - asynchronous input and output: each request is a thread of the schedule. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>

#include "clock.h"
#include "libc_threads.h"
#include "core/observers.h"
#include "core/real.h"
#include "signals.h"
#include "core/thread.h"
#include "memory/access.h"

struct group {
    int left;
    struct sigevent event;
};

struct request {
    struct request *next;
    struct aiocb *block;
    int what;    /* LIO_READ, LIO_WRITE, or one of these */
    bool append; /* it writes to the end of the file: in the order of the calls */
    bool begun, cancelled, done;
    uint64_t site; /* of who asked */
    struct group *group;
};
enum { SYNC = 1000, DATA_SYNC };

static struct request *requests;

void hdi_aio_forget(void)
{
    requests = NULL;
}

/* What those wait for who wait for requests. */
static struct hdi_object *completion(uint64_t site)
{
    return hdi_object_get(&requests, HD_OB_FD, sizeof(struct hdi_object), site);
}

static ssize_t transfer(const struct request *r)
{
    struct aiocb *b = r->block;
    void *text = (void *)(uintptr_t)b->aio_buf;
    ssize_t n;

    switch (r->what) {
    case LIO_READ:
        n = pread(b->aio_fildes, text, b->aio_nbytes, b->aio_offset);
        return n < 0 && errno == ESPIPE ? read(b->aio_fildes, text, b->aio_nbytes) : n;
    case LIO_WRITE:
        if (r->append)
            return write(b->aio_fildes, text, b->aio_nbytes);
        n = pwrite(b->aio_fildes, text, b->aio_nbytes, b->aio_offset);
        return n < 0 && errno == ESPIPE ? write(b->aio_fildes, text, b->aio_nbytes) : n;
    default:
        return r->what == SYNC ? fsync(b->aio_fildes) : fdatasync(b->aio_fildes);
    }
}

static void complete(struct request *r, ssize_t n, int error)
{
    struct sigevent event = r->block->aio_sigevent;
    struct group *g = r->group;
    bool last = g && --g->left == 0;

    r->done = true;
    hdi_tell(SENT, .clock = r->block);
    r->block->__return_value = n;
    __atomic_store_n(&r->block->__error_code, error, __ATOMIC_RELEASE);
    hdi_changed(completion(0));
    hdi_notify(&event, SI_ASYNCIO); /* the block may be gone by now */
    if (last)
        hdi_notify(&g->event, SI_ASYNCIO);
}

/* Of those before it, which stand behind it in the list, an append waits for appends to its file, a
 * sync for all. */
static bool has_its_turn(const struct hdi_op *op)
{
    const struct request *r = op->data;

    if (!r->append && r->what != SYNC && r->what != DATA_SYNC)
        return true;
    for (const struct request *before = r->next; before && !r->cancelled; before = before->next)
        if (!before->done && !before->cancelled &&
            before->block->aio_fildes == r->block->aio_fildes && (before->append || !r->append))
            return false;
    return true;
}

static void *performs(void *data)
{
    struct request *r = data;
    struct hdi_op op = {
        .kind = HD_EV_FD_WAIT, .object = completion(0), .ready = has_its_turn, .data = r};
    ssize_t n;

    hdi_perform(&op);
    if (r->cancelled)
        return NULL;
    r->begun = true;
    n = transfer(r);
    if (r->what == LIO_READ && n > 0)
        hdi_call_writes((void *)(uintptr_t)r->block->aio_buf, (size_t)n, r->site);
    complete(r, n, n < 0 ? errno : 0);
    return NULL;
}

static int start(struct aiocb *b, int what, struct group *group, uint64_t site)
{
    struct request *r = hdi_alloc(sizeof *r);
    int rc;

    *r = (struct request){.next = requests, .block = b, .what = what, .group = group, .site = site};
    r->append = what == LIO_WRITE && hdi_real.fcntl(b->aio_fildes, F_GETFL) & O_APPEND;
    b->__error_code = EINPROGRESS;
    hdi_tell(BYTES_LEFT, .clock = &b->aio_sigevent.sigev_value,
             .n = sizeof b->aio_sigevent.sigev_value);
    b->__return_value = -1;
    rc = hdi_helper(performs, r, &b->aio_sigevent, site, NULL);
    if (rc) {
        b->__error_code = rc;
        errno = EAGAIN;
        return -1;
    }
    requests = r;
    return 0;
}

#define REQUEST(name, what)                                                                        \
    HDI_EXPORT int name(struct aiocb *b)                                                           \
    {                                                                                              \
        return hdi_enter() ? start(b, what, NULL, HDI_SITE()) : hdi_real.name(b);                  \
    }

REQUEST(aio_read, LIO_READ)
REQUEST(aio_write, LIO_WRITE)

HDI_EXPORT int aio_fsync(int op, struct aiocb *b)
{
    if (!hdi_enter() || (op != O_SYNC && op != O_DSYNC) ||
        hdi_real.fcntl(b->aio_fildes, F_GETFL) < 0)
        return hdi_real.aio_fsync(op, b);
    return start(b, op == O_SYNC ? SYNC : DATA_SYNC, NULL, HDI_SITE());
}

HDI_EXPORT int aio_error(const struct aiocb *b)
{
    int error = __atomic_load_n(&b->__error_code, __ATOMIC_ACQUIRE);

    if (!hdi_enter())
        return error;
    if (error == EINPROGRESS)
        hdi_point(HD_EV_YIELD, NULL, HDI_SITE()); /* it will be asked again */
    error = __atomic_load_n(&b->__error_code, __ATOMIC_ACQUIRE);
    if (error != EINPROGRESS)
        hdi_tell(RECEIVED, .clock = b);
    return error;
}

struct list {
    const struct aiocb *const *block;
    int count;
};

static bool any_done(const struct hdi_op *op)
{
    const struct list *l = op->data;

    for (int i = 0; i < l->count; i++)
        if (l->block[i] && l->block[i]->__error_code != EINPROGRESS)
            return true;
    return l->count == 0;
}

HDI_EXPORT int aio_suspend(const struct aiocb *const block[], int count,
                           const struct timespec *timeout)
{
    struct list l = {block, count};
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .site = HDI_SITE(),
                        .ready = any_done,
                        .data = &l,
                        .elastic = true,
                        .interrupt = HDI_STOPS,
                        .cancellable = true};

    if (!hdi_enter() || (timeout && !hdi_timespec_valid(timeout)))
        return hdi_real.aio_suspend(block, count, timeout);
    op.object = completion(op.site);
    op.until_ns = timeout ? hdi_deadline_for(timeout) : 0;
    switch (hdi_perform(&op)) {
    case HDI_CANCELLED:
        hdi_cancel_self();
        return 0;
    case HDI_TIMED_OUT:
        errno = EAGAIN;
        return -1;
    case HDI_INTERRUPTED:
        errno = EINTR;
        return -1;
    default:
        for (int i = 0; i < count; i++)
            if (block[i])
                hdi_tell(RECEIVED, .clock = block[i]);
        return 0;
    }
}

HDI_EXPORT int aio_cancel(int fd, struct aiocb *b)
{
    bool any = false, kept = false;

    if (!hdi_enter() || hdi_real.fcntl(fd, F_GETFL) < 0)
        return hdi_real.aio_cancel(fd, b);
    hdi_point(HD_EV_FD_WAIT, completion(HDI_SITE()), HDI_SITE());
    for (struct request *r = requests; r; r = r->next) {
        if (r->done || r->cancelled || (b ? r->block != b : r->block->aio_fildes != fd))
            continue;
        if (r->begun) {
            kept = true;
            continue;
        }
        r->cancelled = any = true;
        complete(r, -1, ECANCELED);
    }
    return kept ? AIO_NOTCANCELED : any ? AIO_CANCELED : AIO_ALLDONE;
}

static bool all_done(const struct hdi_op *op)
{
    return ((const struct group *)op->data)->left == 0;
}

HDI_EXPORT int lio_listio(int mode, struct aiocb *const list[restrict], int count,
                          struct sigevent *restrict event)
{
    uint64_t site = HDI_SITE();
    struct group *g;
    bool failed = false;

    if (!hdi_enter() || (mode != LIO_WAIT && mode != LIO_NOWAIT) || count < 0)
        return hdi_real.lio_listio(mode, list, count, event);
    g = hdi_alloc(sizeof *g);
    *g = (struct group){.left = 1, .event.sigev_notify = SIGEV_NONE};
    if (mode == LIO_NOWAIT && event)
        g->event = *event;
    for (int i = 0; i < count; i++) {
        if (!list[i] || list[i]->aio_lio_opcode == LIO_NOP)
            continue;
        g->left++;
        if (start(list[i], list[i]->aio_lio_opcode, g, site) != 0) {
            g->left--;
            failed = true;
        }
    }
    if (--g->left == 0 && mode == LIO_NOWAIT)
        hdi_notify(&g->event, SI_ASYNCIO);
    if (mode == LIO_WAIT) {
        struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                            .object = completion(site),
                            .site = site,
                            .ready = all_done,
                            .data = g,
                            .interrupt = HDI_STOPS,
                            .cancellable = true};
        enum hdi_wake wake = hdi_perform(&op);
        if (wake == HDI_CANCELLED)
            hdi_cancel_self();
        if (wake == HDI_INTERRUPTED) {
            errno = EINTR;
            return -1;
        }
        for (int i = 0; i < count; i++)
            failed = failed ||
                     (list[i] && list[i]->aio_lio_opcode != LIO_NOP && list[i]->__error_code != 0);
    }
    if (failed)
        errno = mode == LIO_WAIT ? EIO : EAGAIN;
    return failed ? -1 : 0;
}
