/* proof.c - what docs/proof.md says is covered, and what is not: a case each.
 *
 *   proof CASE
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int flag, tries;
static int count;
enum { WORDS = 2048 }; /* that are learned */
static long word[WORDS + 1];
static struct owned {
    pthread_mutex_t lock;
    int users;
} * owned;
static const char *test;

static bool is(const char *name)
{
    return strcmp(test, name) == 0;
}

static void on_signal(int number)
{
    (void)number;
}

static void *one(void *arg)
{
    if (is("many_words") || is("fewer_words")) {
        for (int i = 0; i < (is("many_words") ? WORDS + 1 : WORDS - 1); i++)
            word[i]++;
    } else if (is("unlocked")) {
        count++;
    } else if (is("locked")) {
        pthread_mutex_lock(&lock);
        count++;
        pthread_mutex_unlock(&lock);
    } else if (is("spins")) {
        while (!atomic_load(&flag))
            ;
    } else if (is("counts")) {
        while (!atomic_load(&flag))
            atomic_fetch_add(&tries, 1);
    } else if (is("freed") || is("freed_data")) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
        free(owned);
    } else if (is("freed_last")) {
        pthread_mutex_lock(&lock);
        while (!count)
            pthread_cond_wait(&cond, &lock);
        pthread_mutex_unlock(&lock);
        free(owned);
    } else if (is("timed") || is("timed_out")) {
        struct timespec ts;
        int rc = 0;
        clock_gettime(CLOCK_REALTIME, &ts);
        ts.tv_sec += ts.tv_nsec >= 990000000;
        ts.tv_nsec = (ts.tv_nsec + 10000000) % 1000000000;
        pthread_mutex_lock(&lock);
        while (!count && rc == 0)
            rc = pthread_cond_timedwait(&cond, &lock, &ts);
        assert(count || is("timed_out")); /* not when it runs out first */
        pthread_mutex_unlock(&lock);
    } else if (is("sleeps")) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        assert(!atomic_load(&flag));
    }
    return arg;
}

static void *two(void *arg)
{
    if (is("unlocked") || is("locked") || is("many_words") || is("fewer_words"))
        return one(arg);
    if (is("sleeps"))
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    if (is("freed_data")) {
        owned->users = 1;
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
        owned->users = 2;
    }
    if (is("freed") || is("freed_last")) {
        pthread_mutex_lock(&owned->lock);
        pthread_mutex_unlock(&owned->lock);
    }
    if (is("timed") || is("timed_out") || is("freed_last")) {
        pthread_mutex_lock(&lock);
        count = 1;
        pthread_cond_signal(&cond);
        pthread_mutex_unlock(&lock);
    }
    atomic_store(&flag, 1);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    if (argc < 2)
        return 2;
    test = argv[1];
    signal(SIGUSR1, on_signal);
    owned = calloc(1, sizeof *owned);
    if (!owned)
        return 2;
    if (pthread_create(&t, NULL, one, NULL) || pthread_create(&u, NULL, two, NULL))
        return 2;
    if (is("signals")) {
        pthread_kill(t, SIGUSR1);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
