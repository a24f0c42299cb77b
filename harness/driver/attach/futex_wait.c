/* futex_wait.c - threads that sleep on a futex: on which object, and who has it.
 *
 * The kernel says which word, and the call whether a time limit goes with it. Which object the word
 * is a part of, the functions on the stack say and, without their names, what lies around it.
 * glibc's layouts on x86-64, the same since 2.25 but for condition variables (2.41):
 *
 *   mutex      0 lock (the word), 8 owner, 12 users, 16 kind
 *   rwlock     0 readers * 8 + 1 write phase + 2 a writer has it, 8 and 12 the words, 24 owner
 *   cond       40 and 44 the words, since 2.41 32 and 36; the call keeps it and its mutex on the stack
 *   semaphore  0 value (the word)
 *   barrier    0 how many came, 4 how many went (the word), 8 its count
 *   thread     its number, cleared by the kernel at its end: the word of a join
 *   FILE       0 lock (the word), 8 address of the owner's thread block
 *
 * musl's, which has other functions on the stack (__timedwait_cp) or none at all:
 *
 *   mutex      0 kind, 4 lock (the word): of the default kind only that it is locked and waited for,
 *              else the owner's number
 *   rwlock     0 readers, or all ones: a writer (the word)
 *   semaphore  0 value (the word)
 *   cond, barrier: the word lies on the stack of who waits
 *   thread     the word of a join lies in the thread's own block
 *
 * Who wakes a sleeper has changed its word before: while the word is as it was, nobody has.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "symbols/numbering.h"
#include "util/alloc.h"
#include "waits.h"

#define TID_MOST 4194304u /* the kernel's PID_MAX_LIMIT */
#define OWNER_MASK 0x3fffffffu
#define WORDS_MOST 256u
#define MUSL_LOCKED (EBUSY | FUTEX_WAITERS) /* by whom, it does not record */
#define MUSL_WRITER 0x7fffffffu             /* has an rwlock; else how many read */
#define MUSL_THREAD_MOST 512u               /* bytes of a thread's block */

/* Sleeps on words of their own, told by what a function's name has: no owner is recorded. Rust's
 * names may be mangled. */
