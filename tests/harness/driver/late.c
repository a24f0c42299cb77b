/* A thread and a child process take a lock in common, in an order that no decision makes: late [other|mended].
 * Where LATE is set the child comes to it behind the thread. "other": what fails is that the child was there first. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct common {
    pthread_mutex_t lock;
    bool child_was_there;
} * common;
static bool child_was_first;
static sem_t holding;

/* Outside the virtual clock. */
static void sleep_ms(long ms)
{
    syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void *holds(void *arg)
{
    sleep_ms(200);
    pthread_mutex_lock(&common->lock);
    child_was_first = common->child_was_there;
    sem_post(&holding);
    for (int i = 0; i < 20; i++)
        sched_yield();
    pthread_mutex_unlock(&common->lock);
    return arg;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    pthread_mutexattr_t shared;
    pthread_t t;

    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&common->lock, &shared);
    sem_init(&holding, 0, 0);
    pthread_create(&t, NULL, holds, NULL);
    pid_t child = fork();
    if (child == 0) {
        if (getenv("LATE"))
            sleep_ms(600);
        pthread_mutex_lock(&common->lock);
        common->child_was_there = true;
        pthread_mutex_unlock(&common->lock);
        _exit(0);
    }
    sem_wait(&holding);
    waitpid(child, NULL, 0);
    pthread_join(t, NULL);
    if (strcmp(how, "other") == 0)
        assert(!child_was_first);
    else if (!getenv("MENDED"))
        assert(!"done");
}
