/* After PTRACE_TRACEME signals still arrive, and each schedule ends. Natively the program's parent would
 * have to see to that, so that this runs under control alone. */
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

static volatile sig_atomic_t arrived;

static void on_arrival(int number)
{
    (void)number;
    arrived++;
}

static void *is_traced(void *unused)
{
    signal(SIGUSR1, on_arrival);
    assert(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    assert(raise(SIGUSR1) == 0 && kill(getpid(), SIGUSR1) == 0);
    while (arrived < 2)
        sched_yield();
    return unused;
}

static void *does_nothing(void *unused)
{
    return unused;
}

int main(int argc, char **argv)
{
    bool before = argc > 1 && strcmp(argv[1], "before") == 0;
    pthread_t t;

    if (before)
        is_traced(NULL);
    pthread_create(&t, NULL, before ? does_nothing : is_traced, NULL);
    pthread_join(t, NULL);
    return 0;
}
