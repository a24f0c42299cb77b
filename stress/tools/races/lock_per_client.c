/* Each client brings its own lock for a table that all share. */
#include "pattern.h"

static int table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;

struct client {
    pthread_mutex_t *lock;
};

static void *use(void *arg)
{
    struct client *client = arg;

    pthread_mutex_lock(client->lock);
    if (!table)
        table = 12;
    pthread_mutex_unlock(client->lock);
    return NULL;
}

int main(void)
{
    static struct client a = {&lock}, b = {RIGHT ? &lock : &other};
    pthread_t t, u;

    pthread_create(&t, NULL, use, &a);
    pthread_create(&u, NULL, use, &b);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    pthread_mutex_destroy(&other);
    return table == 0;
}
