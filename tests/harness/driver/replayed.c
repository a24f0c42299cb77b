/* replayed.c - a lost update, in a program that does more when EXTRA is set, between the steps of
 * which a recorded schedule knows: with another lock, or with PLACE with the same at another place.
 * With FILE: a failure that comes but once, while FILE is there. With FILE and a word: another
 * failure from then on. CHANGED: another build, which first makes a thread more. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, beside = PTHREAD_MUTEX_INITIALIZER;
static int count;

/* All locks are taken at one place, but for those of do_more() with PLACE. */
static void copy_locked(pthread_mutex_t *m, int *to, const int *from, int more)
{
    pthread_mutex_lock(m);
    *to = *from + more;
    pthread_mutex_unlock(m);
}

/* Called through this: no copy of it is made for one of the callers. */
static void (*volatile copy)(pthread_mutex_t *m, int *to, const int *from, int more) = copy_locked;

static void do_more(void)
{
    int nothing = 0;

    for (int i = getenv("EXTRA") ? atoi(getenv("EXTRA")) : 0; i > 0; i--)
        if (getenv("PLACE")) {
            pthread_mutex_lock(&lock);
            pthread_mutex_unlock(&lock);
        } else {
            copy(&beside, &nothing, &nothing, 0);
        }
}

static void *adds_one(void *unused)
{
    int seen;

    do_more();
    copy(&lock, &seen, &count, 0);
    do_more();
    copy(&lock, &count, &seen, 1);
    return unused;
}

#ifdef CHANGED
static void *copies(void *unused)
{
    int nothing = 0;

    copy(&beside, &nothing, &nothing, 0);
    copy(&lock, &nothing, &nothing, 0);
    return unused;
}
#endif

int main(int argc, char **argv)
{
    pthread_t t[2];

#ifdef CHANGED
    pthread_t more;
    pthread_create(&more, NULL, copies, NULL);
    pthread_join(more, NULL);
#endif
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, adds_one, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    if (argc == 1)
        assert(count == 2);
    else
        assert(unlink(argv[1]) < 0);
    assert(argc <= 2);
    return 0;
}
