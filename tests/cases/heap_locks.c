/* Things of one's own in memory from the heap, made while threads already run and use theirs, which come in
 * another order from schedule to schedule: heap_locks WHAT TWIN. */
#include "case.h"
#include <heddle/heddle.h>

struct thread {
    pthread_t id;
    pthread_mutex_t lock;
    int state;
    void (*body)(void);
};

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t readers = PTHREAD_COND_INITIALIZER, writers = PTHREAD_COND_INITIALIZER;
static int held, waiting;
static long count;

static void read_lock(void)
{
    pthread_mutex_lock(&m);
    while (held < 0 || waiting > 0)
        pthread_cond_wait(&readers, &m);
    held++;
    pthread_mutex_unlock(&m);
    if (wrong)
        count++;
}

static void unlock(void)
{
    pthread_mutex_lock(&m);
    held = held > 0 ? held - 1 : 0;
    if (held == 0)
        pthread_cond_broadcast(&writers);
    pthread_cond_broadcast(&readers);
    pthread_mutex_unlock(&m);
    if (wrong)
        count++;
}

/* Reading twice waits behind a writer that came in between. */
static void reader(void)
{
    read_lock();
    if (wrong) {
        read_lock();
        unlock();
    }
    unlock();
}

static void writer(void)
{
    pthread_mutex_lock(&m);
    while (held != 0) {
        waiting++;
        pthread_cond_wait(&writers, &m);
        waiting--;
    }
    held = -1;
    pthread_mutex_unlock(&m);
    unlock();
}

static void *root(void *arg)
{
    struct thread *self = arg;

    if (wrong)
        self->state = 1;
    self->body();
    return NULL;
}

static struct thread *launch(void (*body)(void))
{
    struct thread *t = calloc(1, sizeof *t);

    assert(t);
    pthread_mutex_init(&t->lock, NULL);
    t->body = body;
    t->id = start(root, t);
    if (wrong)
        t->state |= 2;
    return t;
}

static void heap_readers(void)
{
    struct thread *t = launch(writer), *u = launch(reader);

    finish(t->id);
    finish(u->id);
    free(t);
    free(u);
}

/* Each makes two locks of its own and hands them to the other: who is first makes the first. */
static pthread_mutex_t *made[4];
static int number;

static pthread_mutex_t *new_lock(void)
{
    pthread_mutex_t *lock = malloc(sizeof *lock);

    assert(lock);
    pthread_mutex_init(lock, NULL);
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return lock;
}

static pthread_barrier_t barrier;

static void *makes(void *arg)
{
    int mine, first, second;

    pthread_mutex_lock(&m);
    mine = number++;
    pthread_mutex_unlock(&m);
    made[mine] = new_lock();
    made[mine + 2] = new_lock();
    pthread_barrier_wait(&barrier);
    first = wrong ? mine : 0;
    second = wrong ? 1 - mine : 1;
    pthread_mutex_lock(made[first]);
    pthread_mutex_lock(made[second]);
    pthread_mutex_unlock(made[second]);
    pthread_mutex_unlock(made[first]);
    return arg;
}

static void heap_orders(void)
{
    pthread_t t, u;

    pthread_barrier_init(&barrier, NULL, 2);
    t = start(makes, NULL);
    u = start(makes, NULL);
    finish(t);
    finish(u);
}

/* The same with what lib/ has. */
static struct hd_mutex *go_made[2];
static struct hd_chan *ready;

static void go_makes(void *arg)
{
    int mine;

    pthread_mutex_lock(&m);
    mine = number++;
    pthread_mutex_unlock(&m);
    go_made[mine] = calloc(1, sizeof **go_made);
    hd_mutex_lock(go_made[mine]);
    hd_mutex_unlock(go_made[mine]);
    if (mine == 0)
        hd_chan_recv(ready, NULL);
    else
        hd_chan_send(ready, NULL);
    hd_mutex_lock(go_made[wrong ? mine : 0]);
    hd_mutex_lock(go_made[wrong ? 1 - mine : 1]);
    hd_mutex_unlock(go_made[0]);
    hd_mutex_unlock(go_made[1]);
    (void)arg;
}

static void heap_goroutines(void)
{
    struct hd_wg wg = HD_WG_INIT;

    ready = hd_chan_make(0, 0);
    if (hd_wg_go(&wg, go_makes, NULL) || hd_wg_go(&wg, go_makes, NULL))
        exit(2);
    hd_wg_wait(&wg);
}

/* A request brings its own condition variable; the answer comes to whom it found first. */
struct request {
    pthread_cond_t answered;
    struct request *next;
    bool done;
};
static struct request *requests;

static void *asks(void *arg)
{
    struct request *r = calloc(1, sizeof *r);

    assert(r);
    pthread_cond_init(&r->answered, NULL);
    pthread_mutex_lock(&m);
    r->next = requests;
    requests = r;
    while (!r->done)
        pthread_cond_wait(&r->answered, &m);
    pthread_mutex_unlock(&m);
    free(r);
    return arg;
}

/* A wrong one answers those that it finds, once; who comes later has no answer. */
static void heap_requests(void)
{
    pthread_t t = start(asks, NULL), u = start(asks, NULL);
    int answered = 0;

    do {
        pthread_mutex_lock(&m);
        for (; requests; requests = requests->next, answered++) {
            requests->done = true;
            pthread_cond_signal(&requests->answered);
        }
        pthread_mutex_unlock(&m);
        sched_yield();
    } while (!wrong && answered < 2);
    finish(t);
    finish(u);
}

static const struct variant all[] = {VARIANT(heap, readers), VARIANT(heap, orders),
                                     VARIANT(heap, goroutines), VARIANT(heap, requests)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(all, argv[1])->run();
    return 0;
}
