/* The same for what is no descriptor that one writes to: x is written before one thread tells the kernel, and read
 * after another was told: handed BY TWIN. A wrong one writes x after that. Built with heddle-cc. */
#include "naps.h"
#include <aio.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static int x, fd[2], queue, set;
static mqd_t posix_queue;
static sigset_t alarms;
static pthread_t taker;
static pid_t child;
static struct sockaddr_in address = {.sin_family = AF_INET};
static char path[] = "case-XXXXXX";

static void nothing(void)
{
}

static void make_mq(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    char name[64];

    snprintf(name, sizeof name, "/heddle-case-%d", (int)getpid());
    posix_queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
    assert(posix_queue != (mqd_t)-1);
    mq_unlink(name);
}

static void give_mq(void)
{
    assert(mq_send(posix_queue, "m", 1, 0) == 0);
}

static void take_mq(void)
{
    char text[8];

    assert(mq_receive(posix_queue, text, sizeof text, NULL) == 1);
}

static void give_mq_timed(void)
{
    struct timespec t = in_ms(CLOCK_REALTIME, 10000);

    assert(mq_timedsend(posix_queue, "m", 1, 0, &t) == 0);
}

static void take_mq_timed(void)
{
    struct timespec t = in_ms(CLOCK_REALTIME, 10000);
    char text[8];

    assert(mq_timedreceive(posix_queue, text, sizeof text, NULL, &t) == 1);
}

static struct {
    long type;
    char text[8];
} message = {1, "m"}, received;

static void make_msg(void)
{
    queue = msgget(IPC_PRIVATE, 0600);
    assert(queue != -1);
}

static void give_msg(void)
{
    assert(msgsnd(queue, &message, 1, 0) == 0);
}

static void take_msg(void)
{
    assert(msgrcv(queue, &received, sizeof received.text, 0, 0) == 1);
    msgctl(queue, IPC_RMID, NULL);
}

static void give_msg_nowait(void)
{
    assert(msgsnd(queue, &message, 1, IPC_NOWAIT) == 0);
}

static void take_msg_nowait(void)
{
    while (msgrcv(queue, &received, sizeof received.text, 0, IPC_NOWAIT) != 1)
        sched_yield();
    msgctl(queue, IPC_RMID, NULL);
}

static void make_semop(void)
{
    set = semget(IPC_PRIVATE, 1, 0600);
    assert(set != -1);
}

static void give_semop(void)
{
    struct sembuf give = {.sem_op = 1};

    assert(semop(set, &give, 1) == 0);
}

static void take_semop(void)
{
    struct sembuf take = {.sem_op = -1};

    assert(semop(set, &take, 1) == 0);
    semctl(set, 0, IPC_RMID);
}

static void make_timerfd(void)
{
    fd[0] = timerfd_create(CLOCK_MONOTONIC, 0);
}

static void give_timerfd(void)
{
    struct itimerspec t = {.it_value = nap_time()};

    assert(timerfd_settime(fd[0], 0, &t, NULL) == 0);
}

static void take_timerfd(void)
{
    uint64_t times;

    assert(read(fd[0], &times, sizeof times) == sizeof times);
}

static void make_signalfd(void)
{
    fd[0] = signalfd(-1, &alarms, 0);
}

static void give_kill(void)
{
    kill(getpid(), SIGALRM);
}

static void give_pthread_kill(void)
{
    pthread_kill(taker, SIGALRM);
}

static void give_sigqueue(void)
{
    sigqueue(getpid(), SIGALRM, (union sigval){.sival_int = 1});
}

static void take_signalfd(void)
{
    struct signalfd_siginfo info;

    assert(read(fd[0], &info, sizeof info) == sizeof info);
}

static void take_sigwait(void)
{
    int sig;

    assert(sigwait(&alarms, &sig) == 0);
}

static void take_sigtimedwait_polls(void)
{
    static const struct timespec none;

    while (sigtimedwait(&alarms, NULL, &none) != SIGALRM)
        sched_yield();
}

static void give_itimer(void)
{
    alarm_in_nap();
}

static void make_accept(void)
{
    socklen_t bytes = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert(bind(fd[0], (struct sockaddr *)&address, bytes) == 0 && listen(fd[0], 1) == 0);
    assert(getsockname(fd[0], (struct sockaddr *)&address, &bytes) == 0);
}

