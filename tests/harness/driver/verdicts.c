/* verdicts.c - two threads raise a counter by a read and a write that another thread can come between.
 *
 * The argument says how that shows: "print" the count, "assert" it, or "exit" with 77 where it is wrong.
 * The environment says how the program was edited: MENDED holds the lock from the read to the write, AFTER
 * has main come to so many decisions more, ORDERS has two locks taken in both orders, which the program
 * keeps from meeting, WORDS prints the count in other words, and ONCE names a file
 * that makes it fail and is removed by that. -DCHANGED is another build.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, first = PTHREAD_MUTEX_INITIALIZER,
                       second = PTHREAD_MUTEX_INITIALIZER;
static int count, taken;

static void take(pthread_mutex_t *a, pthread_mutex_t *b)
{
    pthread_mutex_lock(a);
    pthread_mutex_lock(b);
    pthread_mutex_unlock(b);
    pthread_mutex_unlock(a);
}

static void *take_in_turn(void *arg)
{
    take(&first, &second);
    pthread_mutex_lock(&lock);
    taken = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *raise_count(void *arg)
{
    pthread_mutex_lock(&lock);
    int seen = count;
    if (!getenv("MENDED")) {
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    count = seen + 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "", *after = getenv("AFTER"), *once = getenv("ONCE");
    pthread_t t[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, raise_count, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    if (getenv("ORDERS")) {
        pthread_create(&t[0], NULL, take_in_turn, NULL);
        pthread_mutex_lock(&lock);
        int later = taken;
        pthread_mutex_unlock(&lock);
        if (later)
            take(&second, &first);
        pthread_join(t[0], NULL);
    }
    for (int i = after ? atoi(after) : 0; i > 0; i--) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
#ifdef CHANGED
    assert(!once || unlink(once) != 0);
#else
    (void)once;
#endif
    if (strcmp(how, "assert") == 0)
        assert(count == 2);
    if (strcmp(how, "print") == 0)
        printf("%s%d\n", getenv("WORDS") ? "count: " : "", count);
    return strcmp(how, "exit") == 0 && count != 2 ? 77 : 0;
}
