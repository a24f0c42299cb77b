/* replayed.c - a lost update, in a program that does more when EXTRA is set (between the steps of
 * which the recorded schedule knows). With FILE: a failure that comes but once, while FILE is not
 * there. With FILE and a word: another failure from then on. */
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, beside = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void do_more(void)
{
    for (int i = getenv("EXTRA") ? atoi(getenv("EXTRA")) : 0; i > 0; i--) {
        pthread_mutex_lock(&beside);
        pthread_mutex_unlock(&beside);
    }
}

static void *adds_one(void *unused)
{
    int seen;

    do_more();
    pthread_mutex_lock(&lock);
    seen = count;
    pthread_mutex_unlock(&lock);
    do_more();
    pthread_mutex_lock(&lock);
    count = seen + 1;
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t t[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, adds_one, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    if (argc == 1)
        assert(count == 2);
    else
        assert(open(argv[1], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) < 0);
    assert(argc <= 2);
    return 0;
}
