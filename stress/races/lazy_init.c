/* Double-checked initialisation with a plain pointer. */
#include "pattern.h"

struct table {
    int size;
};
static struct table *CHOOSE(, _Atomic) table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct table *get(void)
{
    struct table *t = table;
    if (t)
        return t;
    pthread_mutex_lock(&lock);
    t = table;
    if (!t) {
        t = malloc(sizeof *t);
        t->size = 16;
        table = t;
    }
    pthread_mutex_unlock(&lock);
    return t;
}

static void *use(void *arg)
{
    return get()->size == 16 ? arg : NULL;
}

int main(void)
{
    run2(use, use, NULL);
    free(table);
    return 0;
}
