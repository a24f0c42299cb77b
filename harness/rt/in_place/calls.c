/* calls.c - what a schedule in place asks of the kernel.
 *
 * Syscall user dispatch turns each system call of the process, from wherever it is made, into a
 * SIGSYS, but for those made through hdi_passed_call(). A call is
 *   passed    it leaves nothing behind
 *   undone    it is passed, and taken back after the schedule
 *   answered  here: what belongs to a thread, which the kernel does not know as one
 * and at any other the schedule ends here, to be run in a process of its own.
 */
#include "engine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define MASK_OF(signal) (1ull << ((signal)-1))

#define RAW(...) RAW_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define RAW_(number, a, b, c, d, e, f, ...)                                                        \
    hdi_passed_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* ---- what cannot be done here, in words ---- */

static const struct {
    int number;
    const char *name;
} names[] = {
#define NAME(call)                                                                                 \
    {                                                                                              \
        SYS_##call, #call                                                                          \
    }
    NAME(read),
    NAME(write),
    NAME(open),
    NAME(openat),
    NAME(close),
    NAME(poll),
    NAME(ppoll),
    NAME(select),
    NAME(pselect6),
    NAME(lseek),
    NAME(mmap),
    NAME(mprotect),
    NAME(munmap),
    NAME(mremap),
    NAME(brk),
    NAME(madvise),
    NAME(ioctl),
    NAME(readv),
    NAME(writev),
    NAME(pwrite64),
    NAME(pipe),
    NAME(pipe2),
    NAME(dup),
    NAME(dup2),
    NAME(dup3),
    NAME(nanosleep),
    NAME(clock_nanosleep),
    NAME(setitimer),
    NAME(alarm),
    NAME(timer_create),
    NAME(socket),
    NAME(socketpair),
    NAME(connect),
    NAME(accept),
    NAME(accept4),
    NAME(sendto),
    NAME(sendmsg),
    NAME(recvfrom),
    NAME(recvmsg),
    NAME(bind),
    NAME(listen),
    NAME(clone),
    NAME(clone3),
    NAME(fork),
    NAME(vfork),
    NAME(execve),
    NAME(wait4),
    NAME(waitid),
    NAME(tkill),
    NAME(fcntl),
    NAME(ftruncate),
    NAME(rename),
    NAME(unlink),
    NAME(unlinkat),
    NAME(mkdir),
    NAME(futex),
    NAME(sigaltstack),
    NAME(rt_sigsuspend),
    NAME(eventfd2),
    NAME(epoll_create1),
    NAME(epoll_wait),
    NAME(timerfd_create),
    NAME(signalfd4),
    NAME(memfd_create),
    NAME(process_vm_readv),
    NAME(mq_open),
    NAME(mq_timedsend),
    NAME(mq_timedreceive),
    NAME(semget),
    NAME(semop),
    NAME(msgget),
    NAME(shmget),
    NAME(io_uring_setup),
    NAME(inotify_init1),
    NAME(flock),
    NAME(sched_setaffinity),
    NAME(pause),
    NAME(prctl),
    NAME(set_robust_list),
    NAME(setrlimit),
    NAME(prlimit64),
#undef NAME
};

static _Noreturn void cannot(long number)
{
    char text[80];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number) {
            rt_put_text(rt_put_text(rt_put_text(text, "calls "), names[i].name), "()");
            rt_in_place_cannot(text);
        }
    rt_in_place_cannot("makes a system call that leaves something behind");
}

/* ---- memory ---- */

static struct rt_span *own_mapping(uintptr_t low, uintptr_t high)
{
    struct rt_done *d = &rt_engine->done;

    for (uint32_t i = 0; i < d->mappings; i++)
        if (d->mapped[i].low <= low && high <= d->mapped[i].high)
            return &d->mapped[i];
    return NULL;
}

