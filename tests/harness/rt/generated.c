/* generated.c - programs without number, for both engines: what each thread does follows from a seed.
 *
 *   generated SEED
 *
 * Half of the seeds do what is right. Of the others each has one fault: locks in both orders, an update
 * without a lock that is asserted or decides the exit code, a wait that nobody ends, a crash.
 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOCKS = 3, MOST = 5, OPERATIONS = 6 };
enum fault { ORDERS, COUNT, CODE, FORGOTTEN, CRASH, FAULTS };

static pthread_mutex_t lock[LOCKS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                      PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t slots;
static bool open;
static int sum, loose, tidied, *volatile late;
static uint64_t seed;
static bool wrong;
static enum fault fault;
static pthread_t last_child;
static __thread int own;

static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void tidy(void *p)
{
    free(p);
    pthread_mutex_lock(&lock[0]);
    tidied++;
    pthread_mutex_unlock(&lock[0]);
}

static void first(void)
{
    sum += 100;
}

static void *child(void *arg)
{
    pthread_mutex_lock(&lock[1]);
    sum++;
    pthread_mutex_unlock(&lock[1]);
    if (own++ % 2)
        pthread_exit(arg);
    return arg;
}

static void use_memory(uint32_t kind)
{
    size_t bytes = (size_t[]){24, 5000, 200000, 40u << 20}[kind % 4];
    unsigned char *p = malloc(bytes), *q = calloc(1, 64);

    if (!p || !q)
        abort();
    memset(p, 0x5a, bytes < 4096 ? bytes : 4096);
    p[bytes - 1] = q[63];
    p = realloc(p, bytes + 100);
    assert(p[1] == 0x5a);
    free(q);
    free(p);
}

static uint32_t deep(uint32_t depth)
{
    volatile char room[20000];

    room[depth % sizeof room] = (char)depth;
    return depth ? deep(depth - 1) + (room[depth % sizeof room] != 0) : 0;
}

static void two_locks(uint32_t x)
{
    unsigned a = x % 2, b = a + 1;

    if (wrong && fault == ORDERS && x % 4 >= 2) {
        unsigned c = a;
        a = b;
        b = c;
    }
    pthread_mutex_lock(&lock[a]);
    pthread_mutex_lock(&lock[b]);
    sum++;
    pthread_mutex_unlock(&lock[b]);
    pthread_mutex_unlock(&lock[a]);
}

static void be_wrong(uint32_t x)
{
    if (fault == COUNT || fault == CODE) {
        int seen = loose;
        sem_wait(&slots); /* a place to switch at */
        sem_post(&slots);
        loose = seen + 1;
        if (fault == COUNT)
            assert(loose > seen && loose == seen + 1 && (x % 2 || loose >= own));
    } else if (fault == CRASH && x % 3 == 0) {
        int *p = late;
        if (p)
            pthread_mutex_lock(&lock[0]);
        p = late;
        if (*p == 4)
            sum++;
        if (p)
            pthread_mutex_unlock(&lock[0]);
    }
}

static void operate(uint32_t x)
{
    pthread_t t;
    void *result;

    switch (x % 16) {
    case 0:
    case 1:
        two_locks(x / 16);
        break;
    case 2:
        sem_wait(&slots);
        own++;
        sem_post(&slots);
        break;
    case 3:
        pthread_rwlock_rdlock(&table);
        own += sum > 5;
        pthread_rwlock_unlock(&table);
        break;
    case 4:
        pthread_rwlock_wrlock(&table);
        pthread_rwlock_unlock(&table);
        break;
    case 5:
        use_memory(x / 16);
        break;
    case 6:
        printf("%d at %u\n", own, x / 16 % 7);
        break;
    case 7:
        pthread_once(&once, first);
        break;
    case 8:
        nanosleep(&(struct timespec){.tv_nsec = 1000 * (x / 16 % 5)}, NULL);
        break;
    case 9:
        if (pthread_mutex_trylock(&lock[2]) == 0)
            pthread_mutex_unlock(&lock[2]);
        break;
    case 10:
        if (pthread_create(&t, NULL, child, &sum) == 0 && pthread_join(t, &result) == 0)
            assert(result == &sum);
        /* libc gives the handle of a thread that was joined to the next one */
        printf("%s\n", pthread_equal(t, last_child) ? "the same" : "another");
        last_child = t;
        break;
    case 11:
        pthread_setspecific(key, malloc(10));
        break;
    case 12:
        own += (int)deep(x / 16 % 12) & 1;
        break;
    case 13: {
        FILE *f = fopen("/etc/passwd", "r");
        own += f && fgetc(f) != EOF;
        if (f)
            fclose(f);
        break;
    }
    case 14:
        fprintf(stderr, "%d\n", sum > 3);
        break;
    default:
        pthread_mutex_lock(&gate);
        open = true;
        pthread_cond_broadcast(&opened);
        pthread_mutex_unlock(&gate);
        if (wrong)
            be_wrong(x / 16);
    }
}

static void *work(void *arg)
{
    uint64_t state = seed * 1000003u + (uintptr_t)arg;

    for (int i = 0; i < OPERATIONS; i++)
        operate(next(&state));
    if (wrong)
        be_wrong(next(&state));
    if ((uintptr_t)arg == 1) { /* who comes last opens, unless that is what is wrong */
        pthread_mutex_lock(&gate);
        while (!open)
            pthread_cond_wait(&opened, &gate);
        pthread_mutex_unlock(&gate);
    }
    return arg;
}

int main(int argc, char **argv)
{
    static int four = 4;
    pthread_t t[MOST];
    uint64_t state;
    unsigned threads, i;

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    state = seed * 77 + 5;
    wrong = next(&state) % 2;
    fault = next(&state) % FAULTS;
    threads = 2 + next(&state) % (MOST - 1);
    pthread_key_create(&key, tidy);
    sem_init(&slots, 0, 1 + next(&state) % 2);
    for (i = 0; i < threads; i++)
        pthread_create(&t[i], NULL, work, (void *)(uintptr_t)(i + 1));
    late = &four;
    if (!(wrong && fault == FORGOTTEN)) {
        pthread_mutex_lock(&gate);
        open = true;
        pthread_cond_broadcast(&opened);
        pthread_mutex_unlock(&gate);
    }
    for (i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    printf("%d %d\n", sum, tidied);
    return wrong && fault == CODE && loose < (int)threads;
}
