/* A signal that is sent to one thread is taken by that thread, and no other: signal_to SENT TAKEN TWIN. A wrong
 * one sends none to the second thread. */
#include "naps.h"
#include <poll.h>
#include <sys/signalfd.h>

static sigset_t set;
static atomic_int taken[2];
static atomic_bool waiting[2];
static _Atomic pid_t tid[2];
static _Thread_local volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled = 1;
}

static void take_sigwait(void)
{
    int got;

    assert(sigwait(&set, &got) == 0 && got == SIGUSR1);
}

static void take_sigwaitinfo(void)
{
    assert(sigwaitinfo(&set, NULL) == SIGUSR1);
}

static void take_sigtimedwait(void)
{
    struct timespec hour = {3600, 0};

    assert(sigtimedwait(&set, NULL, &hour) == SIGUSR1);
}

static void take_signalfd(void)
{
    struct signalfd_siginfo info;
    int fd = signalfd(-1, &set, 0);

    assert(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
    close(fd);
}

static void take_polled(void)
{
    struct pollfd ready = {signalfd(-1, &set, SFD_NONBLOCK), POLLIN, 0};
    struct signalfd_siginfo info;

    assert(poll(&ready, 1, -1) == 1);
    assert(read(ready.fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
    close(ready.fd);
}

static void take_sigsuspend(void)
{
    sigset_t none;

    sigemptyset(&none);
    assert(sigsuspend(&none) == -1 && errno == EINTR);
    assert(handled);
}

/* Its handler runs in it, while it sleeps. */
static void take_handler(void)
{
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    while (!handled)
        usleep(1000);
}

static const struct variant takes[] = {VARIANT(take, sigwait),      VARIANT(take, sigwaitinfo),
                                       VARIANT(take, sigtimedwait), VARIANT(take, signalfd),
                                       VARIANT(take, sigsuspend),   VARIANT(take, polled),
                                       VARIANT(take, handler)};
static const struct variant *take;

static void *waiter(void *arg)
{
    long i = (atomic_int *)arg - taken;

    tid[i] = (pid_t)syscall(SYS_gettid);
    waiting[i] = true;
    take->run();
    taken[i] = 1;
    return NULL;
}

static pthread_t t[2];

static void send_pthread_kill(int i)
{
    assert(pthread_kill(t[i], SIGUSR1) == 0);
}

static void send_sigqueue(int i)
{
    assert(pthread_sigqueue(t[i], SIGUSR1, (union sigval){.sival_int = i}) == 0);
}

static void send_tgkill(int i)
{
    while (!waiting[i])
        sched_yield();
    assert(syscall(SYS_tgkill, getpid(), tid[i], SIGUSR1) == 0);
}

static const struct {
    const char *name;
    void (*send)(int i);
} sends[] = {
    {"pthread_kill", send_pthread_kill}, {"sigqueue", send_sigqueue}, {"tgkill", send_tgkill}};

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    void (*send)(int i) = NULL;

    arguments(argc, argv, 2);
    naps_begin();
    for (size_t i = 0; i < sizeof sends / sizeof *sends; i++)
        if (strcmp(sends[i].name, argv[1]) == 0)
            send = sends[i].send;
    if (!send)
        return 2;
    take = PICK(takes, argv[2]);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 2; i++)
        t[i] = start(waiter, &taken[i]);
    send(0);
    finish(t[0]); /* ends: the signal is for it */
    assert(taken[0] && !taken[1]);
    if (!wrong)
        send(1);
    finish(t[1]);
    assert(taken[1]);
    return 0;
}
