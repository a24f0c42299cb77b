/* look.c - see look.h
 *
 * A thread of ours does it and ends: whatever it still held by ptrace, the kernel lets go then, and
 * also when we are killed. A thread that waits in a call which the kernel would end with EINTR is
 * not stopped: it sleeps, and where is read from /proc. If it came there just before it was
 * stopped, the kernel is asked to begin the call again, as it does with others by itself. The order is: what /proc tells of each
 * thread, stop all, registers, stacks and the words that they wait on, go on. All else is looked at
 * when the process runs again.
 */
#include "look.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fibres.h"
#include "util/alloc.h"
#include "util/read_file.h"
#include "util/real_time.h"

#define ROUNDS 50               /* of looking for threads that were made meanwhile */
#define PATIENCE_NS 1000000000  /* for a thread that does not stop */
#define STACK_MOST (256u << 10) /* bytes of a stack */
#define ALL_MOST (96u << 20)    /* of all; when they are more, of each: */
#define STACK_LEAST (16u << 10)
#define BEGIN_AGAIN (-514) /* the kernel's ERESTARTNOHAND: unless a handler runs */
#define AROUND 64u         /* bytes kept on both sides of a futex word */

struct held {
    bool seized, stopped;
    int signal; /* that it was about to get */
};

struct look {
    struct snapshot *s;
    struct held *held; /* of each thread */
    size_t copied;
    char *why;
};

static char *proc_text(pid_t pid, pid_t tid, const char *name)
{
    size_t bytes;
    char *path = tid ? mem_format("/proc/%d/task/%d/%s", (int)pid, (int)tid, name)
                     : mem_format("/proc/%d/%s", (int)pid, name);
    char *text = read_file(path, 1u << 20, &bytes);
    free(path);
    return text;
}

/* ---- what /proc tells ---- */

/* The number behind "name:" at the beginning of a line, its last word. */
static bool field_of(const char *text, const char *name, int base, uint64_t *value)
{
    size_t n = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, name, n) == 0) {
            const char *at = line + n, *end = at + strcspn(at, "\n");
            while (end > at && end[-1] != ' ' && end[-1] != '\t')
                end--;
            char *stop;
            *value = strtoull(end, &stop, base);
            return stop != end;
        }
    return false;
}

/* Milliseconds on the kernel's own clock when it ran last. */
static double last_ran(const char *sched)
{
    const char *at = sched ? strstr(sched, "se.exec_start") : NULL;
    at = at ? strchr(at, ':') : NULL;
    return at ? strtod(at + 1, NULL) : -1;
}

static void read_times(pid_t pid, struct seen_thread *t)
{
    char *sched = proc_text(pid, t->tid, "sched");
    double then = last_ran(sched);
    t->idle_ns = -1;
    free(sched);
    if (then < 0)
        return;
    char *own = proc_text(getpid(), (pid_t)syscall(SYS_gettid), "sched");
    double now = last_ran(own);
    free(own);
    if (now >= then)
        t->idle_ns = (int64_t)((now - then) * 1e6);
}

static bool read_stat(pid_t pid, struct seen_thread *t)
{
    char *stat = proc_text(pid, t->tid, "stat");
    char *name = stat ? strchr(stat, '(') : NULL, *rest = stat ? strrchr(stat, ')') : NULL;
    unsigned long long user = 0, system = 0, start = 0;
    bool ok = name && rest && rest > name &&
              sscanf(rest + 1,
                     " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d "
                     "%*d %llu",
                     &t->state, &user, &system, &start) == 4;
    if (ok) {
        snprintf(t->name, sizeof t->name, "%.*s", (int)(rest - name - 1), name + 1);
        t->used_ticks = user + system;
        t->began = t->tid == pid ? 0 : start;
    }
    free(stat);
    return ok;
}

static void read_namespace(pid_t pid, struct seen_thread *t)
{
    char *status = proc_text(pid, t->tid, "status");
    uint64_t inner;
    t->inner_tid = t->tid;
    if (status && field_of(status, "NSpid:", 10, &inner))
        t->inner_tid = (pid_t)inner;
    free(status);
}

/* Calls that the kernel ends with EINTR when their thread is stopped (man 7 signal). */
static bool would_be_disturbed(int64_t call)
{
    switch (call) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_rt_sigtimedwait:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
        return true;
    default:
        return false;
    }
}

/* "232 0x3 ... sp pc" of one that sleeps in a system call. */
static bool read_call(pid_t pid, struct seen_thread *t)
{
    char *text = proc_text(pid, t->tid, "syscall");
    long long call;
    unsigned long long a[6], sp, pc;
    bool ok = text && sscanf(text, "%lld %llx %llx %llx %llx %llx %llx %llx %llx", &call, &a[0],
                             &a[1], &a[2], &a[3], &a[4], &a[5], &sp, &pc) == 9;
    free(text);
    if (!ok)
        return false;
    t->call = call;
    for (size_t i = 0; i < 6; i++)
        t->arg[i] = a[i];
    t->reg[7] = sp;
    t->reg[16] = pc;
    return true;
}

