/* dump.c - every thread, grouped by what it waits for and its stack; and the helper thread that
 * writes it, so that a signal that asks for it, in whatever state the program is, only counts and
 * wakes that. It needs no descriptor: the program may close all that it finds.
 *
 * A thread's stack is taken by itself, in a signal handler; the signal is kept deliverable by our
 * own pthread_sigmask. A thread that does not answer within ANSWER_MS (it blocks all signals by
 * other means, or sleeps uninterruptibly) is shown without its stack.
 */
#include "observe.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define ANSWER_MS 400
#define LOOK_MS 500
#define GRACE_MS 100
#define OWN_FRAMES 2u /* the handler's and the kernel's */

#define FAREWELL_MS 3000 /* that a program which ends waits for the dump it asked for */

static _Atomic uint32_t dumps_asked, dumps_done; /* the first is the futex of the helper */
static atomic_bool quits;                        /* the program ends after the next dump */
static _Atomic uint32_t asking;
static pid_t process;

static int ask_signal(void)
{
    return SIGRTMAX - 3;
}

static void on_ask(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    void *pc[FOLLOW_FRAMES + OWN_FRAMES];
    (void)number;
    (void)context;
    struct follower *f = observe_on && info->si_code == SI_TKILL ? observe_self() : NULL;
    if (f && f->answered != f->asked) {
        int n = backtrace(pc, FOLLOW_FRAMES + (int)OWN_FRAMES);
        uint32_t from = OWN_FRAMES, all = n > 0 ? (uint32_t)n : 0;
        for (uint32_t i = from; i < all && f->kind != HD_EV_NONE; i++)
            if ((uint64_t)(uintptr_t)pc[i] == f->site)
                from = i; /* what the program called, and no frame below it */
        f->frames = 0;
        for (uint32_t i = from; i < all; i++)
            f->frame[f->frames++] = (uint64_t)(uintptr_t)pc[i];
        f->answered = f->asked;
    }
    errno = saved;
}

static void on_wanted(int number)
{
    int saved = errno;
    if (getpid() != process) /* between a vfork and its exec: the memory is the parent's */
        return;
    if (number == SIGQUIT)
        quits = true;
    dumps_asked++;
    syscall(SYS_futex, &dumps_asked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

/* A thread that is not in one of our calls runs, unless it sleeps in the kernel. */
static enum hd_event in_kernel(const struct follower *f)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", f->tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0 || text[0] < '0' || text[0] > '9') /* "running", or not to be read */
        return HD_EV_NONE;
    long call = strtol(text, NULL, 10);
    return call == SYS_nanosleep || call == SYS_clock_nanosleep ? HD_EV_SLEEP : HD_EV_EXTERNAL;
}

static void ask_all(void)
{
    struct sigaction act = {.sa_sigaction = on_ask, .sa_flags = SA_SIGINFO | SA_RESTART}, old;
    uint32_t number = ++asking;
    int64_t until = observe_now() + ANSWER_MS * 1000000ll;
    bool open = true;
    for (struct follower *f = observe_first(); f; f = f->next)
        f->in_call = f->used && f->alive && f->tid && f->kind == HD_EV_NONE ? in_kernel(f) : 0;
    sigaction(ask_signal(), &act, &old);
    for (struct follower *f = observe_first(); f; f = f->next) {
        f->frames = 0;
        f->asked = number;
        if (f->used && f->alive && f->tid)
            syscall(SYS_tgkill, process, f->tid, ask_signal());
    }
    while (open && observe_now() < until) {
        open = false;
        for (struct follower *f = observe_first(); f && !open; f = f->next)
            open = f->used && f->alive && f->tid && f->answered != number;
        if (open)
            poll(NULL, 0, 1);
    }
    /* One that answers later finds our handler gone only if the program had one of its own. */
    if (old.sa_handler != SIG_DFL)
        sigaction(ask_signal(), &old, NULL);
}

/* ---- groups ---- */

/* Of the goroutine that a thread carries, or of the thread. */
static uint64_t made_at(const struct follower *f)
{
    return f->goroutine ? f->goroutine_site : f->created_site;
}

static bool same(const struct follower *a, const struct follower *b)
{
    return a->kind == b->kind && a->in_call == b->in_call &&
           (a->kind == HD_EV_THREAD_JOIN || a->object == b->object) && a->alive == b->alive &&
           a->frames == b->frames && made_at(a) == made_at(b) && strcmp(a->label, b->label) == 0 &&
           memcmp(a->frame, b->frame, a->frames * sizeof a->frame[0]) == 0;
}

static int compare(const void *x, const void *y)
{
    const struct follower *a = *(struct follower *const *)x, *b = *(struct follower *const *)y;
    if (a->frames != b->frames)
        return a->frames < b->frames ? -1 : 1;
    int c = memcmp(a->frame, b->frame, a->frames * sizeof a->frame[0]);
    if (c == 0 && a->kind != b->kind)
        c = a->kind < b->kind ? -1 : 1;
    if (c == 0 && a->in_call != b->in_call)
        c = a->in_call < b->in_call ? -1 : 1;
    if (c == 0 && a->object != b->object && a->kind != HD_EV_THREAD_JOIN)
        c = a->object < b->object ? -1 : 1;
    if (c == 0 && made_at(a) != made_at(b))
        c = made_at(a) < made_at(b) ? -1 : 1;
    if (c == 0)
        c = strcmp(a->label, b->label);
    if (c == 0 && a->alive != b->alive)
        c = a->alive ? -1 : 1;
    return c ? c : (a->number > b->number) - (a->number < b->number);
}

static void add_age(struct observe_text *t, int64_t ns)
{
    if (ns >= 120000000000ll)
        observe_add(t, ", %lld minutes", (long long)(ns / 60000000000ll));
    else if (ns >= 1000000000ll)
        observe_add(t, ", %lld s", (long long)(ns / 1000000000ll));
}

static void add_numbers(struct observe_text *t, struct follower *const *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        if (i == 40) {
            observe_add(t, " and %u more", n - i);
            break;
        }
        while (k + 1 < n && list[k + 1]->number == list[k]->number + 1)
            k++;
        observe_add(t, k > i + 1 ? " T%u-T%u" : " T%u", list[i]->number, list[k]->number);
        i = k > i + 1 ? k : i;
    }
}

