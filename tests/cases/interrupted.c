/* A child sends signals all the time, which come wherever the program is: interrupted AT TWIN. In a wrong one
 * the last thread is not told. */
#include "case.h"
#include <signal.h>
#include <sys/wait.h>

static atomic_int handled;
static sem_t told;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t child;

static void handler(int number)
{
    int before = errno;

    (void)number;
    sem_post(&told);
    atomic_fetch_add(&handled, 1);
    errno = before;
}

/* At most so many signals: with SA_NODEFER each may come into the handler of the one before, and they fit on a
 * stack. */
static void begin(int flags, unsigned most)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};

    sigaction(SIGUSR1, &sa, NULL);
    child = fork();
    assert(child >= 0);
    if (child == 0) {
        /* Bounded, and slower than the handler: the parent is to get on. */
        for (unsigned i = 0; i < most && kill(getppid(), SIGUSR1) == 0; i++)
            usleep(100 + i % 7 * 20);
        pause();
    }
}

static void end(void)
{
    signal(SIGUSR1, SIG_IGN);
    kill(child, SIGKILL);
    assert(waitpid(child, NULL, 0) == child);
}

static void *locks(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *is_told(void *word)
{
    while (sem_wait(word))
        ;
    return NULL;
}

static void last(void)
{
    sem_t word;
    pthread_t t;

    sem_init(&word, 0, 0);
    t = start(is_told, &word);
    if (!wrong)
        sem_post(&word);
    finish(t);
}

static void several_threads(void)
{
    for (int i = 0; i < 8; i++)
        finish(start(locks, NULL));
}

/* Threads are made and end while signals come. */
static void interrupted_threads(void)
{
    begin(0, 1000);
    several_threads();
    end();
    last();
}

/* A handler may come into itself. */
static void interrupted_nested(void)
{
    begin(SA_NODEFER, 100);
    several_threads();
    end();
    last();
}

/* Nobody else is there when the main thread computes until a signal has come. */
static void interrupted_alone(void)
{
    begin(0, 1000);
    for (volatile int n = 0; !atomic_load(&handled);)
        n = n + 1;
    end();
    last();
}

static void interrupted_waits(void)
{
    begin(0, 1000);
    for (int i = 0; i < 3; i++)
        is_told(&told);
    end();
    last();
}

int main(int argc, char **argv)
{
    static const struct variant at[] = {
        VARIANT(interrupted, threads),
        VARIANT(interrupted, nested),
        VARIANT(interrupted, alone),
        VARIANT(interrupted, waits),
    };

    arguments(argc, argv, 1);
    sem_init(&told, 0, 0);
    PICK(at, argv[1])->run();
    return 0;
}
