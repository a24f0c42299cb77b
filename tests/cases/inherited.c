/* What was made before the first thread is used by the threads, and some of it is used up: every schedule
 * starts from the same. inherited WHAT TWIN; a wrong one expects more than there is. */
#include "naps.h"
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static int fd[2]; /* where to read, and where to write */

static void put(int to, const char *text)
{
    assert(write(to, text, strlen(text)) == (ssize_t)strlen(text));
}

/* How much there is before the end. */
static size_t to_end(int from)
{
    char c[64];
    size_t got = 0;
    ssize_t n;

    while ((n = read(from, c, sizeof c)) > 0)
        got += (size_t)n;
    assert(n == 0);
    return got;
}

static void *puts_and_closes(void *arg)
{
    put(fd[1], "hello");
    close(fd[1]); /* the last one: the reader sees the end */
    return arg;
}

static void ends(size_t expected)
{
    pthread_t t = start(puts_and_closes, NULL);

    assert(to_end(fd[0]) == expected + (wrong ? 1 : 0));
    finish(t);
}

static void inherited_pipe_eof(void)
{
    assert(pipe(fd) == 0);
    ends(5);
}

static void inherited_pipe_full_eof(void)
{
    assert(pipe(fd) == 0);
    put(fd[1], "before");
    ends(11);
}

static void inherited_pipe_dup_eof(void)
{
    int more;

    assert(pipe(fd) == 0);
    more = dup(fd[1]);
    close(fd[1]);
    fd[1] = more;
    ends(5);
}

static void inherited_socket_eof(void)
{
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    ends(5);
}

static void tcp_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    assert(bind(s, (struct sockaddr *)&address, bytes) == 0 && listen(s, 1) == 0);
    assert(getsockname(s, (struct sockaddr *)&address, &bytes) == 0);
    fd[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert(connect(fd[1], (struct sockaddr *)&address, bytes) == 0);
    fd[0] = accept(s, NULL, NULL);
    close(s);
}

static void inherited_tcp_eof(void)
{
    tcp_pair();
    ends(5);
}

static void *puts_and_shuts(void *arg)
{
    put(fd[1], "hello");
    shutdown(fd[1], SHUT_WR);
    return arg;
}

static void inherited_shutdown(void)
{
    pthread_t t;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    t = start(puts_and_shuts, NULL);
    assert(to_end(fd[0]) == (wrong ? 6 : 5));
    finish(t);
}

/* Each of two closes an end of its own; the reader sees the end when both have. */
static void *closes_one(void *end)
{
    put(*(int *)end, "x");
    close(*(int *)end);
    return NULL;
}

static void inherited_two_writers(void)
{
    pthread_t t, u;
    int other;

    assert(pipe(fd) == 0);
    other = dup(fd[1]);
    t = start(closes_one, &fd[1]);
    u = start(closes_one, &other);
    assert(to_end(fd[0]) == (wrong ? 3 : 2));
    finish(t);
    finish(u);
}

/* Nobody reads any more: the writer is told. */
static void *closes_reader(void *arg)
{
    close(fd[0]);
    return arg;
}

static void inherited_no_reader(void)
{
    signal(SIGPIPE, SIG_IGN);
    assert(pipe(fd) == 0);
    finish(start(closes_reader, NULL));
    assert((write(fd[1], "x", 1) == -1 && errno == EPIPE) != wrong);
}

static atomic_int ready;

static void *wakes(void *arg)
{
    ready++;
    put(fd[1], "w");
    return arg;
}

/* Two bytes are written and one is read: the other goes with the pipe, and does not wake the next. */
static void woken(void)
{
    pthread_t t = start(wakes, NULL), u = start(wakes, NULL);
    char c;

    assert(read(fd[0], &c, 1) == 1);
    assert(ready > (wrong ? 1 : 0));
    finish(t);
    finish(u);
}

static void inherited_pipe_wake(void)
{
    assert(pipe(fd) == 0);
    woken();
}

static void inherited_socket_wake(void)
{
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    woken();
}