/* A part of a dump, or (left) a finding of its own. */
static void write_group(struct follower *const *list, uint32_t n, bool left)
{
    struct observe_text t = {0};
    const struct follower *f = list[0];
    const char *noun = f->goroutine ? "goroutine" : "thread";
    bool stacks = !left;
    enum hd_event kind = (enum hd_event)f->kind;
    int64_t oldest = f->since_ns;
    for (uint32_t i = 1; i < n; i++)
        oldest = list[i]->since_ns < oldest ? list[i]->since_ns : oldest;
    if (left) {
        observe_begin();
        observe_add(&t, "heddle: %s: %u %s%s left when the program ended\n",
                    observe_word(f->alive ? HD_FK_LEAK_BLOCKED : HD_FK_LEAK_UNJOINED), n, noun,
                    n == 1 ? " is" : "s are");
    }
    observe_add(&t, "%s%u %s%s", left ? "" : "\n", n, noun, n == 1 ? "" : "s");
    if (f->label[0])
        observe_add(&t, " \"%s\"", f->label);
    observe_add(&t, " [");
    if (!f->alive) {
        observe_add(&t, "ended, never joined");
    } else if (kind == HD_EV_NONE) {
        observe_add(&t, "%s", observe_doing((enum hd_event)f->in_call));
    } else {
        if (kind != HD_EV_THREAD_JOIN || n == 1)
            observe_add_waits_for(&t, kind, f->object);
        else
            observe_add(&t, "%s a thread", observe_doing(kind));
        add_age(&t, observe_now() - oldest);
    }
    observe_add(&t, "]:");
    add_numbers(&t, list, n);
    observe_add(&t, "\n");
    if (f->frames && stacks && f->alive) {
        for (uint32_t i = 0; i < f->frames && t.used < 3000; i++) {
            observe_add(&t, "    ");
            observe_add_code(&t, f->frame[i]);
            observe_add(&t, "\n");
        }
    } else if (f->alive && kind != HD_EV_NONE) {
        observe_add(&t, "    ");
        observe_add_code(&t, f->site);
        observe_add(&t, "\n");
    } else if (stacks && f->alive) {
        observe_add(&t, "    (did not answer: it blocks all signals)\n");
    }
    if (made_at(f)) {
        if (f->goroutine)
            observe_add(&t, "  started at ");
        else
            observe_add(&t, "  created by T%u at ", f->creator);
        observe_add_code(&t, made_at(f));
        observe_add(&t, "\n");
    }
    observe_write(&t);
    if (left)
        observe_end();
}

static bool is_alive(const struct follower *f)
{
    return f->alive && !f->idle;
}

