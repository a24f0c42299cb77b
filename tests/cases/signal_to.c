/* A signal that is sent to one thread is taken by that thread, and no other: signal_to TAKEN TWIN.
 * A wrong one sends both to the first thread, and waits for the second. */
#include "case.h"
#include <signal.h>

static sigset_t set;
static atomic_int taken[2];

static void take_sigwait(void)
{
    int got;

    sigwait(&set, &got);
}

static const struct variant takes[] = {VARIANT(take, sigwait)};
static const struct variant *take;

static void *waiter(void *mine)
{
    take->run();
    *(atomic_int *)mine = 1;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t[2];

    arguments(argc, argv, 1);
    take = PICK(takes, argv[1]);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 2; i++)
        t[i] = start(waiter, &taken[i]);
    if (wrong) {
        finish(t[1]);
        return 0;
    }
    pthread_kill(t[0], SIGUSR1);
    finish(t[0]); /* ends: the signal is for it */
    assert(taken[0]);
    pthread_kill(t[1], SIGUSR1);
    finish(t[1]);
    return 0;
}