static const struct {
    const char *one, *other, *what;
} known[] = {
    {"__atomic_futex_unsigned_base", "", "std::future"},
    {"__platform_wait", "", "std::atomic, latch, barrier or semaphore"},
    {"futex", "lock_contended", "Rust Mutex"},
    {"futex", "read_contended", "Rust RwLock, to read,"},
    {"futex", "write_contended", "Rust RwLock, to write,"},
    {"futex", "Condvar", "Rust Condvar"},
    {"std::thread::park", "", "unpark of a Rust thread"},
    {"3std6thread", "4park", "unpark of a Rust thread"},
    {"futex", "4Once", "Rust Once"},
    {"futex", "Once::call", "Rust Once"},
    {"runtime.futex", "", "Go's scheduler (SIGQUIT makes Go print its goroutines)"},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The innermost call that says what it is; its place. */
static enum hd_event innermost(struct view *v, const struct viewed *t, size_t *at)
{
    for (size_t i = 0; i < t->places; i++) {
        const char *name = view_function(v, &t->place[i]);
        enum hd_event kind = name ? wait_function(name) : HD_EV_NONE;
        *at = i;
        if (kind != HD_EV_NONE)
            return kind;
        if (name && !view_is_libc(v, &t->place[i]))
            break;
    }
    return HD_EV_NONE;
}

static uint32_t word_at(const struct view *v, uint64_t addr)
{
    uint32_t word = 0;
    return snapshot_read(v->s, addr, &word, sizeof word) ? word : 0;
}

/* ---- who has it ---- */

static void held_by(struct view *v, struct wait *w, uint32_t tid, bool is_shared)
{
    if (!tid)
        return;
    w->holder = view_by_tid(v, tid);
    if (w->holder != NOBODY)
        return;
    if (tid > TID_MOST) {
        w->detail = mem_format("its owner is %u, which is no thread: it was overwritten", tid);
    } else if (is_shared) {
        w->ends = true;
        w->detail = mem_format("held by thread %u of another process", tid);
    } else {
        w->gone = (pid_t)tid;
    }
}

static void at_mutex(struct view *v, struct wait *w, uint64_t word, bool by_kernel, bool is_shared)
{
    w->object = word;
    held_by(v, w, by_kernel ? word_at(v, word) & OWNER_MASK : word_at(v, word + 8), is_shared);
}

static void at_rwlock(struct view *v, struct wait *w, uint64_t word, uint32_t expected,
                      bool is_shared)
{
    w->object = word % 8 == 4 ? word - 12 : expected <= 3 ? word - 8 : word;
    uint32_t readers = word_at(v, w->object);
    if (readers & 1) {
        held_by(v, w, word_at(v, w->object + 24), is_shared);
    } else if (readers >> 3) {
        w->detail = mem_format("%u %s it for reading, which is not recorded by whom", readers >> 3,
                               readers >> 3 == 1 ? "holds" : "hold");
    }
}

/* Where on the stack of t, between its stack pointer and the frame of place `at`, a word lies; 0. */
static uint64_t find_word(struct view *v, const struct viewed *t, size_t at, uint64_t wanted)
{
    uint64_t from = t->seen->reg[7], to = at + 1 < t->places ? t->place[at + 1].sp : 0, word;
    if (to <= from || to - from > WORDS_MOST * 8)
        to = from + (uint64_t)WORDS_MOST * 8;
    for (uint64_t a = from; a < to; a += 8)
        if (snapshot_kept(v->s, a, &word, sizeof word) && word == wanted)
            return a;
    return 0;
}

static bool is_readable(const struct view *v, uint64_t addr)
{
    unsigned char byte;
    return addr && addr % 4 == 0 && snapshot_read(v->s, addr, &byte, 1);
}

static bool at_cond(struct view *v, const struct viewed *t, struct wait *w, uint64_t word,
                    size_t at)
{
    static const uint64_t before[] = {40, 44, 32, 36};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        uint64_t cond = word - before[i], slot, mutex;
        if (cond % 8 || !(slot = find_word(v, t, at, cond)))
            continue;
        w->object = cond;
        if (snapshot_kept(v->s, slot + 8, &mutex, sizeof mutex) && is_readable(v, mutex))
            w->with = mutex;
        return true;
    }
    return false;
}

static void at_barrier(struct view *v, struct wait *w, uint64_t word)
{
    w->object = word - 4;
    uint32_t came = word_at(v, word - 4) - word_at(v, word), count = word_at(v, word + 4);
    if (came <= count)
        w->detail = mem_format("%u of %u have come", came, count);
}

/* Whoever runs the initialiser keeps the control's address for the clean-up, in case it is
 * cancelled. */
static void at_once(struct view *v, const struct viewed *t, struct wait *w, uint64_t word,
                    size_t at)
{
    w->object = word;
    for (size_t i = 0; i < v->threads && w->holder == NOBODY; i++) {
        const struct viewed *other = &v->thread[i];
        for (size_t k = other == t ? at + 1 : 0; k + 1 < other->places; k++) {
            const char *name = view_function(v, &other->place[k]);
            uint64_t from = other->place[k].sp, to = other->place[k + 1].sp, value;
            bool runs = name && begins(wait_bare_name(name), "pthread_once") && to > from &&
                        to - from < WORDS_MOST * 8;
            for (uint64_t a = from; runs && a < to; a += 8)
                if (snapshot_kept(v->s, a, &value, sizeof value) && value == word)
                    w->holder = i;
        }
    }
}

static void at_join(struct view *v, struct wait *w, uint64_t word, uint32_t tid)
{
    w->object = word;
    w->holder = view_by_tid(v, tid);
    w->ends |= w->holder == NOBODY; /* it is over: the kernel is about to say so */
}

/* ---- without names ---- */

static bool looks_like_mutex(struct view *v, uint64_t word, uint32_t expected)
{
    uint32_t field[5];
    return expected == 2 && snapshot_read(v->s, word, field, sizeof field) && field[0] == 2 &&
           view_by_tid(v, field[2]) != NOBODY && field[3] > 0 && field[3] < 65536 &&
           field[4] < 2048;
}

/* Robust: the word is its owner's number. */
static bool looks_robust(struct view *v, uint64_t word, uint32_t expected)
{
    return expected & FUTEX_WAITERS && word_at(v, word) == expected &&
           view_by_tid(v, expected & OWNER_MASK) != NOBODY;
}

