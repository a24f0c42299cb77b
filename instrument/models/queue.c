/* queue.c - message queues of POSIX and System V, System V semaphores.
 *
 * Each call is tried where it cannot wait; when it would have to, the thread waits in the model
 * until the queue has changed. Other processes may change it, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "clock.h"
#include "libc_threads.h"
#include "core/observers.h"
#include "core/real.h"
#include "signals.h"
#include "core/thread.h"

/* Who takes a message comes after whoever put it; who finds room in one that was full, after who
 * made it. */
enum { POSIX, MESSAGES, SEMAPHORES };
#define ROOM 8u /* of one of these */

static bool was_full; /* some queue */

static const void *clock_of(unsigned kind, uint64_t id)
{
    return (const void *)(uintptr_t)(1ull << 62 | (uint64_t)kind << 56 | id);
}

static void sends(unsigned kind, uint64_t id)
{
    hdi_tell(SENT, .clock = clock_of(kind, id));
    hdi_to_others(true);
}

static void receives(unsigned kind, uint64_t id)
{
    hdi_tell(RECEIVED, .clock = clock_of(kind, id));
    hdi_from_others(true);
}

static void took(unsigned kind, uint64_t id)
{
    receives(kind, id);
    hdi_tell(SENT, .clock = clock_of(kind | ROOM, id));
}

static void has_put(unsigned kind, uint64_t id)
{
    if (was_full)
        hdi_tell(RECEIVED, .clock = clock_of(kind | ROOM, id));
}

static struct hdi_object *object_of(int id, uint64_t site)
{
    return hdi_object_get((const void *)(uintptr_t)((unsigned)id + 1u), HD_OB_FD,
                          sizeof(struct hdi_object), site);
}

/* ---- POSIX ---- */

static const struct timespec past; /* a timed call that has to wait gives up at once */

static bool is_ready(int q, short events)
{
    struct pollfd p = {.fd = q, .events = events};
    int saved = errno;
    bool ready = hdi_real.syscall(SYS_poll, &p, 1, 0) != 0;

    errno = saved;
    return ready;
}

static bool can_receive(const struct hdi_op *op)
{
    return is_ready(*(const int *)op->data, POLLIN);
}

static bool can_send(const struct hdi_op *op)
{
    return is_ready(*(const int *)op->data, POLLOUT);
}

/* False, with errno: `late` when out of time, EINTR when a handler ran. */
static bool waited(struct hdi_op *op, int late)
{
    switch (hdi_perform(op)) {
    case HDI_CANCELLED:
        hdi_cancel_self();
        return true;
    case HDI_TIMED_OUT:
        errno = late;
        return false;
    case HDI_INTERRUPTED:
        errno = EINTR;
        return false;
    default:
        return true;
    }
}

/* False, with errno: out of time, or a handler ran. */
static bool await_queue(int q, bool to_send, int64_t until, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .object = object_of(q, site),
                        .site = site,
                        .ready = to_send ? can_send : can_receive,
                        .data = &q,
                        .until_ns = until,
                        .elastic = true,
                        .outside = true,
                        .interrupt = HDI_RESTARTS,
                        .cancellable = true};

    return waited(&op, ETIMEDOUT);
}

static uint64_t inode(int q)
{
    struct stat st;
    int saved = errno;
    uint64_t ino = fstat(q, &st) == 0 ? (uint64_t)st.st_ino & 0xffffffffffffffu : 0;

    errno = saved;
    return ino;
}

static ssize_t receive(mqd_t q, char *text, size_t bytes, unsigned *priority, int64_t until,
                       uint64_t site)
{
    bool blocks = (hdi_real.fcntl(q, F_GETFL) & O_NONBLOCK) == 0;
    ssize_t n;

    hdi_point(HD_EV_FD_WAIT, object_of(q, site), site);
    was_full = was_full || !is_ready(q, POLLOUT);
    while ((n = hdi_real.mq_timedreceive(q, text, bytes, priority, &past)) < 0 &&
           errno == ETIMEDOUT && blocks)
        if (!await_queue(q, false, until, site))
            return -1;
    if (n >= 0) {
        took(POSIX, inode(q));
        hdi_changed(object_of(q, site));
    }
    return n;
}