static void inherited_datagram_wake(void)
{
    assert(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
    woken();
}

/* A pool's tokens, put in before the workers start; each takes one and does not put it back. */
static void *takes_token(void *arg)
{
    char c;

    assert(read(fd[0], &c, 1) == 1);
    return arg;
}

static void inherited_tokens(void)
{
    pthread_t t, u;
    char c;

    assert(pipe2(fd, O_NONBLOCK) == 0);
    put(fd[1], "ttt");
    t = start(takes_token, NULL);
    u = start(takes_token, NULL);
    finish(t);
    finish(u);
    assert(read(fd[0], &c, 1) == 1);
    assert(read(fd[0], &c, 1) == (wrong ? 1 : -1));
}

static void *adds(void *arg)
{
    assert(eventfd_write(fd[1], 1) == 0);
    return arg;
}

static void inherited_eventfd(void)
{
    eventfd_t v;

    fd[1] = eventfd(3, 0);
    finish(start(adds, NULL));
    assert(eventfd_read(fd[1], &v) == 0 && v == (wrong ? 5 : 4));
}

static void *takes_unit(void *arg)
{
    eventfd_t v;

    assert(eventfd_read(fd[1], &v) == 0 && v == 1);
    return arg;
}

static void inherited_eventfd_units(void)
{
    pthread_t t, u;
    eventfd_t v;

    fd[1] = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    t = start(takes_unit, NULL);
    u = start(takes_unit, NULL);
    finish(t);
    finish(u);
    assert((eventfd_read(fd[1], &v) == 0) == wrong);
}

static void *waits_for_timer(void *arg)
{
    uint64_t times;

    assert(read(fd[0], &times, sizeof times) == sizeof times);
    assert(times == (wrong ? 2 : 1));
    return arg;
}

static void inherited_timerfd(void)
{
    struct itimerspec soon = {.it_value = nap_time()};

    fd[0] = timerfd_create(CLOCK_MONOTONIC, 0);
    assert(timerfd_settime(fd[0], 0, &soon, NULL) == 0);
    finish(start(waits_for_timer, NULL));
}

static void *waits_for_alarm(void *arg)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    assert(sigwait(&set, &sig) == 0 && sig == (wrong ? SIGHUP : SIGALRM));
    return arg;
}

static void inherited_itimer(void)
{
    alarm_in_nap();
    finish(start(waits_for_alarm, NULL));
}

static void inherited_pending_signal(void)
{
    kill(getpid(), SIGALRM); /* blocked everywhere */
    finish(start(waits_for_alarm, NULL));
}

static void *reads_signal(void *arg)
{
    struct signalfd_siginfo info;

    assert(read(fd[0], &info, sizeof info) == sizeof info);
    assert(info.ssi_signo == (wrong ? SIGHUP : SIGALRM));
    return arg;
}

static void inherited_signalfd(void)
{
    pthread_t t;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    fd[0] = signalfd(-1, &set, 0);
    t = start(reads_signal, NULL);
    kill(getpid(), SIGALRM);
    finish(t);
}

/* A set whose only member is taken out at the end: it is in again for the next. */
static void epoll_with(uint32_t events, bool removes)
{
    struct epoll_event event = {.events = EPOLLIN | events}, out;
    pthread_t t;
    eventfd_t v;
    int set = epoll_create1(0);

    fd[1] = eventfd(0, EFD_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &event);
    t = start(adds, NULL);
    assert(epoll_wait(set, &out, 1, -1) == 1);
    assert(eventfd_read(fd[1], &v) == 0);
    assert(v == (wrong ? 2 : 1));
    if (removes)
        assert(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], NULL) == 0);
    finish(t);
}

static void inherited_epoll(void)
{
    epoll_with(0, true);
}

static void inherited_epoll_oneshot(void)
{
    epoll_with(EPOLLONESHOT, false);
}

static void inherited_epoll_edge(void)
{
    epoll_with(EPOLLET, false);
}

/* The set is filled by the thread, and so by every schedule anew. */
static void *adds_to_set(void *arg)
{
    struct epoll_event event = {.events = EPOLLIN};

    assert(epoll_ctl(fd[0], EPOLL_CTL_ADD, fd[1], &event) == 0);
    assert(eventfd_write(fd[1], 1) == 0);
    return arg;
}