/* ---- stopping ---- */

/* Threads that were not there at the last round; how many. */
static size_t list_new(struct look *l)
{
    struct snapshot *s = l->s;
    char *path = mem_format("/proc/%d/task", (int)s->pid);
    DIR *dir = opendir(path);
    size_t before = s->threads;
    free(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
        bool known = tid <= 0;
        for (size_t i = 0; i < before && !known; i++)
            known = s->thread[i].tid == tid;
        if (known)
            continue;
        l->held = mem_grow(l->held, s->threads, sizeof *l->held);
        l->held[s->threads] = (struct held){0};
        s->thread = mem_grow(s->thread, s->threads, sizeof *s->thread);
        s->thread[s->threads++] = (struct seen_thread){.tid = tid, .call = NO_CALL, .idle_ns = -1};
    }
    if (dir)
        closedir(dir);
    return s->threads - before;
}

static void tell_all(struct look *l, size_t from)
{
    for (size_t i = from; i < l->s->threads; i++) {
        struct seen_thread *t = &l->s->thread[i];
        read_times(l->s->pid, t);
        read_stat(l->s->pid, t);
        read_namespace(l->s->pid, t);
    }
}

static void seize(struct look *l, size_t from)
{
    for (size_t i = from; i < l->s->threads; i++) {
        struct seen_thread *t = &l->s->thread[i];
        if (t->state == 'Z' || t->state == 'X')
            continue;
        if (read_call(l->s->pid, t) && would_be_disturbed(t->call))
            continue;
        t->call = NO_CALL;
        if (ptrace(PTRACE_SEIZE, t->tid, NULL, NULL) != 0)
            continue; /* it has ended, or must not be looked at: we see below */
        l->held[i].seized = true;
        ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL);
    }
}

static bool has_stopped(struct look *l, size_t i)
{
    struct held *h = &l->held[i];
    int status;
    if (!h->seized || h->stopped)
        return true;
    pid_t got = waitpid(l->s->thread[i].tid, &status, __WALL | WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    if (got < 0 || !WIFSTOPPED(status)) {
        h->seized = false; /* it has ended */
        l->s->thread[i].state = 'X';
        return true;
    }
    h->stopped = true;
    /* Not PTRACE_EVENT_STOP: a signal was on its way, and goes on to the program with us gone. */
    h->signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
    return true;
}

static void await_stops(struct look *l, size_t from)
{
    int64_t until = real_now() + PATIENCE_NS;
    for (size_t left = 1; left;) {
        left = 0;
        for (size_t i = from; i < l->s->threads; i++)
            left += !has_stopped(l, i);
        if (left && real_now() > until)
            return;
        if (left)
            usleep(50);
    }
}

static void let_go(struct look *l)
{
    for (size_t i = 0; i < l->s->threads; i++)
        if (l->held[i].stopped)
            ptrace(PTRACE_DETACH, l->s->thread[i].tid, NULL, (void *)(intptr_t)l->held[i].signal);
}

/* ---- copying ---- */

static size_t copy(pid_t pid, uint64_t addr, void *to, size_t bytes)
{
    struct iovec here = {to, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);
    return n > 0 ? (size_t)n : 0;
}

static void keep(void *look, uint64_t addr, size_t bytes)
{
    struct look *l = look;
    unsigned char *data = mem_zeroed(bytes, 1);
    size_t n = copy(l->s->through, addr, data, bytes);
    if (n)
        snapshot_keep(l->s, addr, data, n);
    else
        free(data);
}

static void keep_stack(struct look *l, const struct seen_thread *t)
{
    uint64_t sp = t->reg[7], low, high;
    size_t most = l->copied < ALL_MOST ? STACK_MOST : STACK_LEAST;
    if (!sp || !snapshot_mapping(l->s->maps, sp, &low, &high))
        return;
    size_t bytes = high - sp < most ? (size_t)(high - sp) : most;
    keep(l, sp, bytes);
    l->copied += bytes;
}

/* The word that it waits on, and the object that the word is a part of. */
static void keep_word(struct look *l, const struct seen_thread *t)
{
    uint64_t word = t->arg[0];
    if (t->call != SYS_futex && t->call != SYS_restart_syscall)
        return;
    uint64_t from = word >= AROUND ? word - AROUND : 0;
    if (from >> 12 != word >> 12)
        from = word & ~(uint64_t)0xfff;
    uint64_t to = word + AROUND;
    if ((to - 1) >> 12 != word >> 12)
        to = (word | 0xfff) + 1;
    keep(l, from, (size_t)(to - from));
}

/* A call that ended only because its thread was stopped begins again when we have gone. */
static void undisturb(const struct held *h, pid_t tid, struct user_regs_struct *r)
{
    if (h->signal || !would_be_disturbed((int64_t)r->orig_rax) || (int64_t)r->rax != -EINTR)
        return;
    r->rax = (unsigned long long)(int64_t)BEGIN_AGAIN;
    ptrace(PTRACE_SETREGS, tid, NULL, r);
}

static void copy_all(struct look *l)
{
    struct snapshot *s = l->s;
    for (size_t i = 0; i < s->threads; i++) {
        struct seen_thread *t = &s->thread[i];
        struct user_regs_struct regs;
        if (l->held[i].stopped && ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) == 0) {
            snapshot_registers(t, &regs);
            undisturb(&l->held[i], t->tid, &regs);
        } else if (!l->held[i].seized && !read_call(s->pid, t)) {
            t->call = NO_CALL;
        }
    }
    for (size_t i = s->threads; i-- > 0;)
        if (l->held[i].stopped || s->thread[i].call != NO_CALL)
            s->through = s->thread[i].tid;
    free(s->maps);
    s->maps = read_maps(s->through);
    for (size_t i = 0; s->maps && i < s->threads; i++) {
        keep_stack(l, &s->thread[i]);
        keep_word(l, &s->thread[i]);
    }
    fibres_take(s, keep, l);
}

