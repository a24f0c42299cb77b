/* How many locks are taken depends on the kernel's number of the thread: no schedule can say that
 * again. Checked with --check-determinism. */
#include "classic.h"

#include <sys/syscall.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int spins;

static void *worker(void *arg)
{
#if RIGHT
    int n = 2;
#else
    int n = (int)(syscall(SYS_gettid) % 7);
#endif
    for (int i = 0; i <= n; i++) {
        pthread_mutex_lock(&lock);
        spins++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    both(worker, worker);
    return 0;
}