static bool is_stdio_lock(struct view *v, struct wait *w, uint64_t word, uint32_t expected)
{
    uint64_t owner;
    if (expected != 2 || !snapshot_read(v->s, word + 8, &owner, sizeof owner) || !owner)
        return false;
    for (size_t i = 0; i < v->threads; i++)
        if (v->thread[i].seen->fs_base == owner) {
            w->kind = HD_EV_MUTEX_LOCK;
            w->object = word;
            w->holder = i;
            w->name = mem_format("the lock of a FILE (0x%llx)", (unsigned long long)word);
            return true;
        }
    return false;
}

static bool is_join(struct view *v, struct wait *w, uint64_t word, uint32_t expected,
                    bool is_private)
{
    size_t i = is_private ? NOBODY : view_by_tid(v, expected);
    if (i == NOBODY || word_at(v, word) != expected || word < v->thread[i].seen->fs_base ||
        word - v->thread[i].seen->fs_base > 4096)
        return false;
    w->kind = HD_EV_THREAD_JOIN;
    at_join(v, w, word, expected);
    return true;
}

static bool is_glibc(const struct view *v)
{
    return v->s->maps && strstr(v->s->maps, "/libc.so.6\n");
}

/* musl's of the default kind: the word alone tells. */
static bool is_musl_mutex(struct view *v, struct wait *w, uint64_t word, uint32_t expected)
{
    if (is_glibc(v) || expected != MUSL_LOCKED || word_at(v, word - 4) & 15)
        return false;
    w->kind = HD_EV_MUTEX_LOCK;
    w->object = word - 4;
    w->detail = mem_copy("musl does not record who holds it");
    return true;
}

/* A static program is told by what its threads sleep in. */
static bool is_musl(struct view *v)
{
    const char *maps = v->s->maps ? v->s->maps : "";
    if (strstr(maps, "/ld-musl-") || strstr(maps, "/libc.so\n"))
        return true;
    for (size_t i = 0; i < v->threads && !strstr(maps, "/ld-"); i++) {
        const struct viewed *t = &v->thread[i];
        const char *name = t->places ? view_function(v, &t->place[0]) : NULL;
        if (name && (begins(wait_bare_name(name), "syscall_cp") || strcmp(name, "__wait") == 0))
            return true;
    }
    return false;
}

static void at_musl_rwlock(struct view *v, struct wait *w, uint64_t word)
{
    uint32_t readers = word_at(v, word) & MUSL_WRITER;
    w->object = word;
    w->detail = readers == MUSL_WRITER
                    ? mem_copy("a writer has it; musl does not record who")
                    : mem_format("%u %s it for reading, which is not recorded by whom", readers,
                                 readers == 1 ? "holds" : "hold");
}

/* What wait_function() calls it, with musl's layouts. */
static void at_musl_object(struct view *v, struct wait *w, uint64_t word, uint32_t expected,
                           bool is_shared)
{
    switch (w->kind) {
    case HD_EV_MUTEX_LOCK:
        if (is_musl_mutex(v, w, word, expected))
            return;
        w->object = word - 4;
        held_by(v, w, expected & OWNER_MASK, is_shared);
        return;
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
        at_musl_rwlock(v, w, word);
        return;
    case HD_EV_SEM_WAIT:
    case HD_EV_ONCE:
        w->object = word;
        return;
    case HD_EV_THREAD_JOIN:
        for (size_t i = 0; i < v->threads; i++)
            if (v->thread[i].seen->fs_base && word - v->thread[i].seen->fs_base < MUSL_THREAD_MOST)
                w->holder = i;
        w->ends |= w->holder == NOBODY;
        return;
    default: /* it sleeps on a word of its own stack */
        w->name = mem_format("a %s that is not known", object_word(object_of_event(w->kind)));
    }
}

static char *unknown(struct view *v, const struct viewed *t, uint64_t word)
{
    char *variable = symbols_variable(v->symbols, word);
    const char *what = NULL;
    for (size_t i = 0; i < t->places && i < 12 && !what; i++) {
        const char *name = view_function(v, &t->place[i]);
        for (size_t k = 0; name && k < sizeof known / sizeof *known && !what; k++)
            if (strstr(name, known[k].one) && strstr(name, known[k].other))
                what = known[k].what;
    }
    char *text = variable
                     ? mem_format("%s %s", what ? what : "futex", variable)
                     : mem_format("%s 0x%llx", what ? what : "futex", (unsigned long long)word);
    free(variable);
    return text;
}

