/* generated.c - small programs without number: what each thread does follows from a seed.
 *
 *   generated SEED FILE
 *
 * Two to four threads do one to three operations each, of every kind, on few objects; with seeds from 1000000 on
 * two threads do one each. What each saw, and what
 * was left in the end, is one line that is appended to FILE. A schedule that deadlocks has none.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef CHANNELS
#include <heddle/chan.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>
#endif

#if defined ATOMICS || defined CHANNELS
#define FIRST_KIND (next(&state) % 2 ? 27 : 0)
#else
#define FIRST_KIND 0
#endif
enum { TINY = 1000000, THREADS = 4, OPERATIONS = 3, NOTES = 16, KINDS = 32 };

static pthread_mutex_t lock[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;
static pthread_barrier_t pair;
static sem_t units;
static int visits[2], rows, turns, initialised, told, spins;
#ifdef ATOMICS
static atomic_int word[2];
static int loose;
#endif
#ifdef CHANNELS
static struct hd_chan *chan[2]; /* of no capacity, and of one value */
static struct hd_wg busy;
#endif
static uint64_t seed;
static struct thread {
    uint32_t operation[OPERATIONS];
    unsigned operations, notes;
    int note[NOTES];
    pthread_mutex_t own;
} thread[THREADS];

static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void note(struct thread *t, int what)
{
    if (t->notes < NOTES)
        t->note[t->notes++] = what;
}

/* It is looked at the clock in a step of the thread's own. */
static struct timespec soon(struct thread *t, int ms)
{
    struct timespec ts;

    pthread_mutex_lock(&t->own);
    pthread_mutex_unlock(&t->own);
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_nsec += ms * 1000000L;
    if (ts.tv_nsec >= 1000000000L) {
        ts.tv_nsec -= 1000000000L;
        ts.tv_sec++;
    }
    return ts;
}

static void initialise(void)
{
    initialised++;
}

static void visit(struct thread *t, unsigned i)
{
    note(t, visits[i]++);
    pthread_mutex_unlock(&lock[i]);
}

#ifdef CHANNELS
static void communicate(struct thread *t, unsigned i, unsigned kind)
{
    int value = (int)(t - thread) + 1, got[2] = {0, 0};

    switch (kind) {
    case 0:
        hd_chan_send(chan[i], &value);
        break;
    case 1:
        hd_chan_recv(chan[i], &got[i]);
        break;
    case 2:
        note(t, hd_chan_offer(chan[i], &value));
        break;
    case 3:
        note(t, hd_chan_try_recv(chan[i], &got[i], NULL));
        break;
    case 4:
        note(t, HD_SELECT(HD_RECV(chan[0], &got[0]), HD_RECV(chan[1], &got[1])));
        break;
    case 5:
        note(t, HD_SELECT(HD_SEND(chan[i], &value), HD_RECV(chan[!i], &got[!i])));
        break;
    case 6:
        note(t, HD_SELECT_DEFAULT(HD_RECV(chan[i], &got[i]), HD_SEND(chan[!i], &value)));
        break;
    case 7:
        hd_wg_add(&busy, 1);
        hd_wg_done(&busy);
        return;
    default:
        hd_wg_wait(&busy);
        return;
    }
    note(t, got[0] + 10 * got[1]);
}
#endif