static int put(mqd_t q, const char *text, size_t bytes, unsigned priority, int64_t until,
               uint64_t site)
{
    bool blocks = (hdi_real.fcntl(q, F_GETFL) & O_NONBLOCK) == 0;
    int rc;

    hdi_tell(BYTES_LEFT, .clock = text, .n = (int64_t)bytes);
    hdi_point(HD_EV_FD_WAIT, object_of(q, site), site);
    sends(POSIX, inode(q));
    was_full = was_full || !is_ready(q, POLLOUT);
    while ((rc = hdi_real.mq_timedsend(q, text, bytes, priority, &past)) < 0 &&
           errno == ETIMEDOUT && blocks)
        if (!await_queue(q, true, until, site))
            return -1;
    if (rc == 0)
        has_put(POSIX, inode(q));
    hdi_changed(object_of(q, site));
    return rc;
}

HDI_EXPORT ssize_t mq_receive(mqd_t q, char *text, size_t bytes, unsigned *priority)
{
    return hdi_enter() ? receive(q, text, bytes, priority, 0, HDI_SITE())
                       : hdi_real.mq_receive(q, text, bytes, priority);
}

HDI_EXPORT ssize_t mq_timedreceive(mqd_t q, char *restrict text, size_t bytes,
                                   unsigned *restrict priority, const struct timespec *restrict abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs))
        return hdi_real.mq_timedreceive(q, text, bytes, priority, abs);
    return receive(q, text, bytes, priority, hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE());
}

HDI_EXPORT int mq_send(mqd_t q, const char *text, size_t bytes, unsigned priority)
{
    return hdi_enter() ? put(q, text, bytes, priority, 0, HDI_SITE())
                       : hdi_real.mq_send(q, text, bytes, priority);
}

HDI_EXPORT int mq_timedsend(mqd_t q, const char *text, size_t bytes, unsigned priority,
                            const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs))
        return hdi_real.mq_timedsend(q, text, bytes, priority, abs);
    return put(q, text, bytes, priority, hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE());
}

/* ---- notification by a thread: libc's own would come from outside the schedule ---- */

struct notice {
    int queue;
    bool off, was_empty;
    struct sigevent event;
    struct notice *next;
};

static struct notice *notices;

void hdi_queues_forget(void)
{
    notices = NULL;
}

static bool arrived(const struct hdi_op *op)
{
    struct notice *n = op->data;

    if (n->off)
        return true;
    if (!is_ready(n->queue, POLLIN))
        n->was_empty = true;
    else if (n->was_empty)
        return true;
    return false;
}

static void *notifies(void *data)
{
    struct notice *n = data;
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .object = object_of(n->queue, 0),
                        .site = (uint64_t)(uintptr_t)n->event.sigev_notify_function,
                        .ready = arrived,
                        .data = n,
                        .outside = true};

    hdi_perform(&op);
    if (n->off)
        return NULL;
    n->off = true;
    receives(POSIX, inode(n->queue));
    hdi_notify(&n->event, SI_MESGQ);
    return NULL;
}

HDI_EXPORT int mq_notify(mqd_t q, const struct sigevent *event)
{
    struct sigevent reserve = {.sigev_notify = SIGEV_NONE};
    struct notice *n;
    int rc;

    if (!hdi_enter())
        return hdi_real.mq_notify(q, event);
    hdi_first_thread(); /* the kernel forgets it in a fork */
    for (n = notices; n && !event; n = n->next)
        if (n->queue == q && !n->off) {
            n->off = true;
            hdi_changed(object_of(q, HDI_SITE()));
        }
    if (!event || event->sigev_notify != SIGEV_THREAD) {
        hdi_others_send();
        return hdi_real.mq_notify(q, event);
    }
    if (hdi_real.mq_notify(q, &reserve) != 0)
        return -1;
    n = hdi_alloc(sizeof *n);
    *n = (struct notice){q, false, !is_ready(q, POLLIN), *event, notices};
    notices = n;
    rc = hdi_helper(notifies, n, event, HDI_SITE(), NULL);
    if (rc)
        errno = rc;
    return rc ? -1 : 0;
}

/* ---- System V ---- */

#define MAX_SEMS 16

struct state {
    int id;
    unsigned count;
    struct sembuf sem[MAX_SEMS];
    struct msqid_ds queue;
    int value[MAX_SEMS];
};

/* What a waiting call waits for a change of. False: it is gone. */
static bool look(const struct state *of, struct state *now)
{
    int saved = errno;
    bool there = true;

    memset(&now->queue, 0, sizeof now->queue);
    if (of->count == 0)
        there = hdi_real.syscall(SYS_msgctl, of->id, IPC_STAT, &now->queue) == 0;
    for (unsigned i = 0; i < of->count && there; i++) {
        now->value[i] = (int)hdi_real.syscall(SYS_semctl, of->id, of->sem[i].sem_num, GETVAL, 0);
        there = now->value[i] >= 0;
    }
    errno = saved;
    return there;
}

