/* A thread waits on a futex, which in a wrong one nobody wakes: futex CALL MEMORY TWIN. The word is in memory
 * of this process alone, also where the call says that it may be shared. */
#include "case.h"
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static atomic_int *word;
static int private;

static long futex(int op, int value)
{
    return syscall(SYS_futex, word, op | private, value, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int wait_op;

static void *waiter(void *arg)
{
    while (!*word)
        futex(wait_op, 0);
    return arg;
}

static void wake(void)
{
    *word = 1;
    futex(FUTEX_WAKE, 1);
}

int main(int argc, char **argv)
{
    static atomic_int in_data;
    atomic_int in_stack = 0;
    pthread_t t;
    bool forks;

    arguments(argc, argv, 2);
    private = strstr(argv[1], "private") ? FUTEX_PRIVATE_FLAG : 0;
    wait_op = strstr(argv[1], "bitset") ? FUTEX_WAIT_BITSET : FUTEX_WAIT;
    forks = strcmp(argv[2], "child") == 0;
    if (strcmp(argv[2], "data") == 0)
        word = &in_data;
    else if (strcmp(argv[2], "stack") == 0)
        word = &in_stack;
    else if (strcmp(argv[2], "heap") == 0)
        word = calloc(1, sizeof *word);
    else
        word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                    MAP_ANONYMOUS | (strcmp(argv[2], "mapped") == 0 ? MAP_PRIVATE : MAP_SHARED), -1,
                    0);
    assert(word && word != MAP_FAILED);
    t = start(waiter, NULL);
    if (forks) {
        pid_t child = fork();

        if (child == 0) {
            wake();
            _exit(0);
        }
        assert(waitpid(child, NULL, 0) == child);
    } else if (!wrong) {
        wake();
    }
    finish(t);
    return 0;
}