static void give_connect(void)
{
    fd[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert(connect(fd[1], (struct sockaddr *)&address, sizeof address) == 0);
}

static void take_accept(void)
{
    assert(accept(fd[0], NULL, NULL) != -1);
}

static void take_accept4(void)
{
    assert(accept4(fd[0], NULL, NULL, SOCK_CLOEXEC) != -1);
}

/* A child that ends when it is told, and whose end is seen. */
static void make_child(void)
{
    char c;

    assert(pipe(fd) == 0);
    child = fork();
    assert(child != -1); /* kill() would take it for everybody */
    if (child == 0) {
        close(fd[1]);
        _exit(read(fd[0], &c, 1) != 1);
    }
    close(fd[0]);
}

static void give_child(void)
{
    assert(write(fd[1], "x", 1) == 1);
}

static void give_child_killed(void)
{
    kill(child, SIGTERM);
}

static void take_waitpid(void)
{
    assert(waitpid(child, NULL, 0) == child);
}

static void take_waitid(void)
{
    siginfo_t info;

    assert(waitid(P_PID, (id_t)child, &info, WEXITED) == 0);
}

static void take_wait_nohang(void)
{
    while (waitpid(child, NULL, WNOHANG) == 0)
        usleep(100);
}

/* Room in a full pipe. */
static void make_full(void)
{
    static char page[4096];

    assert(pipe2(fd, O_NONBLOCK) == 0);
    while (write(fd[1], page, sizeof page) == sizeof page)
        ;
    assert(fcntl(fd[1], F_SETFL, 0) == 0);
}

static void give_room(void)
{
    static char page[4096];

    assert(read(fd[0], page, sizeof page) == sizeof page);
}

static void take_room(void)
{
    assert(write(fd[1], "x", 1) == 1);
}

static void take_poll_room(void)
{
    struct pollfd ready = {fd[1], POLLOUT, 0};

    assert(poll(&ready, 1, -1) == 1);
}

/* The same where nobody has found it full, and in queues. */
static void make_filled(void)
{
    static char page[4096];

    assert(pipe(fd) == 0);
    for (long room = fcntl(fd[1], F_GETPIPE_SZ); room > 0; room -= (long)sizeof page)
        assert(write(fd[1], page, sizeof page) == sizeof page);
}

static void make_full_mq(void)
{
    make_mq();
    give_mq(); /* it takes one */
}

static void make_full_msg(void)
{
    make_msg();
    while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0)
        ;
}

static void give_msg_room(void)
{
    assert(msgrcv(queue, &received, sizeof received.text, 0, 0) == sizeof received.text);
}

static void take_msg_room(void)
{
    assert(msgsnd(queue, &message, sizeof message.text, 0) == 0);
    msgctl(queue, IPC_RMID, NULL);
}

/* A lock of the file system, held since before. */
static void make_flock(void)
{
    fd[0] = mkstemp(path);
    assert(fd[0] != -1);
    fd[1] = open(path, O_RDWR);
    unlink(path);
    assert(flock(fd[1], LOCK_EX) == 0);
}

/* A file without a name, which is open before the threads; it is the schedule's own all the same. */
static void make_memory_flock(void)
{
    char name[32];

    fd[0] = memfd_create("locked", 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd[0]);
    fd[1] = open(name, O_RDWR);
    assert(fd[0] != -1 && fd[1] != -1 && flock(fd[1], LOCK_EX) == 0);
}

static void give_flock(void)
{
    assert(flock(fd[1], LOCK_UN) == 0);
}

static void give_flock_close(void)
{
    close(fd[1]);
}

static void take_flock(void)
{
    assert(flock(fd[0], LOCK_EX) == 0);
}

static void take_flock_nowait(void)
{
    while (flock(fd[0], LOCK_EX | LOCK_NB) == -1)
        usleep(100);
}

static int ofd(int file, int command, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

    return fcntl(file, command, &lock);
}

static void make_ofd(void)
{
    fd[0] = mkstemp(path);
    assert(fd[0] != -1);
    fd[1] = open(path, O_RDWR);
    unlink(path);
    assert(ofd(fd[1], F_OFD_SETLK, F_WRLCK) == 0);
}

static void give_ofd(void)
{
    assert(ofd(fd[1], F_OFD_SETLK, F_UNLCK) == 0);
}

static void take_ofd(void)
{
    assert(ofd(fd[0], F_OFD_SETLKW, F_WRLCK) == 0);
}

/* Two aio requests append to one file, in the order in which they were made. */
static struct aiocb request;

static void make_aio(void)
{
    FILE *f = tmpfile();

    assert(f);
    fd[0] = dup(fileno(f));
    fclose(f);
    assert(fcntl(fd[0], F_SETFL, O_APPEND) == 0);
}

static sem_t made_request;