static void by_shape(struct view *v, const struct viewed *t, struct wait *w, uint64_t word,
                     uint32_t expected, bool is_own, bool by_kernel)
{
    if (is_musl_mutex(v, w, word, expected)) /* first: its word may look like a robust one's */
        return;
    if (by_kernel || looks_robust(v, word, expected)) {
        w->kind = HD_EV_MUTEX_LOCK;
        at_mutex(v, w, word, true, !is_own);
        return;
    }
    if (is_stdio_lock(v, w, word, expected) ||
        is_join(v, w, word, expected, t->seen->arg[1] & FUTEX_PRIVATE_FLAG))
        return;
    if (looks_like_mutex(v, word, expected)) {
        w->kind = HD_EV_MUTEX_LOCK;
        at_mutex(v, w, word, false, !is_own);
        return;
    }
    w->kind = HD_EV_FUTEX_WAIT;
    w->object = word;
    w->name = unknown(v, t, word);
}

/* No other process can wake it. */
static bool is_of_process(const struct view *v, const struct viewed *t)
{
    return t->seen->arg[1] & FUTEX_PRIVATE_FLAG || !snapshot_is_shared(v->s, t->seen->arg[0]);
}

static void at_object(struct view *v, const struct viewed *t, struct wait *w, size_t at)
{
    uint64_t word = t->seen->arg[0];
    uint32_t expected = (uint32_t)t->seen->arg[2];
    int op = (int)t->seen->arg[1] & FUTEX_CMD_MASK;
    bool is_own = is_of_process(v, t);
    bool by_kernel = op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2;
    switch (w->kind) {
    case HD_EV_COND_WAIT:
        if (op != FUTEX_WAIT && at_cond(v, t, w, word, at))
            return;
        w->kind = HD_EV_COND_RELOCK; /* signalled, and its mutex is taken */
        at_mutex(v, w, word, by_kernel, !is_own);
        return;
    case HD_EV_COND_RELOCK:
    case HD_EV_MUTEX_LOCK:
        at_mutex(v, w, word, by_kernel, !is_own);
        return;
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
        at_rwlock(v, w, word, expected, !is_own);
        return;
    case HD_EV_BARRIER_WAIT:
        at_barrier(v, w, word);
        return;
    case HD_EV_ONCE:
        at_once(v, t, w, word, at);
        return;
    case HD_EV_THREAD_JOIN:
        at_join(v, w, word, expected);
        return;
    case HD_EV_SEM_WAIT:
        w->object = word;
        return;
    default:
        by_shape(v, t, w, word, expected, is_own, by_kernel);
    }
}

bool wait_on_futex(struct view *v, const struct viewed *t, struct wait *w)
{
    const struct seen_thread *seen = t->seen;
    bool again = seen->call == SYS_restart_syscall;
    size_t at = 0;
    if (seen->call != SYS_futex && !again)
        return false;
    w->kind = innermost(v, t, &at);
    if (again && w->kind == HD_EV_NONE)
        return false;
    int op = (int)seen->arg[1] & FUTEX_CMD_MASK;
    bool by_kernel = op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2;
    uint32_t now;
    w->ends = again || seen->arg[3] != 0;
    /* That a thread has ended only this process's kernel side says. */
    if (w->kind != HD_EV_THREAD_JOIN && w->kind != HD_EV_MUTEX_LOCK &&
        w->kind != HD_EV_COND_RELOCK && !by_kernel)
        w->ends |= !is_of_process(v, t);
    w->woken = !by_kernel && snapshot_kept(v->s, seen->arg[0], &now, sizeof now) &&
               now != (uint32_t)seen->arg[2];
    if (w->kind != HD_EV_NONE)
        w->from = at + 1;
    if (w->kind != HD_EV_NONE && is_musl(v))
        at_musl_object(v, w, seen->arg[0], (uint32_t)seen->arg[2], !is_of_process(v, t));
    else
        at_object(v, t, w, at);
    return true;
}
