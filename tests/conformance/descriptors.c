/* descriptors.c - what is read and written in other ways than by read and write: several messages at once,
 * pages, timers, signals; connections; locks of files; names; what /proc says. */
#include "check.h"
#include "temporary.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

static void run(void *(*body)(void *), void *arg)
{
    pthread_t t;

    ANSWERS(0, pthread_create(&t, NULL, body, arg));
    ANSWERS(0, pthread_join(t, NULL));
}

/* ---- several messages ---- */

static void messages(void)
{
    char text[3][8] = {"one", "two", "three"}, got[3][8];
    struct iovec out[3], in[3];
    struct mmsghdr sent[3] = {0}, received[3] = {0};
    struct timespec none = {0, 0}, wrong = {0, -1};
    int s[2], n = 0;

    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
    for (int i = 0; i < 3; i++) {
        out[i] = (struct iovec){text[i], strlen(text[i])};
        in[i] = (struct iovec){got[i], sizeof got[i]};
        sent[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
        received[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    }
    CHECK(sendmmsg(s[0], sent, 3, 0) == 3 && sent[2].msg_len == 5);
    CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == 3);
    CHECK(recvmmsg(s[1], received, 2, 0, NULL) == 2 && received[0].msg_len == 3 &&
          memcmp(got[1], "two", 3) == 0);
    CHECK(recvmmsg(s[1], received, 3, MSG_WAITFORONE, NULL) == 1 && received[0].msg_len == 5);
    FAILS(EAGAIN, recvmmsg(s[1], received, 3, MSG_DONTWAIT, NULL));
    FAILS(EINVAL, recvmmsg(s[1], received, 1, 0, &wrong));
    CHECK(sendmmsg(s[0], sent, 2, 0) == 2);
    CHECK(recvmmsg(s[1], received, 3, 0, &none) == 1); /* looked at after the first */
    CHECK(sendmmsg(s[0], sent, 0, 0) == 0);
    FAILS(EBADF, sendmmsg(-1, sent, 1, 0));
    close(s[0]);
    close(s[1]);
}

/* ---- pages ---- */

static void pages(void)
{
    char text[] = "page", got[8];
    struct iovec v = {text, 4};
    int from[2], to[2], n;

    CHECK(pipe(from) == 0 && pipe2(to, O_NONBLOCK) == 0);
    CHECK(vmsplice(from[1], &v, 1, 0) == 4);
    CHECK(tee(from[0], to[1], 8, 0) == 4);
    CHECK(ioctl(from[0], FIONREAD, &n) == 0 && n == 4);
    CHECK(splice(from[0], NULL, to[1], NULL, 4, 0) == 4);
    CHECK(read(to[0], got, sizeof got) == 8 && memcmp(got, "pagepage", 8) == 0);
    FAILS(EAGAIN, tee(from[0], to[1], 8, SPLICE_F_NONBLOCK));
    CHECK(dprintf(from[1], "%d-%s", 7, "x") == 3);
    CHECK(read(from[0], got, sizeof got) == 3 && memcmp(got, "7-x", 3) == 0);
    CHECK(dup2(to[1], from[1]) == from[1]); /* the only one to write */
    CHECK(read(from[0], got, 1) == 0);
    CHECK(dup3(from[0], to[1], O_CLOEXEC) == to[1] && fcntl(to[1], F_GETFD) == FD_CLOEXEC);
    FAILS(EINVAL, dup3(from[0], from[0], 0));
    CHECK(dup2(from[0], from[0]) == from[0]);
    FAILS(EBADF, dup2(-1, from[0]));
    close(from[0]);
    close(from[1]);
    close(to[0]);
    close(to[1]);
}

/* ---- timers ---- */

static void *reads_timer(void *fd)
{
    uint64_t times = 0;

    CHECK(read(*(int *)fd, &times, sizeof times) == sizeof times && times >= 1);
    return NULL;
}

static void timers(void)
{
    struct itimerspec soon = {.it_value = {0, 2000000}}, each = {{0, 1000000}, {0, 1000000}},
                      off = {{0, 0}, {0, 0}}, bad = {.it_value = {0, 1000000000}}, left, past;
    struct timespec nap = {0, 20000000}, at;
    struct epoll_event event = {.events = EPOLLIN}, ready;
    uint64_t times = 0;
    fd_set set;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), copy = dup(fd), ep = epoll_create1(0),
        waits = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);

    CHECK(fd >= 0 && copy >= 0 && waits >= 0 && fcntl(waits, F_GETFD) == FD_CLOEXEC);
    FAILS(EINVAL, timerfd_create(1234, 0));
    FAILS(EINVAL, timerfd_settime(fd, 0, &bad, NULL));
    FAILS(EINVAL, timerfd_settime(ep, 0, &soon, NULL));
    FAILS(EBADF, timerfd_gettime(-1, &left));
    CHECK(timerfd_gettime(fd, &left) == 0 && !left.it_value.tv_sec && !left.it_value.tv_nsec);
    FAILS(EAGAIN, read(fd, &times, sizeof times));
    FAILS(EINVAL, read(fd, &times, 4));

    CHECK(timerfd_settime(fd, 0, &soon, NULL) == 0);
    CHECK(timerfd_gettime(copy, &left) == 0 && left.it_value.tv_sec == 0 &&
          left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 2000000);
    CHECK(poll(&(struct pollfd){.fd = copy, .events = POLLIN}, 1, -1) == 1);
    CHECK(read(copy, &times, sizeof times) == sizeof times && times == 1);
    FAILS(EAGAIN, read(fd, &times, sizeof times));
    CHECK(timerfd_gettime(fd, &left) == 0 && !left.it_value.tv_nsec);

    CHECK(timerfd_settime(fd, 0, &each, NULL) == 0);
    CHECK(nanosleep(&nap, NULL) == 0);
    CHECK(read(fd, &times, sizeof times) == sizeof times && times >= 10);
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(ep, &ready, 1, -1) == 1 && ready.events == EPOLLIN);
    CHECK(timerfd_settime(fd, 0, &off, &left) == 0 && left.it_interval.tv_nsec == 1000000);
    CHECK(epoll_pwait2(ep, &ready, 1, &(struct timespec){0, 5000000}, NULL) == 0);

    clock_gettime(CLOCK_MONOTONIC, &at);
    past = (struct itimerspec){.it_value = {at.tv_sec, at.tv_nsec ? at.tv_nsec : 1}};
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &past, NULL) == 0);
    FD_ZERO(&set);
    FD_SET(fd, &set);
    CHECK(select(fd + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(fd, &set));

    CHECK(timerfd_settime(waits, 0, &soon, NULL) == 0);
    run(reads_timer, &waits);
    CHECK(timerfd_settime(waits, 0, &soon, NULL) == 0);
    close(fd); /* a copy lives on */
    CHECK(timerfd_settime(copy, 0, &soon, NULL) == 0);
    CHECK(poll(&(struct pollfd){.fd = copy, .events = POLLIN}, 1, 10000) == 1);
    close(copy);
    close(ep);
    close(waits);
}