/* A file that was deleted since, as after an upgrade, is still there under another name: of the
 * first of its mappings. */
static char *name_deleted(pid_t pid, char *maps)
{
    static const char mark[] = " (deleted)";
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = maps && strstr(maps, mark) ? open_memstream(&text, &bytes) : NULL;
    const char *first = NULL, *first_path = "";
    if (!out)
        return maps;
    for (const char *line = maps; *line; line += *line == '\n') {
        size_t n = strcspn(line, "\n");
        const char *path = memchr(line, '/', n);
        bool gone = path && n > sizeof mark && strncmp(path, "/memfd:", 7) != 0 &&
                    memcmp(line + n - (sizeof mark - 1), mark, sizeof mark - 1) == 0;
        size_t length = path ? (size_t)(line + n - path) : 0;
        if (gone && (!first || strncmp(path, first_path, length) != 0)) {
            first = line;
            first_path = path;
        }
        if (gone)
            fprintf(out, "%.*s/proc/%d/map_files/%.*s\n", (int)(path - line), line, (int)pid,
                    (int)strcspn(first, " "), first);
        else
            fprintf(out, "%.*s\n", (int)n, line);
        line += n;
    }
    fclose(out);
    free(maps);
    return text;
}

/* ---- what is wrong with it ---- */

static char *refused(pid_t pid)
{
    size_t bytes;
    char *scope = read_file("/proc/sys/kernel/yama/ptrace_scope", 8, &bytes);
    bool yama = scope && *scope != '0';
    free(scope);
    char *root = geteuid() ? mem_format("do it as root (sudo heddle attach %d), or ", (int)pid)
                           : mem_copy("");
    char *why = mem_format("the system does not let us look at process %d: %slet processes be "
                           "traced (%s), or let it leave a core (kill -ABRT %d, which ends it) for "
                           "heddle attach --core=FILE",
                           (int)pid, root,
                           yama ? "sysctl kernel.yama.ptrace_scope=0"
                                : "in a container: --cap-add=SYS_PTRACE",
                           (int)pid);
    free(root);
    return why;
}

/* NULL: it is a program of this kind of machine, or cannot be read. */
static char *other_machine(pid_t pid)
{
    Elf64_Ehdr head;
    size_t bytes = 0;
    char *path = mem_format("/proc/%d/exe", (int)pid), *text = read_file(path, sizeof head, &bytes);
    bool other = text && bytes == sizeof head;
    free(path);
    if (other) {
        memcpy(&head, text, sizeof head);
        other = head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64;
    }
    free(text);
    return other ? mem_format("process %d is no x86-64 program: only those are looked at", (int)pid)
                 : NULL;
}

