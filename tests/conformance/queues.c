/* queues.c - POSIX and System V message queues, asynchronous input and output. */
#include "check.h"
#include "temporary.h"

#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/msg.h>
#include <unistd.h>

static mqd_t queue;
static char name[64];
static pthread_t main_thread;

static mqd_t open_queue(int flags)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16};

    return mq_open(name, O_CREAT | O_RDWR | flags, 0600, &attr);
}

static void by_priority(void)
{
    char text[16];
    struct mq_attr attr;
    unsigned priority = 99;

    queue = open_queue(O_EXCL);
    CHECK(queue != (mqd_t)-1);
    CHECK(mq_getattr(queue, &attr) == 0 && attr.mq_maxmsg == 2 && attr.mq_curmsgs == 0);
    CHECK(mq_send(queue, "low", 4, 1) == 0);
    CHECK(mq_send(queue, "high", 5, 2) == 0);
    CHECK(mq_receive(queue, text, sizeof text, &priority) == 5);
    CHECK(strcmp(text, "high") == 0 && priority == 2);
    CHECK(mq_receive(queue, text, sizeof text, &priority) == 4);
    CHECK(strcmp(text, "low") == 0 && priority == 1);
    FAILS(EMSGSIZE, mq_receive(queue, text, 1, NULL));
    FAILS(EMSGSIZE, mq_send(queue, "a message too long for it", 25, 0));
    attr.mq_flags = O_NONBLOCK;
    CHECK(mq_setattr(queue, &attr, NULL) == 0);
    FAILS(EAGAIN, mq_receive(queue, text, sizeof text, NULL));
    CHECK(mq_close(queue) == 0);
    FAILS(EBADF, mq_receive(queue, text, sizeof text, NULL));
    CHECK(mq_unlink(name) == 0);
    FAILS(ENOENT, mq_unlink(name));
}

static void *sends(void *arg)
{
    for (int i = 0; i < 5; i++)
        CHECK(mq_send(queue, (const char *)&i, sizeof i, 0) == 0);
    return arg;
}

static void between_threads(void)
{
    char text[16];
    pthread_t t;

    queue = open_queue(0);
    ANSWERS(0, pthread_create(&t, NULL, sends, NULL));
    for (int i = 0, got; i < 5; i++) {
        CHECK(mq_receive(queue, text, sizeof text, NULL) == sizeof i);
        memcpy(&got, text, sizeof got);
        CHECK(got == i);
    }
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
}

static void timed(void)
{
    struct timespec start = now(CLOCK_REALTIME), until = in_ns(CLOCK_REALTIME, 10 * MS),
                    past = {1, 0}, bad = {1, SECOND};
    char text[16];

    queue = open_queue(0);
    FAILS(ETIMEDOUT, mq_timedreceive(queue, text, sizeof text, NULL, &until));
    CHECK(ns_since(CLOCK_REALTIME, &start) >= 10 * MS);
    FAILS(ETIMEDOUT, mq_timedreceive(queue, text, sizeof text, NULL, &past));
    FAILS(EINVAL, mq_timedreceive(queue, text, sizeof text, NULL, &bad));
    CHECK(mq_timedsend(queue, "1", 2, 0, &past) == 0);
    CHECK(mq_timedsend(queue, "2", 2, 0, &past) == 0);
    FAILS(ETIMEDOUT, mq_timedsend(queue, "3", 2, 0, &past));
    until = in_ns(CLOCK_REALTIME, 5 * MS);
    FAILS(ETIMEDOUT, mq_timedsend(queue, "3", 2, 0, &until));
    CHECK(mq_timedreceive(queue, text, sizeof text, NULL, &past) == 2);
    CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static void *interrupts(void *arg)
{
    nap(5 * MS);
    ANSWERS(0, pthread_kill(main_thread, SIGUSR1));
    return arg;
}

static void interrupted(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    char text[16];
    pthread_t t;

    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    handled = 0;
    queue = open_queue(0);
    ANSWERS(0, pthread_create(&t, NULL, interrupts, NULL));
    FAILS(EINTR, mq_receive(queue, text, sizeof text, NULL));
    CHECK(handled == 1);
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
}

static sem_t told;

static void notified(union sigval value)
{
    CHECK(value.sival_int == 3);
    CHECK(sem_post(&told) == 0);
}

static void notification(void)
{
    struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1},
                    by_thread = {.sigev_notify = SIGEV_THREAD,
                                 .sigev_notify_function = notified,
                                 .sigev_value = {.sival_int = 3}};
    struct sigaction sa = {.sa_handler = on_signal};
    char text[16];

    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    handled = 0;
    CHECK(sem_init(&told, 0, 0) == 0);
    queue = open_queue(0);
    CHECK(mq_notify(queue, &by_signal) == 0);
    FAILS(EBUSY, mq_notify(queue, &by_signal));
    CHECK(mq_send(queue, "1", 2, 0) == 0);
    while (!handled)
        nap(MS);
    CHECK(mq_receive(queue, text, sizeof text, NULL) == 2);
    CHECK(mq_notify(queue, &by_thread) == 0);
    CHECK(mq_send(queue, "2", 2, 0) == 0);
    while (sem_wait(&told) != 0)
        ;
    CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
}

/* ---- System V ---- */

struct message {
    long type;
    int number;
};

static int old_queue;