/* ---- signals that are read ---- */

static sigset_t user;

static void *reads_signal(void *fd)
{
    struct signalfd_siginfo info;

    CHECK(read(*(int *)fd, &info, sizeof info) == sizeof info);
    CHECK(info.ssi_signo == SIGUSR1 && info.ssi_pid == (uint32_t)getpid());
    return NULL;
}

static void signals(void)
{
    struct signalfd_siginfo info;
    pthread_t t;
    int fd;

    sigemptyset(&user);
    sigaddset(&user, SIGUSR1);
    ANSWERS(0, pthread_sigmask(SIG_BLOCK, &user, NULL));
    fd = signalfd(-1, &user, 0);
    CHECK(fd >= 0);
    ANSWERS(0, pthread_create(&t, NULL, reads_signal, &fd));
    ANSWERS(0, pthread_kill(t, SIGUSR1)); /* for that thread alone */
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1) == 1);
    CHECK(read(fd, &info, sizeof info) == sizeof info && info.ssi_code == SI_USER);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    FAILS(EAGAIN, read(fd, &info, sizeof info));
    close(fd);
}

/* ---- connections ---- */

static struct sockaddr_in address;

static void *connects(void *arg)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(connect(s, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK((fcntl(s, F_GETFL) & O_NONBLOCK) == 0);
    CHECK(write(s, "x", 1) == 1);
    close(s);
    return arg;
}

static void connections(void)
{
    socklen_t bytes = sizeof address;
    int listens = socket(AF_INET, SOCK_STREAM, 0), s, error = -1;
    pthread_t t;
    char c;

    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(listens, (struct sockaddr *)&address, bytes) == 0 && listen(listens, 4) == 0);
    CHECK(getsockname(listens, (struct sockaddr *)&address, &bytes) == 0);
    ANSWERS(0, pthread_create(&t, NULL, connects, NULL));
    s = accept(listens, NULL, NULL);
    CHECK(s >= 0 && read(s, &c, 1) == 1 && read(s, &c, 1) == 0);
    ANSWERS(0, pthread_join(t, NULL));
    close(s);
    s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(connect(s, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS);
    CHECK(poll(&(struct pollfd){.fd = s, .events = POLLOUT}, 1, -1) == 1);
    bytes = sizeof error;
    CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == 0);
    close(s);
    close(listens);
    s = socket(AF_INET, SOCK_STREAM, 0);
    FAILS(ECONNREFUSED, connect(s, (struct sockaddr *)&address, sizeof address));
    close(s);
    FAILS(EBADF, connect(-1, (struct sockaddr *)&address, sizeof address));
}