static void inherited_epoll_empty(void)
{
    struct epoll_event out;
    pthread_t t;
    eventfd_t v;

    fd[0] = epoll_create1(0);
    fd[1] = eventfd(0, 0);
    t = start(adds_to_set, NULL);
    assert(epoll_wait(fd[0], &out, 1, -1) == 1);
    assert(eventfd_read(fd[1], &v) == 0 && v == (wrong ? 2 : 1));
    finish(t);
}

static char path[] = "case-XXXXXX";

static void temporary_file(const char *text)
{
    fd[0] = fd[1] = mkstemp(path);
    assert(fd[0] != -1);
    put(fd[0], text);
}

static int *counter;

static void *counts(void *arg)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    return arg;
}

static void counted(void)
{
    counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0], 0);
    assert(counter != MAP_FAILED);
    finish(start(counts, NULL));
    assert(*counter == (wrong ? 2 : 1));
}

static void inherited_mapped_file(void)
{
    temporary_file("\0\0\0\0");
    assert(ftruncate(fd[0], sizeof *counter) == 0);
    unlink(path);
    counted();
}

static void inherited_memfd(void)
{
    fd[0] = memfd_create("case", 0);
    assert(fd[0] != -1 && ftruncate(fd[0], sizeof *counter) == 0);
    counted();
}

static void inherited_shm(void)
{
    char name[64];

    snprintf(name, sizeof name, "/heddle-case-%d", (int)getpid());
    fd[0] = shm_open(name, O_CREAT | O_RDWR, 0600);
    assert(fd[0] != -1 && ftruncate(fd[0], sizeof *counter) == 0);
    shm_unlink(name);
    counted();
}

/* Where a file is to be read next is the same for all who have it open. */
static void *reads_on(void *arg)
{
    char c;

    assert(read(fd[0], &c, 1) == 1 && c == (wrong ? 'c' : 'b'));
    return arg;
}

static void inherited_offset(void)
{
    char c;

    temporary_file("abc");
    unlink(path);
    lseek(fd[0], 0, SEEK_SET);
    assert(read(fd[0], &c, 1) == 1 && c == 'a');
    finish(start(reads_on, NULL));
}

static FILE *stream;

static void *reads_line(void *arg)
{
    char line[16];

    assert(fgets(line, sizeof line, stream) && strcmp(line, wrong ? "one\n" : "two\n") == 0);
    return arg;
}

static void inherited_stream(void)
{
    char line[16];

    stream = tmpfile();
    assert(stream);
    fputs("one\ntwo\n", stream);
    rewind(stream);
    setvbuf(stream, NULL, _IONBF, 0);
    assert(fgets(line, sizeof line, stream));
    finish(start(reads_line, NULL));
}

static void *appends(void *arg)
{
    put(fd[1], "x");
    return arg;
}

static void inherited_append(void)
{
    struct stat now;

    temporary_file("abc");
    unlink(path);
    finish(start(appends, NULL));
    assert(fstat(fd[1], &now) == 0 && now.st_size == (wrong ? 5 : 4));
}

static void *removes(void *arg)
{
    assert(unlink(path) == 0);
    return arg;
}

/* A file with a name, which is there for each schedule, and which each removes. */
static void inherited_file_removed(void)
{
    temporary_file("abc");
    finish(start(removes, NULL));
    assert((access(path, F_OK) == 0) == wrong);
}

static void *creates(void *arg)
{
    int made = open("made", O_CREAT | O_EXCL | O_RDWR, 0600);

    assert(made != -1);
    close(made);
    return arg;
}

/* One that a thread makes: it is not there for the next. */
static void inherited_file_made(void)
{
    finish(start(creates, NULL));
    assert(access("made", F_OK) == (wrong ? -1 : 0));
    unlink("made");
}

static void *unlocks(void *arg)
{
    assert(flock(fd[0], LOCK_UN) == 0);
    return arg;
}

static void inherited_flock(void)
{
    int other;

    temporary_file("abc");
    other = open(path, O_RDWR);
    unlink(path);
    assert(flock(fd[0], LOCK_EX) == 0);
    finish(start(unlocks, NULL));
    assert((flock(other, LOCK_EX | LOCK_NB) == 0) != wrong);
}

