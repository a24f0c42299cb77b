/* phrase.c - see phrase.h */
#include "phrase.h"

#include <string.h>

#include <heddle/event.h>

#include "symbols/numbering.h"
#include "util/alloc.h"

/* %s is the object; what has none stands without. */
static const struct {
    const char *wait, *did;
} phrases[HD_EV_COUNT] = {
    [HD_EV_THREAD_CREATE] = {NULL, "made %s"},
    [HD_EV_THREAD_EXIT] = {NULL, "ended"},
    [HD_EV_THREAD_JOIN] = {"waits for the end of %s", "joined %s"},
    [HD_EV_THREAD_DETACH] = {NULL, "detached %s"},
    [HD_EV_THREAD_CANCEL] = {NULL, "cancelled %s"},
    [HD_EV_THREAD_KILL] = {NULL, "sent a signal to %s"},
    [HD_EV_SLEEP] = {"sleeps", "slept"},
    [HD_EV_EXIT] = {NULL, "ended the program"},
    [HD_EV_MUTEX_INIT] = {NULL, "initialised %s"},
    [HD_EV_MUTEX_DESTROY] = {NULL, "destroyed %s"},
    [HD_EV_MUTEX_LOCK] = {"waits for %s", "locked %s"},
    [HD_EV_MUTEX_TRYLOCK] = {NULL, "tried to lock %s"},
    [HD_EV_MUTEX_UNLOCK] = {NULL, "unlocked %s"},
    [HD_EV_COND_WAIT] = {"waits for a signal to %s", "waited on %s"},
    [HD_EV_COND_RELOCK] = {"was woken and waits for %s", "locked %s again after a wait"},
    [HD_EV_COND_SIGNAL] = {NULL, "signalled %s"},
    [HD_EV_COND_BROADCAST] = {NULL, "broadcast to %s"},
    [HD_EV_COND_DESTROY] = {NULL, "destroyed %s"},
    [HD_EV_RWLOCK_RDLOCK] = {"waits to read-lock %s", "read-locked %s"},
    [HD_EV_RWLOCK_WRLOCK] = {"waits to write-lock %s", "write-locked %s"},
    [HD_EV_RWLOCK_TRYLOCK] = {NULL, "tried to lock %s"},
    [HD_EV_RWLOCK_UNLOCK] = {NULL, "unlocked %s"},
    [HD_EV_RWLOCK_DESTROY] = {NULL, "destroyed %s"},
    [HD_EV_SPIN_LOCK] = {"waits for %s", "locked %s"},
    [HD_EV_SPIN_TRYLOCK] = {NULL, "tried to lock %s"},
    [HD_EV_SPIN_UNLOCK] = {NULL, "unlocked %s"},
    [HD_EV_SPIN_DESTROY] = {NULL, "destroyed %s"},
    [HD_EV_BARRIER_WAIT] = {"waits at %s for the others", "came to %s"},
    [HD_EV_BARRIER_DESTROY] = {NULL, "destroyed %s"},
    [HD_EV_ONCE] = {"waits for the initialiser of %s", "ran the initialiser of %s"},
    [HD_EV_SEM_WAIT] = {"waits for a post to %s", "took a unit of %s"},
    [HD_EV_SEM_TRYWAIT] = {NULL, "tried to take a unit of %s"},
    [HD_EV_SEM_POST] = {NULL, "posted %s"},
    [HD_EV_SEM_DESTROY] = {NULL, "destroyed %s"},
    [HD_EV_FUTEX_WAIT] = {"waits on %s", "waited on %s"},
    [HD_EV_FUTEX_WAKE] = {NULL, "woke waiters of %s"},
    [HD_EV_FD_WAIT] = {"waits for %s", "used %s"},
    [HD_EV_FD_OPEN] = {NULL, "opened %s"},
    [HD_EV_FD_USE] = {"is about to use %s, or does,", "used %s"},
    [HD_EV_FD_CLOSE] = {NULL, "closed %s"},
    [HD_EV_EXTERNAL] = {"is in a system call", "was in a system call"},
    [HD_EV_LIBRARY] = {NULL, "called the C library"},
    [HD_EV_FREE] = {NULL, "freed %s"},
    [HD_EV_CHAN_SEND] = {"waits to send to %s", "sent to %s"},
    [HD_EV_CHAN_RECV] = {"waits to receive from %s", "received from %s"},
    [HD_EV_CHAN_CLOSE] = {NULL, "closed %s"},
    [HD_EV_SELECT] = {"waits in a select on %s", "did a select on %s"},
    [HD_EV_HD_MUTEX_LOCK] = {"waits for %s", "locked %s"},
    [HD_EV_HD_MUTEX_TRYLOCK] = {NULL, "tried to lock %s"},
    [HD_EV_HD_MUTEX_UNLOCK] = {NULL, "unlocked %s"},
    [HD_EV_HD_RWMUTEX_RLOCK] = {"waits to read-lock %s", "read-locked %s"},
    [HD_EV_HD_RWMUTEX_LOCK] = {"waits to write-lock %s", "write-locked %s"},
    [HD_EV_HD_RWMUTEX_TRYLOCK] = {NULL, "tried to lock %s"},
    [HD_EV_HD_RWMUTEX_UNLOCK] = {NULL, "unlocked %s"},
    [HD_EV_HD_WAITGROUP_WAIT] = {"waits until %s is done", "waited for %s"},
    [HD_EV_HD_WAITGROUP_ADD] = {NULL, "changed the count of %s"},
    [HD_EV_HD_COND_WAIT] = {"waits for a signal to %s", "waited on %s"},
    [HD_EV_HD_COND_SIGNAL] = {NULL, "signalled %s"},
    [HD_EV_HD_ONCE] = {"waits for the initialiser of %s", "ran the initialiser of %s"},
    [HD_EV_HD_SEMAPHORE] = {"waits for units of %s", "took or released units of %s"},
    [HD_EV_HD_CONTEXT] = {"waits for %s", "used %s"},
    [HD_EV_HD_TIMER] = {"waits for %s", "used %s"},
};

