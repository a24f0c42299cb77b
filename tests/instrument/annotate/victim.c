/* victim.c - programs that say something about themselves, or say nothing: victim WHAT told|silent.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <heddle/annotate.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t never;
static int hits, other;

static void *count(void *where)
{
    ++*(int *)where;
    return NULL;
}

static void both(void *(*f)(void *), void *(*g)(void *), void *arg)
{
    pthread_t t, u;
    pthread_create(&t, NULL, f, arg);
    pthread_create(&u, NULL, g, arg);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}

static void *a_then_b(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *b_then_a(void *arg)
{
    usleep(20000); /* of virtual time: the two never meet, and only the order can be found */
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

static void *wait_for_ever(void *told)
{
    if (told)
        hd_expect_leak();
    sem_wait(&never);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int told = argc > 2 && strcmp(argv[2], "told") == 0;
    if (strcmp(what, "race") == 0) { /* told before the first thread */
        if (told)
            hd_benign_race(&hits, sizeof hits, "a statistic");
        both(count, count, &hits);
    } else if (strcmp(what, "beside") == 0) { /* of another variable */
        if (told)
            hd_benign_race(&other, sizeof other, "a statistic");
        both(count, count, &hits);
    } else if (strcmp(what, "heap") == 0) {
        int *p = calloc(1, sizeof *p);
        if (told)
            hd_benign_race(p, sizeof *p, "a statistic");
        both(count, count, p);
        free(p);
    } else if (strcmp(what, "again") == 0) { /* what was said of freed memory is over */
        int *p = calloc(1, 64), *q;
        if (told)
            hd_benign_race(p, 64, "a statistic");
        free(p);
        q = calloc(1, 64);
        both(count, count, q);
        free(q);
    } else if (strcmp(what, "order") == 0) {
        if (told)
            hd_lock_order_ok(&a);
        both(a_then_b, b_then_a, NULL);
    } else if (strcmp(what, "leak") == 0) {
        pthread_t t;
        sem_init(&never, 0, 0);
        pthread_create(&t, NULL, wait_for_ever, told ? argv : NULL);
        pthread_detach(t);
        usleep(20000);
    } else {
        return 2;
    }
    return 0;
}