static int queue;

static void *receives(void *arg)
{
    struct {
        long type;
        char text[8];
    } message;

    assert(msgrcv(queue, &message, sizeof message.text, 0, 0) == 1);
    return arg;
}

static void inherited_message_queue(void)
{
    struct {
        long type;
        char text[8];
    } message = {1, "m"};
    struct msqid_ds now;

    queue = msgget(IPC_PRIVATE, 0600);
    assert(queue != -1 && msgsnd(queue, &message, 1, 0) == 0);
    finish(start(receives, NULL));
    assert(msgctl(queue, IPC_STAT, &now) == 0);
    msgctl(queue, IPC_RMID, NULL);
    assert(now.msg_qnum == (wrong ? 1 : 0));
}

static mqd_t posix_queue;

static void *takes_message(void *arg)
{
    char text[8];

    assert(mq_receive(posix_queue, text, sizeof text, NULL) == 1);
    return arg;
}

static void inherited_mq(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8}, now;
    char name[64];

    snprintf(name, sizeof name, "/heddle-case-%d", (int)getpid());
    posix_queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
    assert(posix_queue != (mqd_t)-1);
    mq_unlink(name);
    assert(mq_send(posix_queue, "m", 1, 0) == 0);
    finish(start(takes_message, NULL));
    assert(mq_getattr(posix_queue, &now) == 0 && now.mq_curmsgs == (wrong ? 1 : 0));
}

static int set;

static void *takes_all(void *arg)
{
    struct sembuf take = {.sem_op = -2};

    assert(semop(set, &take, 1) == 0);
    return arg;
}

static void inherited_semaphore_set(void)
{
    int now;

    set = semget(IPC_PRIVATE, 1, 0600);
    assert(set != -1 && semctl(set, 0, SETVAL, 2) == 0);
    finish(start(takes_all, NULL));
    now = semctl(set, 0, GETVAL);
    semctl(set, 0, IPC_RMID);
    assert(now == (wrong ? 2 : 0));
}

static void *makes_file(void *arg)
{
    close(open("watched", O_CREAT | O_RDWR, 0600));
    return arg;
}

static void inherited_inotify(void)
{
    char events[512];
    pthread_t t;

    fd[0] = inotify_init1(0);
    assert(inotify_add_watch(fd[0], ".", IN_CREATE) != -1);
    t = start(makes_file, NULL);
    assert(read(fd[0], events, sizeof events) > 0);
    assert(strcmp(((struct inotify_event *)(void *)events)->name, wrong ? "other" : "watched") ==
           0);
    finish(t);
    unlink("watched");
}

/* Names of this folder, which each schedule makes. */
static void *makes_folder(void *arg)
{
    assert(mkdir("folder", 0700) == 0);
    return arg;
}

static void inherited_folder_made(void)
{
    finish(start(makes_folder, NULL));
    assert(access("folder", F_OK) == (wrong ? -1 : 0));
    rmdir("folder");
}

static void *renames(void *arg)
{
    assert(rename("old", "new") == 0);
    return arg;
}

static void inherited_renamed(void)
{
    int made = open("old", O_CREAT | O_EXCL | O_RDWR, 0600);

    assert(made != -1);
    close(made);
    finish(start(renames, NULL));
    assert(access("old", F_OK) == (wrong ? 0 : -1));
    unlink("new");
}

static void *writes_to_fifo(void *arg)
{
    int to = open("fifo", O_WRONLY);

    put(to, "hello");
    close(to);
    return arg;
}

static void inherited_fifo(void)
{
    pthread_t t;

    assert(mkfifo("fifo", 0600) == 0);
    t = start(writes_to_fifo, NULL);
    fd[0] = open("fifo", O_RDONLY);
    assert(to_end(fd[0]) == (wrong ? 6 : 5));
    finish(t);
    unlink("fifo");
}

static struct sockaddr_un local = {.sun_family = AF_UNIX};

static void *connects_here(void *text)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    assert(connect(s, (struct sockaddr *)&local, sizeof local) == 0);
    put(s, text);
    close(s);
    return NULL;
}

