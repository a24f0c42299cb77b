/* What threads hold, or wait for, is initialised anew: initialised WHAT TWIN. The right one waits for the others first,
 * and the thread that holds it gives it back. */
#include "case.h"

static pthread_mutex_t m;
static pthread_rwlock_t l;
static pthread_spinlock_t s;
static pthread_barrier_t b;
static pthread_cond_t c;
static sem_t sem, inside;
static bool told;

static void init_mutex(void)
{
    pthread_mutex_init(&m, NULL);
}

static void init_rwlock(void)
{
    pthread_rwlock_init(&l, NULL);
}

static void init_spin(void)
{
    pthread_spin_init(&s, PTHREAD_PROCESS_PRIVATE);
}

static void init_barrier(void)
{
    pthread_barrier_init(&b, NULL, 2);
}

static void init_cond(void)
{
    pthread_cond_init(&c, NULL);
}

static void init_sem(void)
{
    sem_init(&sem, 0, 0);
}

/* With others inside; main waits until they are. */
static void use_mutex(void)
{
    pthread_mutex_lock(&m);
    sem_post(&inside);
    usleep(1000);
    pthread_mutex_unlock(&m);
}

static void use_rwlock(void)
{
    pthread_rwlock_wrlock(&l);
    sem_post(&inside);
    usleep(1000);
    pthread_rwlock_unlock(&l);
}

static void use_spin(void)
{
    pthread_spin_lock(&s);
    sem_post(&inside);
    usleep(1000);
    pthread_spin_unlock(&s);
}

static void use_barrier(void)
{
    sem_post(&inside);
    pthread_barrier_wait(&b);
}

static void use_cond(void)
{
    pthread_mutex_lock(&m);
    sem_post(&inside);
    while (!told)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}

static void use_sem(void)
{
    sem_post(&inside);
    sem_wait(&sem);
}

static void end_nothing(void)
{
}

static void end_barrier(void)
{
    pthread_barrier_wait(&b);
}

static void end_cond(void)
{
    pthread_mutex_lock(&m);
    told = true;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
}

static void end_sem(void)
{
    sem_post(&sem);
}

/* By the one that has it. */
static void init_own(void)
{
    pthread_mutex_init(&m, NULL);
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
}

static void use_own(void)
{
    pthread_mutex_lock(&m);
    if (!wrong)
        pthread_mutex_unlock(&m);
    init_own();
    sem_post(&inside);
}

static const struct {
    const char *name;
    void (*init)(void), (*use)(void), (*end)(void);
} kinds[] = {{"mutex", init_mutex, use_mutex, end_nothing},
             {"rwlock", init_rwlock, use_rwlock, end_nothing},
             {"spin", init_spin, use_spin, end_nothing},
             {"barrier", init_barrier, use_barrier, end_barrier},
             {"cond", init_cond, use_cond, end_cond},
             {"sem", init_sem, use_sem, end_sem},
             {"own", init_own, use_own, end_nothing}};

static void *user(void *kind)
{
    kinds[*(const int *)kind].use();
    return NULL;
}

int main(int argc, char **argv)
{
    int kind = 0, kinds_there = sizeof kinds / sizeof kinds[0];
    pthread_t t;

    arguments(argc, argv, 1);
    while (kind < kinds_there && strcmp(kinds[kind].name, argv[1]) != 0)
        kind++;
    if (kind == kinds_there)
        return 2;
    init_mutex();
    sem_init(&inside, 0, 0);
    kinds[kind].init();
    t = start(user, &kind);
    sem_wait(&inside);
    if (wrong && kinds[kind].use != use_own)
        kinds[kind].init();
    kinds[kind].end();
    finish(t);
    kinds[kind].init();
    return 0;
}
