/* signalled.c - threads that signal each other, themselves and the process: signalled [wrong]
 *
 * In either engine handlers run in the receiver, under its mask and their own, and what is blocked
 * stays pending. Wrong: main looks whether the signal has come and only then lets it in, so that it may
 * wait for one that came in between.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define CALLED (SIGRTMIN + 1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t got[65], by[65];
static __thread int me;

static bool blocked(int number)
{
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, number);
}

static bool pending(int number)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, number);
}

static void mask(int how, int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(how, &set, NULL);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    assert(info->si_signo == number);
    assert(blocked(number) && blocked(SIGHUP) == (number == SIGUSR1));
    got[number]++;
    by[number] = me;
}

static void *work(void *arg)
{
    int before;

    me = (int)(long)arg;
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    mask(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    raise(SIGUSR2); /* one of them is kept */
    assert(pending(SIGUSR2) && !blocked(SIGUSR1));
    pthread_mutex_lock(&lock);
    before = got[SIGUSR2];
    mask(SIG_UNBLOCK, SIGUSR2);
    assert(got[SIGUSR2] == before + 1 && by[SIGUSR2] == me && !pending(SIGUSR2));
    pthread_mutex_unlock(&lock);
    assert(!blocked(SIGUSR2));
    return arg;
}

static void *wait_for_one(void *arg)
{
    siginfo_t info;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    for (int i = 0; i < 2; i++) {
        assert(sigwaitinfo(&set, &info) == SIGRTMIN);
        assert(info.si_value.sival_int == 7 + i && info.si_code == SI_QUEUE);
    }
    return arg;
}

static void *call_main(void *arg)
{
    pthread_kill(*(pthread_t *)arg, CALLED);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    struct itimerval soon = {.it_value = {.tv_usec = 100}};
    pthread_t self = pthread_self(), worker[2], waiter, caller;
    bool wrong = argc > 1 && strcmp(argv[1], "wrong") == 0;
    sigset_t none;

    sigaction(SIGUSR2, &sa, NULL);
    sigaction(SIGALRM, &sa, NULL);
    sigaction(CALLED, &sa, NULL);
    sigaddset(&sa.sa_mask, SIGSYS);
    sigaddset(&sa.sa_mask, SIGHUP);
    sigaction(SIGUSR1, &sa, NULL);
    mask(SIG_BLOCK, SIGRTMIN);
    if (!wrong)
        mask(SIG_BLOCK, CALLED);
    pthread_create(&worker[0], NULL, work, (void *)1);
    pthread_create(&worker[1], NULL, work, (void *)2);
    pthread_create(&waiter, NULL, wait_for_one, NULL);
    pthread_kill(worker[0], SIGUSR1);
    kill(getpid(), SIGUSR1);
    for (int i = 0; i < 2; i++)
        pthread_sigqueue(waiter, SIGRTMIN, (union sigval){.sival_int = 7 + i});
    setitimer(ITIMER_REAL, &soon, NULL);
    usleep(1000);
    assert(got[SIGALRM] == 1);
    pthread_join(worker[0], NULL);
    pthread_join(worker[1], NULL);
    pthread_join(waiter, NULL);
    pthread_create(&caller, NULL, call_main, &self);
    pthread_sigmask(SIG_BLOCK, NULL, &none);
    sigdelset(&none, CALLED);
    while (!got[CALLED]) {
        pthread_mutex_lock(&lock); /* to say that it waits */
        pthread_mutex_unlock(&lock);
        sigsuspend(&none);
    }
    pthread_join(caller, NULL);
    printf("%d by %d, %d by %d\n", got[SIGUSR1], by[SIGUSR1], got[SIGUSR2], by[SIGUSR2]);
    return 0;
}