static void remember(uintptr_t low, uintptr_t high)
{
    struct rt_done *d = &rt_engine->done;

    if (d->mappings == RT_CHANGED)
        rt_in_place_cannot("maps memory again and again");
    d->mapped[d->mappings++] = (struct rt_span){low, high};
}

static long map(const long a[6])
{
    long flags = a[3], got;
    size_t bytes = ((size_t)a[1] + RT_PAGE - 1) & ~(RT_PAGE - 1);
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

    if ((fixed && !own_mapping((uintptr_t)a[0], (uintptr_t)a[0] + bytes)) ||
        ((flags & MAP_TYPE) != MAP_PRIVATE && !(flags & MAP_ANONYMOUS)) ||
        flags & (MAP_GROWSDOWN | MAP_LOCKED | MAP_HUGETLB))
        cannot(SYS_mmap);
    got = RAW(SYS_mmap, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (got > 0 && !fixed)
        remember((uintptr_t)got, (uintptr_t)got + bytes);
    return got;
}

/* Pages of before the schedule: their protection is set back. */
static long change(uintptr_t low, uintptr_t high, long protection)
{
    struct rt_done *d = &rt_engine->done;

    for (uintptr_t at = low; at < high;) {
        const struct rt_mapping *m = rt_image_mapping(at);
        /* What is written where nothing could be is dropped again: it was empty. */
        if (!m || (protection & PROT_WRITE && !(m->protection & PROT_WRITE) &&
                   (!m->anonymous || m->protection)))
            cannot(SYS_mprotect);
        at = m->high;
    }
    if (d->changes == RT_CHANGED)
        rt_in_place_cannot("protects memory again and again");
    d->changed[d->changes++] = (struct rt_span){low, high};
    return RAW(SYS_mprotect, low, high - low, protection);
}

static long unmap(uintptr_t low, uintptr_t high)
{
    struct rt_span *own = own_mapping(low, high), whole;
    long answer;

    /* Memory of before cannot be had again at its place: it is as good as gone. */
    if (!own)
        return change(low, high, PROT_NONE);
    whole = *own;
    answer = RAW(SYS_munmap, low, high - low);
    if (answer == 0) {
        *own = (struct rt_span){whole.low, low};
        if (high < whole.high)
            remember(high, whole.high);
    }
    return answer;
}

/* Nothing of what the program sees changes by it. */
static bool is_hint(long advice)
{
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_FREE:
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_COLD:
    case MADV_PAGEOUT:
        return true;
    default:
        return false;
    }
}

static long advise(uintptr_t low, uintptr_t high, long advice)
{
    const struct rt_mapping *m = rt_image_mapping(high - 1);

    if (own_mapping(low, high))
        return RAW(SYS_madvise, low, high - low, advice);
    if (is_hint(advice))
        return 0;
    /* A thread that ends gives back what is below this frame on its stack: nobody reads it. */
    if (advice == MADV_DONTNEED && m && !hdi_self() &&
        high <= (uintptr_t)__builtin_frame_address(0) &&
        (uintptr_t)__builtin_frame_address(0) < m->high)
        return 0;
    cannot(SYS_madvise);
}

static void undo_memory(struct rt_done *d)
{
    for (uint32_t i = 0; i < d->mappings; i++)
        if (d->mapped[i].low < d->mapped[i].high)
            RAW(SYS_munmap, d->mapped[i].low, d->mapped[i].high - d->mapped[i].low);
    for (uint32_t i = 0; i < d->changes; i++)
        for (uintptr_t at = d->changed[i].low; at < d->changed[i].high;) {
            const struct rt_mapping *m = rt_image_mapping(at);
            uintptr_t end = m->high < d->changed[i].high ? m->high : d->changed[i].high;
            if (!m->protection)
                RAW(SYS_madvise, at, end - at, MADV_DONTNEED);
            RAW(SYS_mprotect, at, end - at, m->protection);
            at = end;
        }
    if (d->broke)
        RAW(SYS_brk, rt_engine->brk);
}

/* ---- descriptors ---- */

