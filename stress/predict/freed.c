/* The block is freed long after its last use, with a lock between that does not guard it. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *block, uses, frees, users = 2;

static void give_up(int *count)
{
    pthread_mutex_lock(&lock);
    ++*count;
    int last = --users == 0;
    pthread_mutex_unlock(&lock);
    if (CHOOSE(count == &frees, last))
        free(block);
}

static void *user(void *arg)
{
    *block = 1;
    give_up(&uses);
    return arg;
}

static void *owner(void *arg)
{
    be_late();
    give_up(&frees);
    return arg;
}

int main(void)
{
    block = malloc(sizeof *block);
    run2(user, owner, NULL);
    return uses + frees > 2;
}
