/* finding_notes.c - what a finding says of a thread that waits: for what, and who could have ended
 * it. */
#include <errno.h>
#include <sys/stat.h>

#include "thread.h"

bool hdi_could_wake(enum hd_event waits, enum hd_event did)
{
    switch (did) {
    case HD_EV_COND_WAIT:
    case HD_EV_COND_RELOCK:
    case HD_EV_SEM_WAIT:
    case HD_EV_SEM_TRYWAIT:
    case HD_EV_FUTEX_WAIT:
    case HD_EV_THREAD_JOIN:
    case HD_EV_HD_WAITGROUP_WAIT:
    case HD_EV_HD_COND_WAIT:
        return false;
    case HD_EV_CHAN_RECV:
    case HD_EV_CHAN_SEND:
        return waits != did;
    default:
        return true;
    }
}

void hdi_note_wait(struct hdp_finding *f, struct hdi_thread *t, const struct hdi_op *op)
{
    uint32_t link = f->notes;
    bool select = op->kind == HD_EV_SELECT && t->wait.count;

    hdi_note(f, HD_ROLE_WAITS, t, op->kind, select ? NULL : op->object, op->site, t->end_stack);
    for (uint32_t i = 0; select && i < t->wait.count; i++)
        hdi_note(f, HD_ROLE_CASE, t, t->wait.cases[i].kind, t->wait.cases[i].object, 0, 0)->link =
            link;
}

static struct hdi_thread *by_hash(uint32_t hash)
{
    struct hdi_thread *t;

    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        if (t->hash == hash)
            return t;
    return NULL;
}

static void note_users(struct hdp_finding *f, const struct hdi_thread *t, enum hd_event waits,
                       struct hdi_object *o, uint32_t link)
{
    for (uint32_t i = 0; o && i < o->users; i++)
        if (o->user[i].thread != t->hash && hdi_could_wake(waits, (enum hd_event)o->user[i].kind))
            hdi_note(f, HD_ROLE_COULD_WAKE, by_hash(o->user[i].thread), o->user[i].kind, o,
                     o->user[i].site, 0)
                ->link = link;
}

/* Whoever wrote to the other end of a pipe may be the one that was to write more. */
static struct {
    struct hdp_finding *finding;
    const struct hdi_thread *thread;
    const struct hdi_object *end;
    ino_t pipe;
    uint32_t link;
} waited;

/* Both ends are one inode. False: it is no pipe. */
static bool pipe_of(const struct hdi_object *o, ino_t *pipe)
{
    struct stat st = {0};
    int saved = errno;
    bool is_pipe = o->kind == HD_OB_FD && fstat((int)o->addr - 1, &st) == 0 && S_ISFIFO(st.st_mode);

    errno = saved;
    *pipe = st.st_ino;
    return is_pipe;
}

static void note_other_end(struct hdi_object *o)
{
    ino_t pipe;

    if (o != waited.end && pipe_of(o, &pipe) && pipe == waited.pipe)
        note_users(waited.finding, waited.thread, HD_EV_FD_WAIT, o, waited.link);
}

static void note_writers(struct hdp_finding *f, const struct hdi_thread *t,
                         const struct hdi_object *o, uint32_t link)
{
    ino_t pipe;

    if (!o || !pipe_of(o, &pipe))
        return;
    waited.finding = f;
    waited.thread = t;
    waited.end = o;
    waited.pipe = pipe;
    waited.link = link;
    hdi_objects_each(note_other_end);
}

void hdi_note_wakers(struct hdp_finding *f, const struct hdi_thread *t, const struct hdi_op *op,
                     uint32_t link)
{
    note_writers(f, t, op->object, link);
    if (op->kind != HD_EV_SELECT || !t->wait.count)
        note_users(f, t, op->kind, op->object, link);
    else
        for (uint32_t i = 0; i < t->wait.count; i++)
            note_users(f, t, t->wait.cases[i].kind, t->wait.cases[i].object, link);
}
