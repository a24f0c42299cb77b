/* The failing schedule has a thread that gave something away, and did not go on before it ended:
 * stands AFTER TWIN. A wrong one does after it what the others need. */
#include "case.h"

static int done;
static bool ready;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s;

static void give_mutex(void)
{
    pthread_mutex_lock(&m);
    ready = true;
    pthread_mutex_unlock(&m);
}

static bool got_mutex(void)
{
    bool got;

    pthread_mutex_lock(&m);
    got = ready;
    pthread_mutex_unlock(&m);
    return got;
}

static void give_cond(void)
{
    pthread_mutex_lock(&m);
    ready = true;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}

static bool got_cond(void)
{
    pthread_mutex_lock(&m);
    while (!ready)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    return true;
}

static void give_sem(void)
{
    sem_post(&s);
}

static bool got_sem(void)
{
    sem_wait(&s);
    return true;
}

static const struct {
    const char *name;
    void (*give)(void);
    bool (*got)(void);
} gifts[] = {
    {"mutex", give_mutex, got_mutex}, {"cond", give_cond, got_cond}, {"sem", give_sem, got_sem}};
static int gift;

static void *giver(void *arg)
{
    if (!wrong)
        done = 1;
    gifts[gift].give();
    if (wrong)
        done = 1;
    return arg;
}

static void *taker(void *arg)
{
    if (gifts[gift].got() && !done)
        abort();
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 1);
    while (strcmp(gifts[gift].name, argv[1]) != 0)
        if (++gift == sizeof gifts / sizeof *gifts)
            return 2;
    sem_init(&s, 0, 0);
    t = start(giver, NULL);
    u = start(taker, NULL);
    finish(t);
    finish(u);
    return 0;
}
