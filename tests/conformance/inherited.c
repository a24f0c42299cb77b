/* inherited.c - what a program made before its first thread is there, as it was left, after it.
 *
 * main makes everything, one thread uses it up. Run again in the same process it would fail: each
 * check eats what it finds.
 */
#include "check.h"
#include "temporary.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static bool shares_flags(int a, int b)
{
    int flags = fcntl(a, F_GETFL), others = fcntl(b, F_GETFL);
    bool shown;

    fcntl(a, F_SETFL, flags ^ O_NONBLOCK);
    shown = fcntl(b, F_GETFL) != others;
    fcntl(a, F_SETFL, flags);
    return shown;
}

/* What is read: n bytes, as they were written. */
static void reads(int fd, const char *what, size_t n)
{
    char got[4096];

    CHECK(read(fd, got, sizeof got) == (ssize_t)n && memcmp(got, what, n) == 0);
}

/* ---- pipes ---- */

static int empty[2], filled[2], copied[2], copy_of_end, packets[2], only_end, left_end, again[2],
    opened_again, small[2];

static void make_pipes(void)
{
    char path[40];
    int p[2];

    CHECK(pipe(empty) == 0);
    CHECK(pipe2(filled, O_CLOEXEC) == 0 && write(filled[1], "some", 4) == 4);
    CHECK(pipe2(copied, O_NONBLOCK) == 0);
    copy_of_end = dup(copied[1]);
    CHECK(pipe2(packets, O_DIRECT) == 0 && write(packets[1], "one", 3) == 3 &&
          write(packets[1], "three", 5) == 5);
    CHECK(pipe(p) == 0 && write(p[1], "end", 3) == 3 && close(p[1]) == 0);
    only_end = p[0];
    CHECK(pipe(p) == 0 && close(p[0]) == 0);
    left_end = p[1];
    CHECK(pipe(again) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", again[0]);
    opened_again = open(path, O_RDONLY | O_NONBLOCK);
    CHECK(pipe(small) == 0 && fcntl(small[1], F_SETPIPE_SZ, 4096) == 4096);
}

static void use_pipes(void)
{
    char c;

    CHECK(write(empty[1], "x", 1) == 1 && close(empty[1]) == 0);
    reads(empty[0], "x", 1);
    CHECK(read(empty[0], &c, 1) == 0);

    CHECK(fcntl(filled[0], F_GETFD) == FD_CLOEXEC && fcntl(filled[1], F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(empty[0], F_GETFD) == 0);
    reads(filled[0], "some", 4);

    CHECK(shares_flags(copied[1], copy_of_end) && !shares_flags(copied[0], copy_of_end));
    FAILS(EAGAIN, read(copied[0], &c, 1));
    CHECK(close(copied[1]) == 0);
    FAILS(EAGAIN, read(copied[0], &c, 1));
    CHECK(close(copy_of_end) == 0 && read(copied[0], &c, 1) == 0);

    reads(packets[0], "one", 3);
    reads(packets[0], "three", 5);
    CHECK(write(packets[1], "a", 1) == 1 && write(packets[1], "b", 1) == 1);
    reads(packets[0], "a", 1);

    reads(only_end, "end", 3);
    CHECK(read(only_end, &c, 1) == 0);
    FAILS(EPIPE, write(left_end, "x", 1));

    CHECK(!shares_flags(again[0], opened_again));
    CHECK((fcntl(opened_again, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_NONBLOCK);
    FAILS(EAGAIN, read(opened_again, &c, 1));
    CHECK(write(again[1], "y", 1) == 1);
    reads(opened_again, "y", 1);

    CHECK(fcntl(small[0], F_GETPIPE_SZ) == 4096);
}

/* ---- socket pairs ---- */

static int stream[2], datagrams[2], records[2], half[2], widowed, buffered[2];

static void make_pairs(void)
{
    int s[2], size = 100000;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0 && write(stream[0], "to 1", 4) == 4 &&
          write(stream[1], "to 0!", 5) == 5);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, datagrams) == 0);
    CHECK(send(datagrams[0], "one", 3, 0) == 3 && send(datagrams[0], "", 0, 0) == 0 &&
          send(datagrams[0], "three", 5, 0) == 5);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, records) == 0 &&
          send(records[1], "record", 6, 0) == 6);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, half) == 0 && write(half[0], "last", 4) == 4 &&
          shutdown(half[0], SHUT_WR) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[1], "will", 4) == 4 &&
          close(s[1]) == 0);
    widowed = s[0];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, buffered) == 0 &&
          setsockopt(buffered[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
}

static void use_pairs(void)
{
    int size = 0;
    socklen_t bytes = sizeof size;
    char c;

    reads(stream[1], "to 1", 4);
    reads(stream[0], "to 0!", 5);
    CHECK(close(stream[0]) == 0 && read(stream[1], &c, 1) == 0);

    CHECK(fcntl(datagrams[1], F_GETFD) == FD_CLOEXEC);
    reads(datagrams[1], "one", 3);
    reads(datagrams[1], "", 0);
    reads(datagrams[1], "three", 5);
    FAILS(EAGAIN, read(datagrams[1], &c, 1));
    CHECK(send(datagrams[1], "back", 4, 0) == 4);
    reads(datagrams[0], "back", 4);

    reads(records[0], "record", 6);
    CHECK(close(records[1]) == 0 && read(records[0], &c, 1) == 0);

    reads(half[1], "last", 4);
    CHECK(read(half[1], &c, 1) == 0);
    FAILS(EPIPE, send(half[0], "x", 1, MSG_NOSIGNAL));
    CHECK(write(half[1], "other way", 9) == 9);
    reads(half[0], "other way", 9);

    reads(widowed, "will", 4);
    CHECK(read(widowed, &c, 1) == 0);

    CHECK(getsockopt(buffered[0], SOL_SOCKET, SO_SNDBUF, &size, &bytes) == 0 && size == 200000);
}

/* ---- events, timers, signals ---- */

static int counter, tokens, armed, expired, signals;

static void make_events(void)
{
    struct itimerspec soon = {.it_value.tv_nsec = 1},
                      later = {.it_value = {3600, 0}, .it_interval = {7, 0}};
    sigset_t set;

    counter = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC);
    tokens = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    armed = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    expired = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    CHECK(timerfd_settime(armed, 0, &later, NULL) == 0);
    CHECK(timerfd_settime(expired, 0, &soon, NULL) == 0);
    CHECK(poll(&(struct pollfd){.fd = expired, .events = POLLIN}, 1, -1) == 1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signals = signalfd(-1, &set, SFD_NONBLOCK);
}

static void use_events(void)
{
    struct signalfd_siginfo info;
    struct itimerspec left;
    uint64_t v = 0;
    sigset_t none;

    CHECK(read(counter, &v, sizeof v) == sizeof v && v == 5);
    FAILS(EAGAIN, read(counter, &v, sizeof v));
    CHECK(fcntl(counter, F_GETFD) == FD_CLOEXEC);
    CHECK(read(tokens, &v, sizeof v) == sizeof v && v == 1);
    CHECK(read(tokens, &v, sizeof v) == sizeof v && v == 1);
    FAILS(EAGAIN, read(tokens, &v, sizeof v));

    CHECK(timerfd_gettime(armed, &left) == 0 && left.it_value.tv_sec > 3000 &&
          left.it_interval.tv_sec == 7);
    FAILS(EAGAIN, read(armed, &v, sizeof v));
    CHECK(read(expired, &v, sizeof v) == sizeof v && v == 1);
    FAILS(EAGAIN, read(expired, &v, sizeof v));
    left.it_value.tv_sec = 0;
    CHECK(timerfd_settime(armed, 0, &left, NULL) == 0);

    CHECK(raise(SIGUSR1) == 0);
    CHECK(read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
    sigemptyset(&none);
    CHECK(signalfd(signals, &none, 0) == signals);
}

/* ---- epoll sets ---- */

static int set, outer, ready_pipe[2], told_event, once_event, idle_event;

static void add_to(int ep, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = {.events = events, .data.u64 = data};

    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0);
}

static void make_sets(void)
{
    struct epoll_event e[4];

    CHECK(pipe(ready_pipe) == 0);
    told_event = eventfd(1, 0);
    once_event = eventfd(1, 0);
    idle_event = eventfd(0, 0);
    set = epoll_create1(EPOLL_CLOEXEC);
    outer = epoll_create1(0);
    add_to(set, told_event, EPOLLIN | EPOLLET, 0x1111222233334444);
    add_to(set, once_event, EPOLLIN | EPOLLONESHOT, 2);
    CHECK(epoll_wait(set, e, 4, 0) == 2);
    add_to(set, ready_pipe[0], EPOLLIN, 3);
    add_to(set, idle_event, EPOLLIN | EPOLLET, 4);
    add_to(outer, set, EPOLLIN, 5);
    CHECK(epoll_wait(outer, e, 4, 0) == 0);
}

static void use_sets(void)
{
    struct epoll_event e[4];
    uint64_t one = 1;

    CHECK(fcntl(set, F_GETFD) == FD_CLOEXEC);
    CHECK(epoll_wait(set, e, 4, 0) == 0);
    CHECK(write(ready_pipe[1], "x", 1) == 1);
    CHECK(epoll_wait(outer, e, 4, -1) == 1 && e[0].data.u64 == 5);
    CHECK(epoll_wait(set, e, 4, -1) == 1 && e[0].data.u64 == 3 && e[0].events == EPOLLIN);
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, ready_pipe[0], NULL) == 0);
    CHECK(write(told_event, &one, sizeof one) == sizeof one);
    CHECK(epoll_wait(set, e, 4, -1) == 1 && e[0].data.u64 == 0x1111222233334444);
    CHECK(epoll_wait(set, e, 4, 0) == 0);
    CHECK(write(idle_event, &one, sizeof one) == sizeof one);
    CHECK(epoll_wait(set, e, 4, -1) == 1 && e[0].data.u64 == 4);
    e[0] = (struct epoll_event){.events = EPOLLIN, .data.u64 = 6};
    CHECK(epoll_ctl(set, EPOLL_CTL_MOD, once_event, &e[0]) == 0);
    CHECK(epoll_wait(set, e, 4, -1) == 1 && e[0].data.u64 == 6);
}

