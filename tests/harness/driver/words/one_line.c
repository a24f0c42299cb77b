/* one_line.c - races of two variables that share a word of memory and a line, and of two parts of one. */
#include <pthread.h>

static struct {
    short hits, misses;
} counts;
static short late __attribute__((aligned(8))), kept;

static void *bump(void *parts)
{
    if (parts)
        counts.hits++, counts.misses++;
    else
        late++, kept++;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t a, b;
    (void)argv;
    pthread_create(&a, NULL, bump, argc > 1 ? &counts : NULL);
    pthread_create(&b, NULL, bump, argc > 1 ? &counts : NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return counts.hits + counts.misses + late + kept > 100;
}