static char *fill(const char *phrase, const char *object)
{
    const char *place = strstr(phrase, "%s");

    if (!place)
        return mem_copy(phrase);
    return mem_format("%.*s%s%s", (int)(place - phrase), phrase, object, place + 2);
}

char *phrase_wait(unsigned kind, const char *object)
{
    const char *phrase = kind < HD_EV_COUNT ? phrases[kind].wait : NULL;

    if (!object && (kind == HD_EV_CHAN_SEND || kind == HD_EV_CHAN_RECV))
        return mem_format("waits for ever to %s a nil channel",
                          kind == HD_EV_CHAN_SEND ? "send to" : "receive from");
    if (!object && kind == HD_EV_SELECT)
        return mem_copy("waits in a select");
    if (!object && (!phrase || strstr(phrase, "%s")))
        return mem_format("waits, %s,", event_doing(kind));
    return fill(phrase ? phrase : "waits for %s", object);
}

char *phrase_did(unsigned kind, const char *object)
{
    const char *phrase = kind < HD_EV_COUNT ? phrases[kind].did : NULL;

    if (!phrase)
        return object ? mem_format("used %s", object) : mem_copy("was here");
    return fill(phrase, object ? object : "something");
}

const char *phrase_would(unsigned kind)
{
    switch (kind) {
    case HD_EV_COND_SIGNAL:
    case HD_EV_HD_COND_SIGNAL:
        return "signal it";
    case HD_EV_SEM_POST:
        return "post it";
    case HD_EV_CHAN_SEND:
        return "send";
    case HD_EV_CHAN_RECV:
        return "receive";
    case HD_EV_HD_WAITGROUP_ADD:
        return "say done";
    case HD_EV_BARRIER_WAIT:
        return "come there";
    case HD_EV_HD_SEMAPHORE:
        return "release units";
    case HD_EV_FD_WAIT:
        return "write there";
    default:
        return "end that";
    }
}

char *phrase_case(unsigned kind, const char *object)
{
    return kind == HD_EV_CHAN_SEND   ? mem_format("a receiver or room in %s", object)
           : kind == HD_EV_CHAN_RECV ? mem_format("a value from %s", object)
                                     : mem_copy(object);
}