static void serves_here(const char *name)
{
    pthread_t t;
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(local.sun_path, name, 7);
    assert(bind(s, (struct sockaddr *)&local, sizeof local) == 0 && listen(s, 4) == 0);
    t = start(connects_here, "hello");
    fd[0] = accept(s, NULL, NULL);
    assert(fd[0] != -1 && to_end(fd[0]) == (wrong ? 6 : 5));
    finish(t);
}

static void inherited_local_socket(void)
{
    serves_here("socket");
    unlink("socket");
}

/* A name that is not in the file system. */
static void inherited_abstract_socket(void)
{
    char name[7] = "";

    for (int i = 1, n = (int)getpid(); i < 7; i++, n /= 10)
        name[i] = (char)('a' + n % 10);
    serves_here(name);
}

/* A datagram that waits, which the kernel lets nobody put back: --fresh makes it anew. */
static void *takes_datagram(void *arg)
{
    char text[8];

    assert(recv(fd[0], text, sizeof text, 0) == (wrong ? 4 : 5));
    return arg;
}

static void inherited_udp_queue(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof to;

    fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
    assert(bind(fd[0], (struct sockaddr *)&to, bytes) == 0);
    assert(getsockname(fd[0], (struct sockaddr *)&to, &bytes) == 0);
    assert(sendto(fd[0], "hello", 5, 0, (struct sockaddr *)&to, bytes) == 5);
    finish(start(takes_datagram, NULL));
}

static int listening;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void *connects(void *text)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);

    assert(connect(s, (struct sockaddr *)&address, sizeof address) == 0);
    put(s, text);
    close(s);
    return NULL;
}

static void listens(void)
{
    socklen_t bytes = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = socket(AF_INET, SOCK_STREAM, 0);
    assert(bind(listening, (struct sockaddr *)&address, bytes) == 0 && listen(listening, 8) == 0);
    assert(getsockname(listening, (struct sockaddr *)&address, &bytes) == 0);
}

static void serve(size_t bytes)
{
    int s = accept(listening, NULL, NULL);

    assert(s != -1);
    assert(to_end(s) == bytes);
    close(s);
}

static void inherited_listening(void)
{
    pthread_t t;

    listens();
    t = start(connects, "client");
    serve(wrong ? 7 : 6);
    finish(t);
}

/* Two clients, of whom one is served: the other is not there for the next schedule. */
static void inherited_backlog(void)
{
    pthread_t t, u;

    listens();
    t = start(connects, "client");
    finish(t);
    u = start(connects, "another");
    serve(wrong ? 7 : 6);
    finish(u);
}

/* A server that is told to stop by a shutdown of the socket it listens on: the next schedule's still does. */
static int served;

static void *serves_until_shut(void *arg)
{
    int s;

    while ((s = accept(listening, NULL, NULL)) != -1) {
        served += to_end(s) == 6;
        close(s);
    }
    return arg;
}

static void shut(void *(*client)(void *))
{
    pthread_t t = start(serves_until_shut, NULL);

    finish(start(client, "client"));
    while (!served)
        usleep(1000);
    assert(shutdown(listening, SHUT_RDWR) == 0);
    finish(t);
    assert(served == (wrong ? 2 : 1));
}

static void inherited_shut_tcp(void)
{
    listens();
    shut(connects);
}

static socklen_t local_bytes;

static void *connects_to_name(void *text)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    assert(connect(s, (struct sockaddr *)&local, local_bytes) == 0);
    put(s, text);
    close(s);
    return NULL;
}

static void inherited_shut(void)
{
    socklen_t bytes = sizeof local;

    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    assert(bind(listening, (struct sockaddr *)&local, sizeof(sa_family_t)) == 0 &&
           listen(listening, 8) == 0 &&
           getsockname(listening, (struct sockaddr *)&local, &bytes) == 0);
    local_bytes = bytes;
    shut(connects_to_name);
}

/* A child made before the threads, which answers them. */
static void *asks(void *arg)
{
    char c;

    put(fd[0], "q");
    assert(read(fd[0], &c, 1) == 1 && c == (wrong ? 'q' : 'a'));
    return arg;
}

