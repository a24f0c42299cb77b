/* A thread waits, with a lock held, for what only another would bring, who wants the lock first.
 *   circle cond|sem|barrier|pipe|channel|group|missed wrong|right
 * right: the lock is given back before the wait. missed: the signal came before, when nobody heard it. */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <heddle/heddle.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t phase;
static sem_t ready;
static int ends[2];
static struct hd_chan *answers;
static struct hd_wg members;
static const char *kind;
static bool wrong, full;

static bool is(const char *what)
{
    return strcmp(kind, what) == 0;
}

static void wait_for_it(void)
{
    char byte;

    if (is("cond") || is("missed")) {
        pthread_mutex_lock(&inner);
        while (is("missed") || !full) {
            pthread_cond_wait(&filled, &inner);
            if (is("missed"))
                break;
        }
        pthread_mutex_unlock(&inner);
    }
    if (is("sem"))
        sem_wait(&ready);
    if (is("barrier"))
        pthread_barrier_wait(&phase);
    if (is("pipe") && read(ends[0], &byte, 1) != 1)
        abort();
    if (is("channel"))
        hd_chan_recv(answers, NULL);
    if (is("group"))
        hd_wg_wait(&members);
}

static void bring_it(void)
{
    if (is("cond") || is("missed")) {
        pthread_mutex_lock(&inner);
        full = true;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&inner);
    }
    if (is("sem"))
        sem_post(&ready);
    if (is("barrier"))
        pthread_barrier_wait(&phase);
    if (is("pipe") && write(ends[1], "x", 1) != 1)
        abort();
    if (is("channel"))
        hd_chan_send(answers, NULL);
    if (is("group"))
        hd_wg_done(&members);
}

static void *taker(void *arg)
{
    pthread_mutex_lock(&table);
    if (!wrong)
        pthread_mutex_unlock(&table);
    wait_for_it();
    if (wrong)
        pthread_mutex_unlock(&table);
    return arg;
}

static void *giver(void *arg)
{
    if (is("missed"))
        bring_it();
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    if (!is("missed") || !wrong)
        bring_it();
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t one, two;

    if (argc < 3 || pipe(ends))
        return 2;
    kind = argv[1];
    wrong = strcmp(argv[2], "wrong") == 0;
    sem_init(&ready, 0, 0);
    pthread_barrier_init(&phase, NULL, 2);
    answers = hd_chan_make_named("answers", 0, 0);
    hd_wg_init(&members, NULL);
    hd_wg_add(&members, 1);
    pthread_create(&one, NULL, taker, NULL);
    pthread_create(&two, NULL, giver, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    return 0;
}