/* ---- files and shared memory ---- */

static int written, appended, written_only, memory, directory;
static char *file_map, *memory_map, *anonymous, *kept_map;

static int file_with(const char *contents)
{
    char *name = temporary("heddle-inherited-XXXXXX");
    int fd = mkstemp(name);

    CHECK(fd >= 0 && unlink(name) == 0);
    free(name);
    CHECK(write(fd, contents, strlen(contents)) == (ssize_t)strlen(contents));
    return fd;
}

static void make_files(void)
{
    int fd = file_with("kept");
    char path[40];

    written = file_with("as before");
    CHECK(lseek(written, 3, SEEK_SET) == 3);
    appended = file_with("line\n");
    CHECK(fcntl(appended, F_SETFL, O_APPEND) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", written);
    written_only = open(path, O_WRONLY);
    memory = memfd_create("inherited", 0);
    CHECK(ftruncate(memory, 8192) == 0);
    memory_map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    memory_map[5000] = 'm';
    file_map = mmap(NULL, 9, PROT_READ | PROT_WRITE, MAP_SHARED, written, 0);
    anonymous = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(anonymous, "shared");
    kept_map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0); /* ends in the file */
    CHECK(close(fd) == 0);
    directory = open("/", O_RDONLY | O_DIRECTORY);
}

