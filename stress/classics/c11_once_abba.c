/* C11 threads: the initialiser takes a lock, and is asked for with that lock held: by its holder,
 * who then waits for itself, or while another runs it, who then waits for the holder. */
#include "classic.h"
#include <threads.h>

static once_flag once = ONCE_FLAG_INIT;
static mtx_t lock;
static int value;

static void set_up(void)
{
    mtx_lock(&lock);
    value = 7;
    mtx_unlock(&lock);
}

static int early(void *arg)
{
    (void)arg;
    call_once(&once, set_up);
    return 0;
}

static int late(void *arg)
{
    (void)arg;
#if RIGHT
    call_once(&once, set_up);
    mtx_lock(&lock);
#else
    mtx_lock(&lock);
    if (!value)
        call_once(&once, set_up);
#endif
    mtx_unlock(&lock);
    return 0;
}

int main(void)
{
    thrd_t t, u;

    mtx_init(&lock, mtx_plain);
    if (thrd_create(&t, early, NULL) != thrd_success || thrd_create(&u, late, NULL) != thrd_success)
        return 1;
    thrd_join(t, NULL);
    thrd_join(u, NULL);
    assert(value == 7);
    mtx_destroy(&lock);
    return 0;
}