/* ---- files ---- */

static char *folder, path[PATH_MAX], other[PATH_MAX];

static int record(int fd, int command, short type)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET};

    return fcntl(fd, command, &l);
}

static void *locks(void *fd)
{
    CHECK(flock(*(int *)fd, LOCK_EX) == 0 && flock(*(int *)fd, LOCK_UN) == 0);
    CHECK(record(*(int *)fd, F_OFD_SETLKW, F_WRLCK) == 0);
    CHECK(record(*(int *)fd, F_OFD_SETLK, F_UNLCK) == 0);
    return NULL;
}

static void file_locks(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a = open(path, O_RDWR), b = open(path, O_RDWR);
    pthread_t t;

    CHECK(a >= 0 && b >= 0);
    CHECK(flock(a, LOCK_EX) == 0 && flock(a, LOCK_EX) == 0); /* again */
    FAILS(EWOULDBLOCK, flock(b, LOCK_SH | LOCK_NB));
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
    CHECK(flock(b, LOCK_UN) == 0);
    FAILS(EINVAL, flock(a, 0));
    FAILS(EBADF, flock(-1, LOCK_EX));
    CHECK(record(a, F_OFD_SETLK, F_WRLCK) == 0);
    FAILS(EAGAIN, record(b, F_OFD_SETLK, F_RDLCK));
    CHECK(fcntl(b, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == -1);
    ANSWERS(0, pthread_create(&t, NULL, locks, &b));
    CHECK(record(a, F_OFD_SETLK, F_UNLCK) == 0);
    close(a); /* and with it what flock has */
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(lockf(b, F_LOCK, 0) == 0 && lockf(b, F_TLOCK, 0) == 0 && lockf(b, F_TEST, 0) == 0 &&
          lockf(b, F_ULOCK, 0) == 0);
    FAILS(EINVAL, lockf(b, 1234, 0));
    close(b);
}

static void *makes_file(void *arg)
{
    close(open(other, O_CREAT | O_EXCL | O_WRONLY, 0600));
    return arg;
}

static void names(void)
{
    char chosen[PATH_MAX], events[1024];
    struct stat st;
    struct inotify_event *event = (struct inotify_event *)(void *)events;
    int fd, tells;
    FILE *f;

    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0640);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0640);
    FAILS(EEXIST, open(path, O_CREAT | O_EXCL | O_RDWR, 0600));
    FAILS(ENOENT, open("/nowhere/at/all", O_CREAT | O_RDWR, 0600));
    close(fd);
    snprintf(chosen, sizeof chosen, "%s/XXXXXX", folder);
    fd = mkstemp(chosen);
    CHECK(fd >= 0 && access(chosen, R_OK | W_OK) == 0 && unlink(chosen) == 0);
    close(fd);
    tells = inotify_init1(IN_NONBLOCK);
    CHECK(inotify_add_watch(tells, folder, IN_CREATE) >= 0);
    FAILS(EAGAIN, read(tells, events, sizeof events));
    run(makes_file, NULL);
    CHECK(read(tells, events, sizeof events) > 0 && strcmp(event->name, "other") == 0);
    close(tells);
    CHECK(rename(other, chosen) == 0 && link(chosen, other) == 0 && stat(other, &st) == 0 &&
          st.st_nlink == 2);
    CHECK(unlink(other) == 0 && symlink(chosen, other) == 0 && lstat(other, &st) == 0 &&
          S_ISLNK(st.st_mode));
    CHECK(unlink(other) == 0 && unlink(chosen) == 0);
    CHECK(mkdir(other, 0700) == 0 && rmdir(other) == 0);
    CHECK(mkfifo(other, 0600) == 0 && unlink(other) == 0);
    f = fopen(other, "wx");
    CHECK(f && fputs("text", f) >= 0 && fclose(f) == 0);
    CHECK(!fopen(other, "wx") && errno == EEXIST && unlink(other) == 0);
}

