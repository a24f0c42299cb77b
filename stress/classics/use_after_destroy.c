/* An object is looked up under the table's lock, and used after that lock was let go: by then
 * another may have removed and destroyed it. Right: one lock, and the table's, around both. */
#include "classic.h"

static struct session {
    pthread_mutex_t lock;
    int uses;
} only = {PTHREAD_MUTEX_INITIALIZER, 0};
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static struct session *entry = &only;

static void *use(void *arg)
{
    pthread_mutex_lock(&table);
    struct session *s = entry;
#if !RIGHT
    pthread_mutex_unlock(&table);
#endif
    if (s) {
        sched_yield(); /* writes its name to a log */
        pthread_mutex_lock(&s->lock);
        s->uses++;
        pthread_mutex_unlock(&s->lock);
    }
#if RIGHT
    pthread_mutex_unlock(&table);
#endif
    return arg;
}

static void *remove_it(void *arg)
{
    pthread_mutex_lock(&table);
    struct session *s = entry;
    entry = NULL;
    pthread_mutex_unlock(&table);
    pthread_mutex_destroy(&s->lock);
    return arg;
}

int main(void)
{
    both(use, remove_it);
    return 0;
}
