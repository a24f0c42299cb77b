/* A thread waits on a futex that in a wrong one nobody wakes: futex CALL TWIN. The word is in
 * memory of this process alone, also where the call says that it may be shared. */
#include "case.h"
#include <linux/futex.h>
#include <sys/syscall.h>

static atomic_int word;

static long futex(int op, int value)
{
    return syscall(SYS_futex, &word, op, value, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void wait_shared(void)
{
    futex(FUTEX_WAIT, 0);
}

static void wait_private(void)
{
    futex(FUTEX_WAIT_PRIVATE, 0);
}

static const struct variant waits[] = {VARIANT(wait, shared), VARIANT(wait, private)};

static void *waiter(void *how)
{
    while (!word)
        run(how);
    return how;
}

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 1);
    t = start(waiter, PICK(waits, argv[1]));
    if (!wrong) {
        word = 1;
        futex(strcmp(argv[1], "private") == 0 ? FUTEX_WAKE_PRIVATE : FUTEX_WAKE, 1);
    }
    finish(t);
    return 0;
}
