/* waits.c - programs that wait in every way that is followed, for test_waits.sh, by name. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <heddle/heddle.h>

static mtx_t lock, second;
static cnd_t changed;
static once_flag flag = ONCE_FLAG_INIT;
static sem_t never;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;

/* Dumps interrupt sleeps. */
static void rest(long us)
{
    struct timespec left = {.tv_nsec = us * 1000};
    while (nanosleep(&left, &left) != 0)
        ;
}

static int takes_lock(void *arg)
{
    mtx_lock(&lock);
    mtx_unlock(&lock);
    return arg != NULL;
}

static int waits_for_change(void *arg)
{
    mtx_lock(&second);
    cnd_wait(&changed, &second);
    mtx_unlock(&second);
    return arg != NULL;
}

static void slow(void)
{
    sem_wait(&never);
}

static int runs_once(void *arg)
{
    call_once(&flag, slow);
    return arg != NULL;
}

/* Each C11 thread waits in its way; then a dump. */
static int c11(void)
{
    thrd_t t[4];
    mtx_init(&lock, mtx_plain);
    mtx_init(&second, mtx_plain);
    cnd_init(&changed);
    mtx_lock(&lock);
    thrd_create(&t[0], takes_lock, NULL);
    thrd_create(&t[1], waits_for_change, NULL);
    thrd_create(&t[2], runs_once, NULL);
    rest(300000);
    thrd_create(&t[3], runs_once, NULL);
    rest(300000);
    kill(getpid(), SIGUSR1);
    rest(500000);
    mtx_unlock(&lock);
    mtx_lock(&second);
    cnd_signal(&changed);
    mtx_unlock(&second);
    sem_post(&never);
    for (int i = 0; i < 4; i++)
        thrd_join(t[i], NULL);
    puts("went on");
    return 0;
}

static int nested(void *backwards)
{
    mtx_lock(backwards ? &second : &lock);
    mtx_lock(backwards ? &lock : &second);
    mtx_unlock(&second);
    mtx_unlock(&lock);
    return 0;
}

/* The threads are apart in time, and nothing else. */
static int c11_order(void)
{
    thrd_t t, u;
    mtx_init(&lock, mtx_plain);
    mtx_init(&second, mtx_plain);
    thrd_create(&t, nested, NULL);
    rest(50000);
    thrd_create(&u, nested, &lock);
    thrd_join(t, NULL);
    thrd_join(u, NULL);
    return 0;
}

static struct hd_chan *jobs, *full;
static struct hd_mutex mutex;
static struct hd_wg group;

static void receives(void *arg)
{
    (void)arg;
    hd_chan_recv(jobs, NULL);
}

static void sends(void *arg)
{
    int job = 1;
    (void)arg;
    hd_chan_send(full, &job);
}

static void selects(void *arg)
{
    (void)arg;
    HD_SELECT(HD_RECV(jobs, NULL), HD_RECV(full, NULL));
}

static void locks(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    hd_mutex_unlock(&mutex);
}

static void waits_for_all(void *arg)
{
    (void)arg;
    hd_wg_wait(&group);
}

static int library(void)
{
    struct hd_chan *quiet = hd_chan_make(sizeof(int), 0);
    jobs = quiet;
    full = hd_chan_make(sizeof(int), 0);
    hd_mutex_lock(&mutex);
    hd_wg_add(&group, 1);
    if (hd_go_named("receiver", receives, NULL) || hd_go(locks, NULL) ||
        hd_go(waits_for_all, NULL) || hd_go(sends, NULL))
        return 1;
    rest(300000);
    full = quiet; /* the one who selects finds nobody who sends */
    if (hd_go(selects, NULL))
        return 1;
    rest(300000);
    kill(getpid(), SIGUSR1);
    rest(500000);
    puts("went on");
    return 0;
}

static void *waits_for_ready(void *arg)
{
    pthread_setname_np(pthread_self(), "consumer");
    pthread_mutex_lock(&a);
    pthread_cond_wait(&ready, &a);
    pthread_cond_wait(&ready, &a); /* once too often */
    pthread_mutex_unlock(&a);
    return arg;
}

static void *says_ready(void *arg)
{
    rest(300000);
    pthread_mutex_lock(&a);
    pthread_cond_signal(&ready);
    pthread_mutex_unlock(&a);
    pthread_barrier_wait(&both);
    return arg;
}

static int hang(void)
{
    pthread_t t, u;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&t, NULL, waits_for_ready, NULL);
    pthread_create(&u, NULL, says_ready, NULL);
    pthread_join(t, NULL);
    return pthread_join(u, NULL);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    sem_init(&never, 0, 0);
    if (strcmp(what, "c11") == 0)
        return c11();
    if (strcmp(what, "c11_order") == 0)
        return c11_order();
    if (strcmp(what, "library") == 0)
        return library();
    if (strcmp(what, "hang") == 0)
        return hang();
    return 2;
}