static int *own_descriptor(long fd)
{
    struct rt_done *d = &rt_engine->done;

    for (uint32_t i = 0; i < d->opens; i++)
        if (d->opened[i] == fd)
            return &d->opened[i];
    return NULL;
}

static bool same(const char *a, const char *b, size_t bytes)
{
    while (bytes && *a == *b)
        a++, b++, bytes--;
    return bytes == 0;
}

static _Noreturn void cannot_open(const char *path)
{
    char text[80];
    char *to = rt_put_text(text, "opens ");

    while (*path && to < text + sizeof text - 1)
        *to++ = *path++;
    *to = '\0';
    rt_in_place_cannot(text);
}

/* Of what is opened for reading nothing remains but the descriptor, if it is a file or a folder. */
static long open_file(long directory, const char *path, long flags)
{
    struct rt_done *d = &rt_engine->done;
    struct stat st;
    long fd;

    bool null = same(path, "/dev/null", sizeof "/dev/null");

    if (flags & (O_CREAT | O_TRUNC | __O_TMPFILE) || (flags & O_ACCMODE && !null))
        cannot_open(path);
    if (same(path, "/proc/", 6) && !same(path, "/proc/self/maps", sizeof "/proc/self/maps"))
        cannot_open(path); /* what it says of threads is of those of the kernel */
    if (!null && RAW(SYS_newfstatat, directory, path, &st, 0) == 0 && !S_ISREG(st.st_mode) &&
        !S_ISDIR(st.st_mode))
        cannot_open(path);
    fd = RAW(SYS_openat, directory, path, flags);
    if (fd < 0)
        return fd;
    if (d->opens == RT_OPENED)
        rt_in_place_cannot("opens more than 64 files");
    d->opened[d->opens++] = (int)fd;
    return fd;
}

static long close_file(long fd)
{
    int *own = own_descriptor(fd);

    if (!own)
        cannot(SYS_close);
    *own = -1;
    return RAW(SYS_close, fd);
}

static void note_output(long fd, const struct iovec *v, int count, long written)
{
    struct rt_engine *e = rt_engine;

    e->done.wrote[fd] = true;
    for (int i = 0; i < count && written > 0; i++) {
        size_t n = v[i].iov_len < (size_t)written ? v[i].iov_len : (size_t)written;
        e->output[fd - 1] = hash_bytes(e->output[fd - 1], v[i].iov_base, n);
        written -= (long)n;
    }
}

/* What goes to the driver's files is taken out of them again. */
static long write_output(long number, const long a[6])
{
    struct iovec one = {(void *)a[1], (size_t)a[2]};
    bool plain = number == SYS_write;
    long n;

    if (own_descriptor(a[0])) /* of /dev/null, or of what was opened for reading */
        return RAW(number, a[0], a[1], a[2]);
    if ((a[0] != 1 && a[0] != 2) || !rt_engine->captured[a[0]])
        cannot(number);
    if (rt_engine->done.silent[a[0]])
        return RAW(number, a[0], a[1], a[2]);
    n = RAW(number, a[0], a[1], a[2]);
    if (n > 0)
        note_output(a[0], plain ? &one : (const struct iovec *)a[1], plain ? 1 : (int)a[2], n);
    return n;
}

/* Our own leak check lets the threads that are left run on, and nobody read what they write. */
static long duplicate(long number, long fd, long to)
{
    struct stat st;
    long answer;

    if ((to != 1 && to != 2) || !own_descriptor(fd) || rt_engine->captured_too[to] < 0 ||
        RAW(SYS_fstat, fd, &st) != 0 || !S_ISCHR(st.st_mode))
        cannot(number);
    answer = RAW(SYS_dup2, fd, to);
    rt_engine->done.silent[to] |= answer == to;
    return answer;
}