static void give_aio(void)
{
    request = (struct aiocb){.aio_fildes = fd[0], .aio_buf = (void *)"x", .aio_nbytes = 1};
    assert(aio_write(&request) == 0);
    sem_post(&made_request);
}

static void take_aio(void)
{
    const struct aiocb *const all[] = {&request};

    sem_wait(&made_request);
    while (aio_error(&request) == EINPROGRESS)
        aio_suspend(all, 1, NULL);
    assert(aio_return(&request) == 1);
}

/* Three, of which the last is waited for: they are made in this order, and nobody's race. */
static struct aiocb appended[3];

static void give_append(void)
{
    for (int i = 0; i < 3; i++) {
        appended[i] = (struct aiocb){
            .aio_fildes = fd[0], .aio_buf = (void *)(uintptr_t) & "abc"[i], .aio_nbytes = 1};
        assert(aio_write(&appended[i]) == 0);
    }
    sem_post(&made_request);
}

static void take_append(void)
{
    const struct aiocb *const last[] = {&appended[2]};
    char text[4] = "";

    sem_wait(&made_request);
    while (aio_error(&appended[2]) == EINPROGRESS)
        aio_suspend(last, 1, NULL);
    assert(aio_return(&appended[2]) == 1);
    assert(pread(fd[0], text, 3, 0) == 3 && strcmp(text, "abc") == 0);
}

static void aio_done(union sigval value)
{
    sem_post(value.sival_ptr);
}

/* Written by the thread that reads the file, told by a completion. */
static void give_aio_notify(void)
{
    request = (struct aiocb){.aio_fildes = fd[0], .aio_buf = (void *)"x", .aio_nbytes = 1};
    request.aio_sigevent.sigev_notify = SIGEV_THREAD;
    request.aio_sigevent.sigev_notify_function = aio_done;
    request.aio_sigevent.sigev_value.sival_ptr = &made_request;
    assert(aio_write(&request) == 0);
}

static void take_aio_notify(void)
{
    sem_wait(&made_request);
}

static const struct way {
    const char *name;
    void (*make)(void), (*give)(void), (*take)(void);
} ways[] = {
    {"mq", make_mq, give_mq, take_mq},
    {"mq_timed", make_mq, give_mq_timed, take_mq_timed},
    {"msg", make_msg, give_msg, take_msg},
    {"msg_nowait", make_msg, give_msg_nowait, take_msg_nowait},
    {"semop", make_semop, give_semop, take_semop},
    {"timerfd", make_timerfd, give_timerfd, take_timerfd},
    {"kill_signalfd", make_signalfd, give_kill, take_signalfd},
    {"kill_sigwait", nothing, give_kill, take_sigwait},
    {"pthread_kill", nothing, give_pthread_kill, take_sigwait},
    {"sigqueue", nothing, give_sigqueue, take_sigwait},
    {"sigtimedwait_polls", nothing, give_kill, take_sigtimedwait_polls},
    {"itimer", nothing, give_itimer, take_sigwait},
    {"connect_accept", make_accept, give_connect, take_accept},
    {"connect_accept4", make_accept, give_connect, take_accept4},
    {"waitpid", make_child, give_child, take_waitpid},
    {"waitid", make_child, give_child_killed, take_waitid},
    {"wait_nohang", make_child, give_child, take_wait_nohang},
    {"room", make_full, give_room, take_room},
    {"poll_room", make_full, give_room, take_poll_room},
    {"filled_room", make_filled, give_room, take_room},
    {"mq_room", make_full_mq, take_mq, give_mq},
    {"msg_room", make_full_msg, give_msg_room, take_msg_room},
    {"flock", make_flock, give_flock, take_flock},
    {"flock_close", make_flock, give_flock_close, take_flock},
    {"memory_flock", make_memory_flock, give_flock_close, take_flock},
    {"flock_nowait", make_flock, give_flock, take_flock_nowait},
    {"ofd_lock", make_ofd, give_ofd, take_ofd},
    {"aio", make_aio, give_aio, take_aio},
    {"aio_append", make_aio, give_append, take_append},
    {"aio_notify", make_aio, give_aio_notify, take_aio_notify},
};
static const struct way *way;

static void *producer(void *arg)
{
    if (!wrong)
        x = 42;
    way->give();
    if (wrong)
        x = 42;
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;
    int got;

    arguments(argc, argv, 1);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, argv[1]) == 0)
            way = &ways[i];
    if (!way)
        return 2;
    naps_begin();
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sem_init(&made_request, 0, 0);
    taker = pthread_self();
    way->make();
    t = start(producer, NULL);
    way->take();
    got = x;
    finish(t);
    return !wrong && got != 42;
}