static char *why_not(pid_t pid, int error)
{
    char *status = proc_text(pid, 0, "status");
    uint64_t tracer = 0, threads = 0;
    char *why;
    if (!status)
        return mem_format("there is no process %d", (int)pid);
    field_of(status, "TracerPid:", 10, &tracer);
    field_of(status, "Threads:", 10, &threads);
    const char *state = strstr(status, "\nState:\t");
    bool ended = state && (state[8] == 'Z' || state[8] == 'X'); /* or its first thread */
    if (ended && threads <= 1)
        why = mem_format("process %d has ended", (int)pid);
    else if (!ended && !strstr(status, "\nVmSize:"))
        why = mem_format("process %d is a thread of the kernel", (int)pid);
    else if (tracer)
        why = mem_format("process %d is already traced by process %llu (a debugger, strace?): end "
                         "that first",
                         (int)pid, (unsigned long long)tracer);
    else if (error == EPERM || error == EACCES)
        why = refused(pid);
    else
        why = mem_format("process %d cannot be looked at: %s", (int)pid, strerror(error));
    free(status);
    return why;
}

/* Signals that a handler of the program's own takes; glibc's are 32 and 33. */
static void read_signals(struct snapshot *s)
{
    char *status = proc_text(s->pid, 0, "status"), *timers = proc_text(s->pid, 0, "timers");
    const uint64_t faults = 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 30;
    uint64_t caught = 0;
    if (status)
        field_of(status, "SigCgt:", 16, &caught);
    s->may_be_called = (caught & ~(faults | (uint64_t)3 << 31)) || (timers && *timers);
    free(status);
    free(timers);
}

static void tell_missing(struct look *l)
{
    size_t unseen = 0, running = 0;
    for (size_t i = 0; i < l->s->threads; i++) {
        unseen += l->held[i].seized && !l->held[i].stopped;
        running += !l->held[i].seized && l->s->thread[i].state != 'Z' &&
                   l->s->thread[i].state != 'X' && l->s->thread[i].call == NO_CALL;
    }
    if (unseen)
        snapshot_lacks(l->s, "%zu thread%s could not be stopped: deep in the kernel", unseen,
                       unseen == 1 ? "" : "s");
    if (running)
        snapshot_lacks(l->s, "%zu thread%s could not be stopped, and ran", running,
                       running == 1 ? "" : "s");
}

/* Its first thread may have ended, and then shows nothing. */
static void locate_fibres(struct snapshot *s)
{
    for (size_t i = s->threads; i-- > 0;)
        if (s->thread[i].state && s->thread[i].state != 'Z' && s->thread[i].state != 'X')
            s->through = s->thread[i].tid;
    s->maps = read_maps(s->through);
    fibres_locate(s);
}

static void *do_look(void *arg)
{
    struct look *l = arg;
    struct snapshot *s = l->s;
    bool any = false;
    /* If we may: the process stands still while this thread waits for a processor. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -20);
    list_new(l);
    tell_all(l, 0);
    locate_fibres(s);
    int64_t start = real_now();
    size_t from = 0;
    errno = 0;
    for (int round = 0; round < ROUNDS && from < s->threads; round++) {
        if (round)
            tell_all(l, from);
        seize(l, from);
        int error = errno;
        for (size_t i = from; i < s->threads; i++)
            any |= l->held[i].seized || s->thread[i].call != NO_CALL;
        if (!any) {
            l->why = why_not(s->pid, error);
            return NULL;
        }
        await_stops(l, from);
        from = s->threads;
        list_new(l);
    }
    copy_all(l);
    let_go(l);
    s->stopped_ns = real_now() - start;
    return NULL;
}

static void name_files(struct snapshot *s)
{
    char link[4096], *path = mem_format("/proc/%d/exe", (int)s->through);
    ssize_t n = readlink(path, link, sizeof link - 1);
    free(path);
    if (n > 0)
        s->program = mem_format("%.*s", (int)n, link);
    s->root = mem_format("/proc/%d/root", (int)s->through);
}

static void finish(struct look *l)
{
    struct snapshot *s = l->s;
    size_t kept = 0;
    name_files(s);
    tell_missing(l);
    s->maps = name_deleted(s->through, s->maps);
    read_signals(s);
    for (size_t i = 0; i < s->threads; i++)
        if (s->thread[i].state != 'X' && s->thread[i].state != 'Z')
            s->thread[kept++] = s->thread[i];
    s->threads = kept;
    snapshot_ready(s);
}

struct snapshot *look_at(pid_t pid, char **why)
{
    struct look l = {.s = snapshot_new(pid)};
    pthread_t worker;
    l.why = pid == getpid() ? mem_format("process %d is heddle attach itself", (int)pid)
                            : other_machine(pid);
    if (!l.why && pthread_create(&worker, NULL, do_look, &l) != 0)
        l.why = mem_copy("cannot make a thread to look with");
    else if (!l.why)
        pthread_join(worker, NULL);
    if (!l.why && !l.s->maps)
        l.why = why_not(pid, ESRCH);
    if (!l.why)
        finish(&l);
    free(l.held);
    *why = l.why;
    if (l.why) {
        snapshot_free(l.s);
        return NULL;
    }
    return l.s;
}