static bool changed(const struct hdi_op *op)
{
    const struct state *before = op->data;
    struct state now;

    if (!look(before, &now))
        return true;
    if (before->count == 0)
        return now.queue.msg_qnum != before->queue.msg_qnum ||
               now.queue.msg_qbytes != before->queue.msg_qbytes ||
               now.queue.msg_stime != before->queue.msg_stime ||
               now.queue.msg_rtime != before->queue.msg_rtime;
    return memcmp(now.value, before->value, before->count * sizeof now.value[0]) != 0;
}

/* False, with errno: out of time (as semtimedop says it), or a handler ran. */
static bool await_change(struct state *before, int64_t until, bool is_point, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .site = site,
                        .ready = changed,
                        .data = before,
                        .until_ns = until,
                        .elastic = true,
                        .outside = true,
                        .interrupt = HDI_STOPS,
                        .cancellable = is_point};

    return waited(&op, EAGAIN);
}

HDI_EXPORT ssize_t msgrcv(int id, void *message, size_t bytes, long type, int flags)
{
    struct state s = {.id = id};
    ssize_t n;

    if (!hdi_enter())
        return hdi_real.msgrcv(id, message, bytes, type, flags);
    hdi_point(HD_EV_FD_WAIT, NULL, HDI_SITE());
    for (;;) {
        look(&s, &s);
        n = hdi_real.msgrcv(id, message, bytes, type, flags | IPC_NOWAIT);
        if (n >= 0) {
            was_full = was_full || s.queue.__msg_cbytes + (size_t)n > s.queue.msg_qbytes / 2;
            took(MESSAGES, (unsigned)id);
        }
        if (n >= 0 || errno != ENOMSG || (flags & IPC_NOWAIT))
            return n;
        if (!await_change(&s, 0, true, HDI_SITE()))
            return -1;
    }
}

HDI_EXPORT int msgsnd(int id, const void *message, size_t bytes, int flags)
{
    struct state s = {.id = id};
    int rc;

    if (!hdi_enter())
        return hdi_real.msgsnd(id, message, bytes, flags);
    if (message)
        hdi_tell(BYTES_LEFT, .clock = (const char *)message + sizeof(long), .n = (int64_t)bytes);
    hdi_point(HD_EV_FD_WAIT, NULL, HDI_SITE());
    sends(MESSAGES, (unsigned)id);
    for (;;) {
        look(&s, &s);
        rc = hdi_real.msgsnd(id, message, bytes, flags | IPC_NOWAIT);
        was_full = was_full || (rc != 0 && errno == EAGAIN);
        if (rc == 0)
            has_put(MESSAGES, (unsigned)id);
        if (rc == 0 || errno != EAGAIN || (flags & IPC_NOWAIT))
            return rc;
        if (!await_change(&s, 0, true, HDI_SITE()))
            return -1;
    }
}

static int operate(int id, struct sembuf *ops, size_t count, const struct timespec *timeout,
                   uint64_t site)
{
    struct sembuf now[MAX_SEMS];
    struct state s = {.id = id, .count = (unsigned)count};
    int64_t until = timeout ? hdi_deadline_for(timeout) : 0;
    bool waits = true;

    for (size_t i = 0; i < count; i++) {
        waits = waits && !(ops[i].sem_flg & IPC_NOWAIT);
        now[i] = s.sem[i] = ops[i];
        now[i].sem_flg |= IPC_NOWAIT;
    }
    hdi_point(HD_EV_FD_WAIT, NULL, site);
    sends(SEMAPHORES, (unsigned)id);
    for (;;) {
        int rc;
        look(&s, &s);
        rc = hdi_real.semop(id, now, count);
        if (rc == 0)
            receives(SEMAPHORES, (unsigned)id);
        if (rc == 0 || errno != EAGAIN || !waits)
            return rc;
        if (!await_change(&s, until, false, site))
            return -1;
    }
}

HDI_EXPORT int semop(int id, struct sembuf *ops, size_t count)
{
    return hdi_enter() && count > 0 && count <= MAX_SEMS ? operate(id, ops, count, NULL, HDI_SITE())
                                                         : hdi_real.semop(id, ops, count);
}

HDI_EXPORT int semtimedop(int id, struct sembuf *ops, size_t count, const struct timespec *timeout)
{
    if (!hdi_enter() || count == 0 || count > MAX_SEMS || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.semtimedop(id, ops, count, timeout);
    return operate(id, ops, count, timeout, HDI_SITE());
}