static void *sends_old(void *arg)
{
    for (int i = 0; i < 3; i++) {
        struct message m = {1 + i % 2, i};
        CHECK(msgsnd(old_queue, &m, sizeof m.number, 0) == 0);
    }
    return arg;
}

static void system_v(void)
{
    struct message m;
    pthread_t t;

    old_queue = msgget(IPC_PRIVATE, 0600);
    CHECK(old_queue >= 0);
    FAILS(ENOMSG, msgrcv(old_queue, &m, sizeof m.number, 0, IPC_NOWAIT));
    ANSWERS(0, pthread_create(&t, NULL, sends_old, NULL));
    CHECK(msgrcv(old_queue, &m, sizeof m.number, 2, 0) == sizeof m.number && m.number == 1);
    CHECK(msgrcv(old_queue, &m, sizeof m.number, 0, 0) == sizeof m.number && m.number == 0);
    CHECK(msgrcv(old_queue, &m, sizeof m.number, 1, 0) == sizeof m.number && m.number == 2);
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(msgctl(old_queue, IPC_RMID, NULL) == 0);
}

/* ---- asynchronous input and output ---- */

static int file;

static void open_file(void)
{
    char *path = temporary("heddle-aio-XXXXXX");

    file = mkstemp(path);
    CHECK(file >= 0);
    unlink(path);
    free(path);
}

static void wait_for(struct aiocb *cb)
{
    const struct aiocb *list[1] = {cb};

    while (aio_error(cb) == EINPROGRESS)
        if (aio_suspend(list, 1, NULL) != 0)
            CHECK(errno == EINTR);
}

static void aio_read_and_write(void)
{
    static char text[8] = "heddle", back[8];
    struct aiocb cb = {.aio_buf = text, .aio_nbytes = 7, .aio_sigevent.sigev_notify = SIGEV_NONE};

    open_file();
    cb.aio_fildes = file;
    CHECK(aio_write(&cb) == 0);
    wait_for(&cb);
    ANSWERS(0, aio_error(&cb));
    CHECK(aio_return(&cb) == 7);
    cb.aio_buf = back;
    CHECK(aio_read(&cb) == 0);
    wait_for(&cb);
    CHECK(aio_return(&cb) == 7 && strcmp(back, "heddle") == 0);
    CHECK(aio_fsync(O_SYNC, &cb) == 0);
    wait_for(&cb);
    CHECK(aio_return(&cb) == 0);
    close(file);
    cb.aio_fildes = file;
    if (aio_read(&cb) == 0) { /* may be told here or later */
        wait_for(&cb);
        ANSWERS(EBADF, aio_error(&cb));
        CHECK(aio_return(&cb) == -1);
    }
}

static void aio_notifies(void)
{
    static char text[8] = "heddle";
    struct sigaction sa = {.sa_handler = on_signal};
    struct aiocb cb = {
        .aio_buf = text,
        .aio_nbytes = 7,
        .aio_sigevent = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1},
    };

    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    handled = 0;
    open_file();
    cb.aio_fildes = file;
    CHECK(aio_write(&cb) == 0);
    while (!handled)
        nap(MS);
    ANSWERS(0, aio_error(&cb));
    CHECK(aio_return(&cb) == 7);
    CHECK(sem_init(&told, 0, 0) == 0);
    cb.aio_sigevent = (struct sigevent){.sigev_notify = SIGEV_THREAD,
                                        .sigev_notify_function = notified,
                                        .sigev_value = {.sival_int = 3}};
    CHECK(aio_write(&cb) == 0);
    while (sem_wait(&told) != 0)
        ;
    CHECK(aio_return(&cb) == 7);
    close(file);
}

static void aio_lists(void)
{
    static char text[3][8] = {"one", "two", "three"}, back[3][8];
    struct aiocb cb[3] = {{0}}, *list[3];

    open_file();
    for (int i = 0; i < 3; i++) {
        cb[i] = (struct aiocb){.aio_fildes = file,
                               .aio_buf = text[i],
                               .aio_nbytes = 8,
                               .aio_offset = 8 * i,
                               .aio_lio_opcode = LIO_WRITE,
                               .aio_sigevent.sigev_notify = SIGEV_NONE};
        list[i] = &cb[i];
    }
    CHECK(lio_listio(LIO_WAIT, list, 3, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(aio_error(&cb[i]) == 0 && aio_return(&cb[i]) == 8);
        cb[i].aio_buf = back[i];
        cb[i].aio_lio_opcode = LIO_READ;
    }
    CHECK(lio_listio(LIO_NOWAIT, list, 3, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        wait_for(&cb[i]);
        CHECK(aio_return(&cb[i]) == 8 && strcmp(back[i], text[i]) == 0);
    }
    close(file);
}

int main(int argc, char **argv)
{
    main_thread = pthread_self();
    snprintf(name, sizeof name, "/heddle-queue-%ld", (long)getpid());
    errno = 0;
    queue = open_queue(0);
    if (queue != (mqd_t)-1) { /* the file system of queues may be missing */
        CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
        RUN(by_priority);
        RUN(between_threads);
        RUN(timed);
        RUN(interrupted);
        RUN(notification);
    }
    RUN(system_v);
    RUN(aio_read_and_write);
    RUN(aio_notifies);
    RUN(aio_lists);
    return conclude();
}
