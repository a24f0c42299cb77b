/* Locks come and go, in blocks of the heap and on the stacks of threads that end, one where another was: reused TWIN.
 * Each is used while it is there; the wrong one uses the first of them once more at the end. */
#include "case.h"

enum { ROUNDS = 6, PIECES = 5 };

struct piece {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool told;
};
static struct piece *first;

static void *tells(void *arg)
{
    struct piece *p = arg;

    pthread_mutex_lock(&p->mutex);
    p->told = true;
    pthread_cond_signal(&p->cond);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* Zeroes are what PTHREAD_MUTEX_INITIALIZER is: no call says that these are new. */
static void hears(struct piece *p)
{
    pthread_t t = start(tells, p);

    pthread_mutex_lock(&p->mutex);
    while (!p->told)
        pthread_cond_wait(&p->cond, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
    finish(t);
}

static void *on_its_stack(void *arg)
{
    struct piece mine = {.told = false};

    hears(&mine);
    return arg;
}

static void *in_blocks(void *arg)
{
    struct piece *p[PIECES];

    for (int i = 0; i < PIECES; i++) {
        p[i] = calloc(1, sizeof *p[i] + (size_t)i * 200);
        assert(p[i]);
        hears(p[i]);
        if (!first)
            first = p[0];
        if (i % 2)
            p[i] = realloc(p[i], 8 * sizeof *p[i]);
    }
    for (int i = 0; i < PIECES; i++)
        free(p[i]);
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 0);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t t = start(on_its_stack, NULL), u = start(in_blocks, NULL);
        finish(t);
        finish(u);
    }
    if (wrong)
        pthread_mutex_lock(&first->mutex);
    return 0;
}
