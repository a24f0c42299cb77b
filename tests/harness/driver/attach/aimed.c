/* aimed.c - a deadlock that few schedules show, for heddle run --aim, and its right twin: aimed [right] */
#include <pthread.h>
#include <string.h>

static struct {
    int users;
    pthread_mutex_t lock;
} cache = {0, PTHREAD_MUTEX_INITIALIZER}, db = {0, PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int passed;

static void pass_often(void)
{
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&gate);
        passed++;
        pthread_mutex_unlock(&gate);
    }
}

static void *late(void *arg)
{
    pass_often();
    pthread_mutex_lock(&cache.lock);
    pthread_mutex_lock(&db.lock);
    pthread_mutex_unlock(&db.lock);
    pthread_mutex_unlock(&cache.lock);
    return arg;
}

static void *early(void *right)
{
    pthread_mutex_t *first = right ? &cache.lock : &db.lock;
    pthread_mutex_t *second = right ? &db.lock : &cache.lock;
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    pass_often();
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t a, b;
    void *right = argc > 1 && strcmp(argv[1], "right") == 0 ? argv[1] : NULL;
    pthread_create(&a, NULL, late, right);
    pthread_create(&b, NULL, early, right);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
