/* System calls that may block, futexes, C11 threads, fork: hand-over between the program's own
 * threads through pipes and sockets. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static int to[2], from[2], sockets[2];
static uint32_t word;
static mtx_t mutex;
static cnd_t condition;
static once_flag flag = ONCE_FLAG_INIT;
static int go, made;

static int echoes(void *unused)
{
    char c;

    while (read(to[0], &c, 1) == 1 && c != 'q')
        assert(write(from[1], &c, 1) == 1);
    return unused ? 0 : 7;
}

static void *answers(void *unused)
{
    char text[16];
    struct pollfd p = {.fd = sockets[1], .events = POLLIN};
    ssize_t n = recv(sockets[1], text, sizeof text, 0);
    fd_set set;
    struct timeval tv = {0, 1000};
    int ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN}, got;

    assert(n == 2 && send(sockets[1], text, (size_t)n, 0) == n);
    assert(poll(&p, 1, 5) == 0);
    FD_ZERO(&set);
    FD_SET(sockets[1], &set);
    assert(select(sockets[1] + 1, &set, NULL, NULL, &tv) == 0);
    epoll_ctl(ep, EPOLL_CTL_ADD, sockets[1], &e);
    assert(epoll_wait(ep, &got, 1, 5) == 0);
    close(ep);
    return unused;
}

static void *forks(void *unused)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(3);
    assert(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
    return unused;
}

static void *waits_on_futex(void *unused)
{
    struct timespec ts = {0, 1000000};

    assert(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0) == -1 &&
           errno == EAGAIN);
    assert(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0) == -1 || word == 1);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return unused;
}

static void make(void)
{
    made++;
}

static int c11(void *unused)
{
    call_once(&flag, make);
    mtx_lock(&mutex);
    while (!go)
        cnd_wait(&condition, &mutex);
    mtx_unlock(&mutex);
    thrd_yield();
    return unused ? 0 : 4;
}

int main(void)
{
    thrd_t echo, waits;
    pthread_t socket, child, futex;
    char c = 'a', text[4];
    int result;

    assert(pipe(to) == 0 && pipe(from) == 0);
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    mtx_init(&mutex, mtx_plain);
    cnd_init(&condition);
    thrd_create(&echo, echoes, NULL);
    thrd_create(&waits, c11, NULL);
    pthread_create(&socket, NULL, answers, NULL);
    pthread_create(&child, NULL, forks, NULL);
    pthread_create(&futex, NULL, waits_on_futex, NULL);
    assert(write(to[1], &c, 1) == 1 && read(from[0], &c, 1) == 1 && c == 'a');
    c = 'q';
    assert(write(to[1], &c, 1) == 1);
    assert(send(sockets[0], "hi", 2, 0) == 2 && recv(sockets[0], text, sizeof text, 0) == 2);
    mtx_lock(&mutex);
    go = 1;
    cnd_signal(&condition);
    mtx_unlock(&mutex);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    thrd_join(echo, &result);
    assert(result == 7);
    thrd_join(waits, &result);
    assert(result == 4 && made == 1);
    pthread_join(socket, NULL);
    pthread_join(child, NULL);
    pthread_join(futex, NULL);
    return 0;
}
