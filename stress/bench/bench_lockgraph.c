/* bench_lockgraph.c - what a lock and its unlock cost: ns a pair.
 *
 *   bench_lockgraph HELD LOCKS THREADS ROUNDS
 * Each of THREADS threads holds HELD locks of its own and takes LOCKS more in turn, in the same
 * order every time, nested in those; nobody else wants them. Prints the median of the threads' ns a
 * pair once every order is known. Run bench_lockgraph.sh for the table: plain, followed, under
 * other tools.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long held, locks, rounds;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* whatever else the machine does */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct bench {
    pthread_mutex_t *lock;
    double ns;
};

static void *run(void *arg)
{
    struct bench *b = arg;
    pthread_mutex_t *inner = b->lock + held;
    double best = 1e18;
    for (long i = 0; i < held; i++)
        pthread_mutex_lock(&b->lock[i]);
    for (int turn = 0; turn < 6; turn++) { /* the first teaches the order */
        double start = now();
        for (long n = 0, i = 0; n < rounds; n++, i = i + 1 == locks ? 0 : i + 1) {
            pthread_mutex_lock(&inner[i]);
            pthread_mutex_unlock(&inner[i]);
        }
        double ns = (now() - start) / (double)rounds;
        if (turn && ns < best)
            best = ns;
    }
    for (long i = held; i-- > 0;)
        pthread_mutex_unlock(&b->lock[i]);
    b->ns = best;
    return NULL;
}

static int by_ns(const void *x, const void *y)
{
    double a = ((const struct bench *)x)->ns, b = ((const struct bench *)y)->ns;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("bench_lockgraph HELD LOCKS THREADS ROUNDS\n", stderr);
        return 2;
    }
    held = atol(argv[1]);
    locks = atol(argv[2]);
    long threads = atol(argv[3]);
    rounds = atol(argv[4]);
    if (held < 0 || locks < 1 || threads < 1 || threads > 256 || rounds < locks) {
        fputs("bench_lockgraph: LOCKS and THREADS are at least 1, ROUNDS at least LOCKS\n", stderr);
        return 2;
    }
    static struct bench b[256];
    static pthread_t thread[256];
    for (long t = 0; t < threads; t++) {
        b[t].lock = calloc((size_t)(held + locks), sizeof *b[t].lock);
        for (long i = 0; i < held + locks; i++)
            pthread_mutex_init(&b[t].lock[i], NULL);
    }
    for (long t = 0; t < threads; t++)
        pthread_create(&thread[t], NULL, run, &b[t]);
    for (long t = 0; t < threads; t++)
        pthread_join(thread[t], NULL);
    qsort(b, (size_t)threads, sizeof *b, by_ns);
    printf("%.1f\n", b[threads / 2].ns);
    return 0;
}