static void inherited_child(void)
{
    pid_t child;
    char c;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    child = fork();
    if (child == 0) {
        close(fd[0]);
        while (read(fd[1], &c, 1) == 1)
            put(fd[1], "a");
        _exit(0);
    }
    close(fd[1]);
    finish(start(asks, NULL));
    close(fd[0]);
    assert(waitpid(child, NULL, 0) == child);
}

/* How a descriptor was made is kept. */
static void *looks_at_flags(void *arg)
{
    assert(fcntl(fd[0], F_GETFD) == FD_CLOEXEC);
    assert(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
    assert(!(fcntl(fd[1], F_GETFL) & O_NONBLOCK) != wrong);
    return arg;
}

static void inherited_flags(void)
{
    assert(pipe2(fd, O_CLOEXEC | O_NONBLOCK) == 0);
    assert(fcntl(fd[1], F_SETFL, 0) == 0);
    finish(start(looks_at_flags, NULL));
}

static void *fills(void *arg)
{
    static char block[100000];

    assert(write(fd[1], block, sizeof block) == (wrong ? 65536 : (ssize_t)sizeof block));
    return arg;
}

static void inherited_pipe_size(void)
{
    assert(pipe2(fd, O_NONBLOCK) == 0);
    assert(fcntl(fd[1], F_SETPIPE_SZ, 1 << 17) != -1);
    finish(start(fills, NULL));
}

static void *gives_up(void *arg)
{
    char c;

    assert((recv(fd[0], &c, 1, 0) == -1 && errno == EAGAIN) != wrong);
    return arg;
}

static void inherited_socket_timeout(void)
{
    struct timeval t = {0, nap_ms * 1000};

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    assert(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
    finish(start(gives_up, NULL));
}

static void inherited_epoll_data(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0}, out;
    pthread_t t;
    int all = epoll_create1(0);

    fd[1] = eventfd(0, 0);
    assert(epoll_ctl(all, EPOLL_CTL_ADD, fd[1], &event) == 0);
    t = start(adds, NULL);
    assert(epoll_wait(all, &out, 1, -1) == 1);
    assert(out.data.u64 == event.data.u64 + (wrong ? 1 : 0));
    finish(t);
}

/* The program has closed what others take for granted. */
static void *makes_pipe(void *arg)
{
    char c;

    assert(pipe(fd) == 0);
    put(fd[1], "x");
    assert(read(fd[0], &c, 1) == 1 && c == (wrong ? 'y' : 'x'));
    return arg;
}

static void inherited_no_stdin(void)
{
    close(STDIN_FILENO);
    finish(start(makes_pipe, NULL));
}

static void inherited_no_stdout(void)
{
    close(STDOUT_FILENO);
    finish(start(makes_pipe, NULL));
}

static void inherited_no_standard(void)
{
    FILE *own = fopen("/dev/null", "w");

    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if (!wrong) /* where the assertion is to be read */
        close(STDERR_FILENO);
    finish(start(makes_pipe, NULL));
    fclose(own);
}

static void inherited_few_descriptors(void)
{
    struct rlimit few = {16, 16};

    assert(setrlimit(RLIMIT_NOFILE, &few) == 0);
    finish(start(makes_pipe, NULL));
}

/* Locks that main took before there was another thread, and gives back when there is. */
static pthread_mutex_t held;
static pthread_rwlock_t held_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int done;

static void *wants_held(void *arg)
{
    assert(pthread_mutex_lock(&held) == 0);
    done++;
    assert(pthread_mutex_unlock(&held) == 0);
    return arg;
}

static void hold(int type, int robust)
{
    pthread_mutexattr_t attr;
    pthread_t t;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutexattr_setrobust(&attr, robust);
    pthread_mutex_init(&held, &attr);
    assert(pthread_mutex_lock(&held) == 0);
    t = start(wants_held, NULL);
    if (type == PTHREAD_MUTEX_RECURSIVE) {
        assert(pthread_mutex_lock(&held) == 0);
        assert(pthread_mutex_unlock(&held) == 0);
    }
    if (type == PTHREAD_MUTEX_ERRORCHECK)
        assert(pthread_mutex_lock(&held) == EDEADLK);
    assert(done == 0);
    assert(pthread_mutex_unlock(&held) == 0);
    finish(t);
    assert(done == (wrong ? 2 : 1));
}

static void inherited_held_mutex(void)
{
    hold(PTHREAD_MUTEX_DEFAULT, PTHREAD_MUTEX_STALLED);
}

static void inherited_held_recursive(void)
{
    hold(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
}

static void inherited_held_errorcheck(void)
{
    hold(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
}

static void inherited_held_robust(void)
{
    hold(PTHREAD_MUTEX_DEFAULT, PTHREAD_MUTEX_ROBUST);
}

static void *wants_rwlock(void *arg)
{
    assert(pthread_rwlock_wrlock(&held_rwlock) == 0);
    done++;
    assert(pthread_rwlock_unlock(&held_rwlock) == 0);
    return arg;
}

static void hold_rwlock(int (*lock)(pthread_rwlock_t *))
{
    pthread_t t;

    assert(lock(&held_rwlock) == 0);
    t = start(wants_rwlock, NULL);
    assert(done == 0);
    assert(pthread_rwlock_unlock(&held_rwlock) == 0);
    finish(t);
    assert(done == (wrong ? 2 : 1));
}

static void inherited_held_for_writing(void)
{
    hold_rwlock(pthread_rwlock_wrlock);
}

static void inherited_held_for_reading(void)
{
    hold_rwlock(pthread_rwlock_rdlock);
}

static const struct variant all[] = {
    VARIANT(inherited, pipe_eof),
    VARIANT(inherited, pipe_full_eof),
    VARIANT(inherited, pipe_dup_eof),
    VARIANT(inherited, socket_eof),
    VARIANT(inherited, tcp_eof),
    VARIANT(inherited, shutdown),
    VARIANT(inherited, two_writers),
    VARIANT(inherited, no_reader),
    VARIANT(inherited, pipe_wake),
    VARIANT(inherited, socket_wake),
    VARIANT(inherited, datagram_wake),
    VARIANT(inherited, tokens),
    VARIANT(inherited, eventfd),
    VARIANT(inherited, eventfd_units),
    VARIANT(inherited, timerfd),
    VARIANT(inherited, itimer),
    VARIANT(inherited, pending_signal),
    VARIANT(inherited, signalfd),
    VARIANT(inherited, epoll),
    VARIANT(inherited, epoll_oneshot),
    VARIANT(inherited, epoll_edge),
    VARIANT(inherited, epoll_empty),
    VARIANT(inherited, mapped_file),
    VARIANT(inherited, memfd),
    VARIANT(inherited, shm),
    VARIANT(inherited, offset),
    VARIANT(inherited, stream),
    VARIANT(inherited, append),
    VARIANT(inherited, file_removed),
    VARIANT(inherited, file_made),
    VARIANT(inherited, flock),
    VARIANT(inherited, message_queue),
    VARIANT(inherited, mq),
    VARIANT(inherited, semaphore_set),
    VARIANT(inherited, inotify),
    VARIANT(inherited, folder_made),
    VARIANT(inherited, renamed),
    VARIANT(inherited, fifo),
    VARIANT(inherited, local_socket),
    VARIANT(inherited, abstract_socket),
    VARIANT(inherited, udp_queue),
    VARIANT(inherited, listening),
    VARIANT(inherited, backlog),
    VARIANT(inherited, shut),
    VARIANT(inherited, shut_tcp),
    VARIANT(inherited, child),
    VARIANT(inherited, flags),
    VARIANT(inherited, pipe_size),
    VARIANT(inherited, socket_timeout),
    VARIANT(inherited, epoll_data),
    VARIANT(inherited, no_stdin),
    VARIANT(inherited, no_stdout),
    VARIANT(inherited, held_mutex),
    VARIANT(inherited, held_recursive),
    VARIANT(inherited, held_errorcheck),
    VARIANT(inherited, held_robust),
    VARIANT(inherited, held_for_writing),
    VARIANT(inherited, held_for_reading),
    VARIANT(inherited, no_standard),
    VARIANT(inherited, few_descriptors),
};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    naps_begin();
    PICK(all, argv[1])->run();
    return 0;
}