static bool is_left(const struct follower *f)
{
    return f->number && !f->leak_expected && !f->idle && !f->serves &&
           (f->alive ? f->kind != HD_EV_NONE : !f->joined && !f->detached);
}

static void write_groups(bool left)
{
    uint32_t n = 0, room = 0;
    struct follower **list;
    for (struct follower *f = observe_first(); f; f = f->next)
        room++;
    list = mmap(NULL, (room + 1) * sizeof *list, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (list == MAP_FAILED)
        return;
    for (struct follower *f = observe_first(); f && n < room; f = f->next) {
        if (f->used && f->tid && (left ? is_left(f) : is_alive(f)))
            list[n++] = f;
    }
    qsort(list, n, sizeof *list, compare);
    for (uint32_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && same(list[i], list[k]); k++)
            ;
        write_group(list + i, k - i, left);
    }
    munmap(list, (room + 1) * sizeof *list);
}

static uint32_t count(bool (*wanted)(const struct follower *))
{
    uint32_t n = 0;
    for (struct follower *f = observe_first(); f; f = f->next)
        n += f->used && f->tid && wanted(f);
    return n;
}

static void dump(void)
{
    struct observe_text t = {0};
    ask_all();
    observe_begin();
    uint32_t threads = count(is_alive);
    observe_add(&t, "heddle: dump of %u thread%s (pid %d)\n", threads, threads == 1 ? "" : "s",
                (int)process);
    observe_write(&t);
    write_groups(false);
    observe_add(&t, "heddle: end of the dump\n");
    observe_write(&t);
    observe_end();
}

/* ---- what is left at the end ---- */

void observe_leaks_at_exit(void)
{
    int64_t until = observe_now() + GRACE_MS * 1000000ll;
    while (count(is_left) && observe_now() < until)
        poll(NULL, 0, 2);
    write_groups(true);
}

/* ---- the helper ---- */

/* However many asked meanwhile: one dump, then what the gravest of them means. */
static void serve(void)
{
    uint32_t by_now = dumps_asked;
    bool quit = quits;
    dump();
    dumps_done = by_now;
    if (quit && observe_sends)
        observe_send_graph();
    if (quit) { /* as it would have ended without us */
        signal(SIGQUIT, SIG_DFL);
        kill(process, SIGQUIT);
    }
}

static void *help(void *arg)
{
    static const struct timespec look = {.tv_nsec = LOOK_MS * 1000000};
    (void)arg;
    for (;;) {
        uint32_t done = dumps_done;
        if (dumps_asked != done || observe_is_asked()) {
            serve();
            continue;
        }
        syscall(SYS_futex, &dumps_asked, FUTEX_WAIT_PRIVATE, done, &look, NULL, 0);
        if (dumps_asked == done && observe_on)
            observe_look_for_circles();
    }
    return NULL;
}

void observe_finish_dumps(void)
{
    int64_t until = observe_now() + FAREWELL_MS * 1000000ll;
    uint32_t by_now = dumps_asked;
    while ((int32_t)(by_now - dumps_done) > 0 && observe_now() < until)
        poll(NULL, 0, 1);
}

/* A child has no helper: a signal means what it would mean without us. */
void observe_signals_in_child(void)
{
    static const int ours[] = {SIGQUIT, SIGUSR1};
    struct sigaction now;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (sigaction(ours[i], NULL, &now) == 0 && now.sa_handler == on_wanted)
            signal(ours[i], SIG_DFL);
}

void observe_helper_start(void)
{
    void *pc[2];
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    process = getpid();
    backtrace(pc, 2); /* loads the unwinder now, not in a signal handler */
    if (observe_dumps) {
        struct sigaction act = {.sa_handler = on_wanted, .sa_flags = SA_RESTART};
        sigaction(SIGQUIT, &act, NULL);
        if (follow_usr1)
            sigaction(SIGUSR1, &act, NULL);
    }
    sigfillset(&all);
    observe_real.mask_signals(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    observe_real.create(&thread, &attr, help, NULL);
    pthread_attr_destroy(&attr);
    observe_real.mask_signals(SIG_SETMASK, &old, NULL);
}

/* A thread that blocks "all signals" can still be asked for its stack. */
EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    sigset_t less;
    if (!observe_real.mask_signals)
        *(void **)&observe_real.mask_signals = observe_find("pthread_sigmask");
    if (set && observe_on && how != SIG_UNBLOCK) {
        less = *set;
        sigdelset(&less, ask_signal());
        set = &less;
    }
    return observe_real.mask_signals(how, set, old);
}