static void undo_descriptors(struct rt_done *d)
{
    for (uint32_t i = 0; i < d->opens; i++)
        if (d->opened[i] >= 0)
            RAW(SYS_close, d->opened[i]);
    for (int fd = 1; fd <= 2; fd++)
        if (d->silent[fd])
            RAW(SYS_dup2, rt_engine->captured_too[fd], fd);
    for (int fd = 1; fd <= 2; fd++)
        if (d->wrote[fd])
            RAW(SYS_ftruncate, fd, rt_engine->written[fd]);
}

/* ---- all calls ---- */

static bool passes(long number, const long a[6])
{
    switch (number) {
    case SYS_getpid:
    case SYS_getppid:
    case SYS_getuid:
    case SYS_geteuid:
    case SYS_getgid:
    case SYS_getegid:
    case SYS_getgroups:
    case SYS_getpgrp:
    case SYS_getpgid:
    case SYS_getsid:
    case SYS_uname:
    case SYS_sysinfo:
    case SYS_getrlimit:
    case SYS_getrusage:
    case SYS_times:
    case SYS_time:
    case SYS_gettimeofday:
    case SYS_clock_gettime:
    case SYS_clock_getres:
    case SYS_sched_yield:
    case SYS_sched_getaffinity:
    case SYS_getcpu:
    case SYS_getrandom:
    case SYS_stat:
    case SYS_lstat:
    case SYS_fstat:
    case SYS_newfstatat:
    case SYS_statx:
    case SYS_access:
    case SYS_faccessat:
    case SYS_faccessat2:
    case SYS_readlink:
    case SYS_readlinkat:
    case SYS_getcwd:
    case SYS_capget:
    case SYS_getpriority:
    case SYS_sched_getscheduler:
    case SYS_sched_getparam:
    case SYS_sched_get_priority_max:
    case SYS_sched_get_priority_min:
    case SYS_pread64:
        return true;
    case SYS_poll: /* what is ready now */
        return !a[2];
    case SYS_prlimit64:
        return !a[2];
    case SYS_futex: /* nobody waits in the kernel */
        return (a[1] & FUTEX_CMD_MASK) == FUTEX_WAKE;
    case SYS_fcntl:
        return a[1] == F_GETFD || a[1] == F_GETFL;
    case SYS_ioctl:
        return a[1] == TCGETS;
    case SYS_read:
    case SYS_readv:
    case SYS_lseek:
    case SYS_getdents64:
        return own_descriptor(a[0]) != NULL;
    default:
        return false;
    }
}

static long call(long number, const long a[6])
{
    if (passes(number, a))
        return hdi_passed_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    switch (number) {
    case SYS_exit:
        rt_pool_thread_over();
    case SYS_exit_group:
        rt_in_place_ended((int)a[0]);
    case SYS_gettid:
        return rt_engine->running->tid;
    case SYS_prctl:
        if (a[0] == PR_SET_NAME)
            return 0;
        cannot(number);
    case SYS_mmap:
        return map(a);
    case SYS_munmap:
        return unmap((uintptr_t)a[0], (uintptr_t)a[0] + (uintptr_t)a[1]);
    case SYS_mprotect:
        if (own_mapping((uintptr_t)a[0], (uintptr_t)a[0] + (uintptr_t)a[1]))
            return RAW(SYS_mprotect, a[0], a[1], a[2]);
        return change((uintptr_t)a[0], (uintptr_t)a[0] + (uintptr_t)a[1], a[2]);
    case SYS_madvise:
        return advise((uintptr_t)a[0], (uintptr_t)a[0] + (uintptr_t)a[1], a[2]);
    case SYS_brk:
        if (a[0] && (uintptr_t)a[0] < rt_engine->brk)
            cannot(number); /* the pages that it gets later are others */
        rt_engine->done.broke = true;
        return RAW(SYS_brk, a[0]);
    case SYS_open:
        return open_file(AT_FDCWD, (const char *)a[0], a[1]);
    case SYS_openat:
        return open_file(a[0], (const char *)a[1], a[2]);
    case SYS_close:
        return close_file(a[0]);
    case SYS_write:
    case SYS_writev:
        return write_output(number, a);
    case SYS_dup2:
        return duplicate(number, a[0], a[1]);
    case SYS_rt_sigaction:
        return rt_signals_action(a);
    case SYS_rt_sigprocmask:
        return rt_signals_mask(a);
    case SYS_rt_sigpending:
        return rt_signals_pending(a);
    case SYS_rt_sigtimedwait:
        return rt_signals_wait(a);
    case SYS_kill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
        return rt_signals_send(number, a);
    default:
        cannot(number);
    }
}