/* A named pipe is open when both ends are, whoever came first; and a stream on it. */
static void *opens_the_other_end(void *reads)
{
    char text[8] = "";
    FILE *f = fopen(other, reads ? "r" : "w");

    CHECK(f);
    CHECK(reads ? fgets(text, sizeof text, f) && strcmp(text, "word\n") == 0
                : fputs("word\n", f) >= 0);
    CHECK(fclose(f) == 0);
    return NULL;
}

static void named_pipes(void)
{
    for (int reads = 0; reads < 2; reads++) {
        pthread_t t;
        char text[8] = "";
        int fd;
        CHECK(mkfifo(other, 0600) == 0);
        ANSWERS(0, pthread_create(&t, NULL, opens_the_other_end, reads ? &reads : NULL));
        fd = open(other, reads ? O_WRONLY : O_RDONLY);
        CHECK(fd >= 0);
        CHECK(reads ? write(fd, "word\n", 5) == 5 : read(fd, text, sizeof text) == 5);
        close(fd);
        ANSWERS(0, pthread_join(t, NULL));
        CHECK(unlink(other) == 0);
    }
}

/* ---- the process ---- */

static long value_of(const char *file, const char *name)
{
    char line[256];
    long value = -1;
    FILE *f = fopen(file, "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    if (f)
        fclose(f);
    return value;
}

static void *looks(void *arg)
{
    char file[64];

    CHECK(value_of("/proc/self/status", "Tgid:") == getpid());
    CHECK(value_of("/proc/self/status", "PPid:") == getppid());
    CHECK(value_of("/proc/self/status", "NSpgid:") == getpgrp());
    CHECK(value_of("/proc/thread-self/status", "Pid:") == syscall(SYS_gettid));
    snprintf(file, sizeof file, "/proc/%d/status", (int)getpid());
    CHECK(value_of(file, "Tgid:") == getpid() && access(file, R_OK) == 0);
    snprintf(file, sizeof file, "/proc/%d/task/%ld/status", (int)getpid(), syscall(SYS_gettid));
    CHECK(value_of(file, "Pid:") == syscall(SYS_gettid));
    return arg;
}

int main(void)
{
    folder = temporary("heddle-descriptors-XXXXXX");
    CHECK(mkdtemp(folder) == folder);
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    looks(NULL);
    run(looks, NULL);
    messages();
    pages();
    timers();
    signals();
    connections();
    names();
    named_pipes();
    file_locks();
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    free(folder);
    return conclude();
}
