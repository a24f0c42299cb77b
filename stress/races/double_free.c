/* Both threads think that they are the last user. */
#include "pattern.h"

static atomic_int users = 2;

static void *leave(void *arg)
{
#if RIGHT
    if (atomic_fetch_sub(&users, 1) == 1)
        free(arg);
#else
    atomic_fetch_sub(&users, 1);
    if (atomic_load(&users) == 0)
        free(arg);
#endif
    return NULL;
}

int main(void)
{
    run2(leave, leave, malloc(16));
    return 0;
}