static void on_call(int number, siginfo_t *info, void *context)
{
    long which, argument[6];

    (void)number, (void)info;
    rt.region->batch.calls++;
    hdi_caught_call(context, &which, argument);
    if (which == SYS_rt_sigreturn) {
        rt_signals_return(context);
        return;
    }
    hdi_answer_call(context, call(which, argument));
}

/* Each schedule ends with this call, which is cheaper not to be caught: libc's function jumps to us. */
void rt_calls_catch_end(void)
{
    unsigned char *end = dlsym(RTLD_NEXT, "_exit");
    uintptr_t low = (uintptr_t)end & ~(RT_PAGE - 1);
    uintptr_t high = ((uintptr_t)end + HDI_JUMP_BYTES + RT_PAGE - 1) & ~(RT_PAGE - 1);
    const ElfW(Sym) *symbol = NULL;
    Dl_info where;

    if (!end || !dladdr1(end, &where, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
        symbol->st_size < HDI_JUMP_BYTES ||
        RAW(SYS_mprotect, low, high - low, PROT_READ | PROT_WRITE) != 0)
        return;
    hdi_put_jump(end, (void *)(uintptr_t)rt_in_place_ended);
    RAW(SYS_mprotect, low, high - low, PROT_READ | PROT_EXEC);
}

void rt_calls_catch(void)
{
    struct rt_engine *e = rt_engine;
    struct hdi_kernel_action sa = {.handler = on_call,
                                   .flags = SA_SIGINFO | SA_NODEFER | 0x04000000ul,
                                   .restorer = hdi_passed_return};
    uint64_t caught = MASK_OF(SIGSYS);
    char name[64];
    struct stat st;

    for (int fd = 1; fd <= 2; fd++) {
        char path[] = "/proc/self/fd/0";
        path[sizeof path - 2] = (char)('0' + fd);
        long n = RAW(SYS_readlink, path, name, sizeof name - 1);
        name[n > 0 ? n : 0] = 0;
        e->captured[fd] = same(name, "/memfd:heddle-std", 17) && RAW(SYS_fstat, fd, &st) == 0;
        e->written[fd] = e->captured[fd] ? (uint64_t)st.st_size : 0;
        e->captured_too[fd] = e->captured[fd] ? rt_descriptor_away(RAW(SYS_dup, fd)) : -1;
    }
    e->brk = (uintptr_t)RAW(SYS_brk, 0);
    RAW(SYS_rt_sigaction, SIGSYS, &sa, 0, 8);
    RAW(SYS_rt_sigprocmask, SIG_UNBLOCK, &caught, 0, sizeof caught); /* else the kernel kills */
    RAW(SYS_rt_sigprocmask, SIG_BLOCK, 0, &e->kernel_mask, sizeof e->kernel_mask);
    if (RAW(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, 1, hdi_passed, hdi_passed_end - hdi_passed,
            &e->selector) != 0)
        rt_in_place_refuse("the kernel does not dispatch system calls (Linux 5.11)");
}

void rt_calls_undo(void)
{
    struct rt_done *d = &rt_engine->done;

    undo_memory(d);
    undo_descriptors(d);
    rt_signals_undo();
    d->mappings = d->changes = d->opens = 0;
    d->broke = d->wrote[1] = d->wrote[2] = d->silent[1] = d->silent[2] = false;
}