static void use_files(void)
{
    char got[64] = "";

    CHECK(lseek(written, 0, SEEK_CUR) == 3);
    reads(written, "before", 6);
    CHECK(memcmp(file_map, "as before", 9) == 0);
    file_map[0] = 'X';
    CHECK(pwrite(written_only, "YYYYYYYYYYYYYYYY", 16, 1) == 16);
    CHECK(pread(written, got, sizeof got, 0) == 17 && strcmp(got, "XYYYYYYYYYYYYYYYY") == 0);
    CHECK(lseek(appended, 0, SEEK_END) == 5 && write(appended, "more", 4) == 4);
    CHECK(ftruncate(appended, 2) == 0 && write(appended, "-", 1) == 1);

    CHECK(pread(memory, got, 1, 5000) == 1 && got[0] == 'm');
    memory_map[5000] = 0;
    memory_map[0] = 'z';
    CHECK(strcmp(anonymous, "shared") == 0 && memcmp(kept_map, "kept", 5) == 0);
    strcpy(anonymous, "gone");
    kept_map[0] = 0;
    CHECK(ftruncate(memory, 0) == 0);
    CHECK(lseek(directory, 0, SEEK_CUR) == 0 && lseek(directory, 1, SEEK_SET) == 1);
}

static void *use(void *unused)
{
    use_pipes();
    use_pairs();
    use_events();
    use_sets();
    use_files();
    return unused;
}

int main(void)
{
    pthread_t t;

    signal(SIGPIPE, SIG_IGN);
    make_pipes();
    make_pairs();
    make_events();
    make_sets();
    make_files();
    ANSWERS(0, pthread_create(&t, NULL, use, NULL));
    ANSWERS(0, pthread_join(t, NULL));
    return conclude();
}
