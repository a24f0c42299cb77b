/* An allocator of the program's own makes its first thread, under its lock, as jemalloc does:
 * allocator TWIN. The wrong one waits there for the thread, which needs the lock. */
#include "case.h"

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static _Alignas(16) char memory[16 << 20];
static size_t used, purges;
static bool begun, has_thread;
static pthread_t thread;

static void *purge(void *arg)
{
    pthread_mutex_lock(&lock);
    purges++;
    pthread_mutex_unlock(&lock);
    return arg;
}

void *malloc(size_t bytes)
{
    size_t *block;

    pthread_mutex_lock(&lock);
    if (begun && !has_thread) {
        has_thread = true;
        pthread_create(&thread, NULL, purge, NULL);
        if (wrong)
            pthread_join(thread, NULL);
    }
    block = (size_t *)(void *)(memory + used);
    used += (bytes + 31) & ~(size_t)15;
    if (used > sizeof memory)
        __builtin_trap();
    pthread_mutex_unlock(&lock);
    *block = bytes;
    return block + 2;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t n, size_t bytes)
{
    return malloc(n * bytes); /* nothing is ever used again: it is zero */
}

void *realloc(void *block, size_t bytes)
{
    void *other = malloc(bytes);

    if (block) {
        size_t had = ((size_t *)block)[-2];
        memcpy(other, block, had < bytes ? had : bytes);
    }
    return other;
}

int main(int argc, char **argv)
{
    void *(*volatile allocate)(size_t) = malloc; /* not to be optimised away */

    arguments(argc, argv, 0);
    begun = true;
    allocate(1);
    if (!wrong)
        finish(thread);
    assert(purges == 1);
    return 0;
}