static void operate(struct thread *t, uint32_t x)
{
    unsigned i = x / KINDS % 2;
    struct timespec ts;
    int rc;

    switch (x % KINDS) {
    case 0:
    case 1:
    case 2:
        pthread_mutex_lock(&lock[i]);
        visit(t, i);
        break;
    case 3:
    case 4:
        pthread_mutex_lock(&lock[i]);
        pthread_mutex_lock(&lock[!i]);
        note(t, visits[!i]++);
        pthread_mutex_unlock(&lock[!i]);
        visit(t, i);
        break;
    case 5:
    case 6:
        rc = pthread_mutex_trylock(&lock[i]);
        note(t, rc);
        if (rc == 0)
            visit(t, i);
        break;
    case 7:
    case 8:
        pthread_rwlock_rdlock(&table);
        note(t, rows);
        pthread_rwlock_unlock(&table);
        break;
    case 9:
        pthread_rwlock_wrlock(&table);
        note(t, rows++);
        pthread_rwlock_unlock(&table);
        break;
    case 10:
        rc = i ? pthread_rwlock_tryrdlock(&table) : pthread_rwlock_trywrlock(&table);
        note(t, rc);
        if (rc == 0)
            pthread_rwlock_unlock(&table);
        break;
    case 11:
        sem_wait(&units);
        note(t, turns++);
        sem_post(&units);
        break;
    case 12:
        note(t, sem_trywait(&units));
        break;
    case 13:
        sem_post(&units);
        break;
    case 14:
        sem_getvalue(&units, &rc);
        note(t, rc);
        break;
    case 15:
    case 16:
        pthread_mutex_lock(&gate);
        told++;
        if (i)
            pthread_cond_broadcast(&news);
        else
            pthread_cond_signal(&news);
        pthread_mutex_unlock(&gate);
        break;
    case 17:
    case 18:
        pthread_mutex_lock(&gate);
        if (!told)
            pthread_cond_wait(&news, &gate);
        note(t, told);
        pthread_mutex_unlock(&gate);
        break;
    case 19:
        ts = soon(t, 1);
        pthread_mutex_lock(&gate);
        rc = told ? 0 : pthread_cond_timedwait(&news, &gate, &ts);
        note(t, rc);
        pthread_mutex_unlock(&gate);
        break;
    case 20:
        pthread_once(&once, initialise);
        note(t, initialised);
        break;
    case 21:
        note(t, pthread_barrier_wait(&pair));
        break;
    case 22:
        ts = soon(t, 1);
        rc = pthread_mutex_timedlock(&lock[i], &ts);
        note(t, rc);
        if (rc == 0)
            visit(t, i);
        break;
    case 23:
        ts = soon(t, 1);
        note(t, sem_timedwait(&units, &ts));
        break;
    case 24:
        pthread_mutex_lock(&t->own);
        pthread_mutex_unlock(&t->own);
        nanosleep(&(struct timespec){.tv_nsec = 1000000 + 1000000 * (long)i}, NULL);
        break;
    case 25:
        rc = i ? pthread_spin_trylock(&spin) : pthread_spin_lock(&spin);
        note(t, rc);
        if (rc == 0) {
            note(t, spins++);
            pthread_spin_unlock(&spin);
        }
        break;
    case 26: /* two that wait on one signal, and who is woken sees it */
        pthread_mutex_lock(&gate);
        pthread_cond_wait(&news, &gate);
        note(t, told);
        pthread_mutex_unlock(&gate);
        break;
    default:
#ifdef ATOMICS
        switch (x / 64 % 6) {
        case 0:
            note(t, atomic_load(&word[i]));
            break;
        case 1:
            atomic_store(&word[i], (int)(t - thread) + 1);
            break;
        case 2:
            note(t, atomic_fetch_add(&word[i], 10));
            break;
        case 3:
            rc = 0;
            note(t, atomic_compare_exchange_strong(&word[i], &rc, 5));
            break;
        case 4:
            note(t, loose);
            break;
        default:
            loose = (int)(t - thread) + 1;
        }
#elif defined CHANNELS
        communicate(t, i, x / 64 % 9);
#else
        pthread_mutex_lock(&lock[i]);
        visit(t, i);
#endif
    }
}

static void *work(void *arg)
{
    struct thread *t = arg;

    for (unsigned i = 0; i < t->operations; i++)
        operate(t, t->operation[i]);
    return NULL;
}

static void leave_word(const char *file, unsigned threads)
{
    char line[1024];
    int used = 0, fd, value;

    for (unsigned i = 0; i < threads; i++) {
        used += snprintf(line + used, sizeof line - (size_t)used, "T%u", i + 1);
        for (unsigned k = 0; k < thread[i].notes; k++)
            used += snprintf(line + used, sizeof line - (size_t)used, " %d", thread[i].note[k]);
        used += snprintf(line + used, sizeof line - (size_t)used, ", ");
    }
    sem_getvalue(&units, &value);
    used += snprintf(line + used, sizeof line - (size_t)used, "left %d %d %d %d %d %d", visits[0],
                     visits[1], rows, turns, told, value);
#ifdef ATOMICS
    used += snprintf(line + used, sizeof line - (size_t)used, " %d %d", atomic_load(&word[0]),
                     atomic_load(&word[1]));
    used += snprintf(line + used, sizeof line - (size_t)used, " %d", loose);
#endif
    line[used++] = '\n';
    fd = open(file, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd < 0 || write(fd, line, (size_t)used) != used)
        abort();
    close(fd);
}

int main(int argc, char **argv)
{
    pthread_t handle[THREADS];
    uint64_t state;
    unsigned threads, steps, kinds, kind[4];

    if (argc < 3)
        return 2;
    seed = strtoull(argv[1], NULL, 10);
    state = seed * 7919 + 13;
    next(&state);
    threads = 2 + next(&state) % 3;
    steps = threads == 2 ? 4 + next(&state) % 3 : threads + next(&state) % 2;
    if (seed >= TINY)
        threads = steps = 2;
    kinds = 1 + next(&state) % 4; /* few kinds, so that threads meet */
    for (unsigned i = 0; i < kinds; i++) {
        unsigned from = FIRST_KIND;
        kind[i] = from + next(&state) % (KINDS - from);
    }
    for (unsigned i = 0; i < steps; i++) {
        struct thread *t = &thread[i % threads];
        uint32_t x = next(&state);
        t->operation[t->operations++] = x / KINDS * KINDS + kind[x / 64 % kinds];
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_mutex_init(&thread[i].own, NULL);
    sem_init(&units, 0, next(&state) % 3);
    pthread_spin_init(&spin, 0);
    pthread_barrier_init(&pair, NULL, 2);
#ifdef CHANNELS
    for (size_t i = 0; i < 2; i++)
        chan[i] = hd_chan_make(sizeof(int), i);
    hd_wg_init(&busy, "busy");
#endif
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&handle[i], NULL, work, &thread[i]))
            return 2;
    for (unsigned i = 0; i < threads; i++)
        pthread_join(handle[i], NULL);
    leave_word(argv[2], threads);
    return 0;
}
