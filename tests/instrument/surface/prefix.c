/* What a program did before its first thread holds after it: its pid, an alarm, blocked signals. */
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static pid_t noted;
static volatile sig_atomic_t caught, rang;

static void note(int number)
{
    if (number == SIGUSR1)
        caught++;
    else
        rang++;
}

static void *tells_main(void *unused)
{
    assert(kill(noted, SIGUSR1) == 0);
    assert(kill(noted, 0) == 0);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = note};
    struct itimerval soon = {.it_value.tv_usec = 20000};
    sigset_t blocked, none;
    pthread_t t;

    noted = getpid();
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    assert(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    pthread_create(&t, NULL, tells_main, NULL);
    while (!caught || !rang)
        sigsuspend(&none);
    pthread_join(t, NULL);
    assert(caught == 1 && rang == 1);
    return 0;
}
