/* victim.c - programs whose answer is known, for the look at what can be reached: victim NAME
 *
 * One thread waits for an object while main works on for ever (the step bound ends the schedule).
 * Those called lost_ have lost the way to the object, in all others there is one, of the kind that
 * the name says. What is true of each is in test_reach.sh.
 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <heddle/heddle.h>

#ifdef __clang__ /* which clones nothing */
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, noclone))
#endif

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
void *volatile kept; /* a variable that somebody could read */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

static struct gate *gate_make(void)
{
    struct gate *g = malloc(sizeof *g);

    assert(g);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->opened, NULL);
    g->open = false;
    return g;
}

static void *pass(void *arg)
{
    struct gate *g = arg;

    pthread_mutex_lock(&g->lock);
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

static void open_gate(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

static pthread_t start(void *(*body)(void *), void *arg)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, body, arg);

    assert(error == 0);
    return t;
}

static void go(void (*fn)(void *), void *arg)
{
    if (hd_go(fn, arg))
        abort();
}

/* A thread waits at a gate; the caller has the only pointer to it. */
static APART struct gate *someone_waits(void)
{
    struct gate *g = gate_make();

    pthread_detach(start(pass, g));
    return g;
}

/* What functions that have returned left on the stack. */
static APART void scrub(void)
{
    volatile unsigned char room[16384];

    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

static volatile bool over; /* never */

static void work(unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        pthread_mutex_lock(&busy);
        pthread_mutex_unlock(&busy);
    }
}

/* ---- lost ---- */

static void send_one(void *arg)
{
    int value = 42;

    hd_chan_send(arg, &value);
    hd_chan_unref(arg);
}

/* The classic: the caller gave up before the answer came, and the channel has no buffer. */
static APART void lost_answer(void)
{
    struct hd_chan *answers = hd_chan_make(sizeof(int), 0);

    go(send_one, hd_chan_ref(answers));
    hd_chan_unref(answers);
}

/* Where a look comes by memory that cannot be read, in a mapping that can: a guard is in no list of mappings. */
static void map_beside_guard(void)
{
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert(pages != MAP_FAILED);
    pages[2 * 4096] = 1;
    if (madvise(pages + 4096, 4096, 102) != 0) /* MADV_GUARD_INSTALL */
        fprintf(stderr, "not tested: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)\n");
    kept = pages;
}

static APART void lost_beside_guard(void)
{
    map_beside_guard();
    lost_answer();
}

static void nobody_sends(void *arg)
{
    hd_chan_recv(arg, NULL);
}

static APART void lost_nil_channel(void)
{
    go(nobody_sends, NULL);
}

static APART void lost_gate(void)
{
    (void)someone_waits();
}

/* Destroyed by giving its memory back. */
static APART void lost_freed(void)
{
    struct gate *g = someone_waits();

    work(20);
    free(g);
}

static void *take(void *arg)
{
    sem_wait(arg);
    return NULL;
}

static APART void lost_semaphore(void)
{
    sem_t *s = malloc(sizeof *s);

    sem_init(s, 0, 0);
    pthread_detach(start(take, s));
}

static void *take_within_an_hour(void *arg)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3600;
    sem_timedwait(arg, &until);
    return NULL;
}

/* Nobody can post it, but the wait ends by itself. */
static APART void ends_by_itself(void)
{
    sem_t *s = malloc(sizeof *s);

    sem_init(s, 0, 0);
    pthread_detach(start(take_within_an_hour, s));
}

static void *meet(void *arg)
{
    pthread_barrier_wait(arg);
    return NULL;
}

/* Three are expected, and only two will come. */
static APART void lost_barrier(void)
{
    pthread_barrier_t *b = malloc(sizeof *b);

    pthread_barrier_init(b, NULL, 3);
    pthread_detach(start(meet, b));
    pthread_detach(start(meet, b));
}

struct pair {
    struct hd_chan *mine, *yours;
};

static void call_back(void *arg)
{
    struct pair *p = arg;

    hd_chan_recv(p->mine, NULL);
    hd_chan_send(p->yours, NULL);
}

/* Two who wait for each other alone. */
static APART void lost_circle(void)
{
    struct pair *a = malloc(sizeof *a), *b = malloc(sizeof *b);

    a->mine = b->yours = hd_chan_make(0, 0);
    a->yours = b->mine = hd_chan_make(0, 0);
    go(call_back, a);
    go(call_back, b);
}

static void wait_for_group(void *arg)
{
    hd_wg_wait(arg);
}

static APART void lost_waitgroup(void)
{
    struct hd_wg *wg = calloc(1, sizeof *wg);

    hd_wg_add(wg, 1);
    go(wait_for_group, wg);
}

static void *wait_for_own(void *arg)
{
    sem_t mine;

    sem_init(&mine, 0, 0);
    sem_wait(&mine);
    return arg;
}

static APART void lost_own_stack(void)
{
    pthread_detach(start(wait_for_own, NULL));
}

/* Its maker has ended; what is left of it is on a stack that nobody uses. */
static void *make_and_end(void *arg)
{
    (void)someone_waits();
    return arg;
}

static APART void lost_maker_ended(void)
{
    pthread_t t = start(make_and_end, NULL);

    pthread_join(t, NULL);
}

/* The next one waits on the stack of one who waits. */
static void *waits_in_turn(void *arg)
{
    sem_t inner;
    pthread_t t;

    sem_init(&inner, 0, 0);
    t = start(take, &inner);
    pass(arg);
    sem_post(&inner);
    pthread_join(t, NULL);
    return NULL;
}

static APART void lost_chain(void)
{
    pthread_detach(start(waits_in_turn, gate_make()));
}

static void choose_any(void *arg)
{
    struct pair *p = arg;
    struct hd_chan *a = p->mine, *b = p->yours;

    free(p);
    HD_SELECT(HD_RECV(a, NULL), HD_RECV(b, NULL));
}

static APART struct hd_chan *select_on_two(void)
{
    struct pair *p = malloc(sizeof *p);
    struct hd_chan *second;

    p->mine = hd_chan_make(0, 0);
    second = p->yours = hd_chan_make(0, 0);
    go(choose_any, p);
    return second;
}

static APART void lost_select(void)
{
    (void)select_on_two();
}

/* ---- kept ---- */

static void kept_global(void)
{
    kept = someone_waits();
}

/* What points to it stands behind the guard. */
static void kept_behind_guard(void)
{
    map_beside_guard();
    *(void **)((char *)kept + 2 * 4096) = someone_waits();
    kept = NULL;
}

static void kept_interior(void)
{
    kept = &someone_waits()->open;
}

static void kept_low_tag(void)
{
    kept = (void *)((uintptr_t)someone_waits() | 5);
}

static void kept_high_tag(void)
{
    kept = (void *)((uintptr_t)someone_waits() | (uintptr_t)0x1234 << 48);
}

static void kept_unaligned(void)
{
    static char record[32];
    struct gate *g = someone_waits();

    memcpy(record + 3, &g, sizeof g);
    kept = record;
}

static void kept_select(void)
{
    kept = select_on_two();
}

static void *works_on(void *arg)
{
    struct gate *volatile mine = arg;

    for (;;) {
        work(1);
        if (!mine)
            return NULL;
    }
}

static APART void kept_stack(void)
{
    pthread_detach(start(works_on, someone_waits()));
}

/* r15 is kept by the calls in between, and written nowhere but on the way into them, if at all. */
static void *works_with_register(void *arg)
{
    register void *mine __asm__("r15") = arg;

    arg = NULL;
    while (!over) {
        __asm__ volatile("" : "+r"(mine));
        work(1);
        __asm__ volatile("" : "+r"(mine));
    }
    return arg;
}

static APART void kept_register(void)
{
    pthread_detach(start(works_with_register, someone_waits()));
}

static __thread void *volatile of_thread;

static void *works_with_variable(void *arg)
{
    of_thread = arg;
    arg = NULL;
    scrub();
    while (!over)
        work(1);
    return NULL;
}

static APART void kept_thread_variable(void)
{
    pthread_detach(start(works_with_variable, someone_waits()));
}

static pthread_key_t key;

static void *works_with_key(void *arg)
{
    pthread_setspecific(key, arg);
    arg = NULL;
    scrub();
    while (!over)
        work(1);
    return NULL;
}

static APART void kept_key(void)
{
    pthread_key_create(&key, NULL);
    pthread_detach(start(works_with_key, someone_waits()));
}

static APART void kept_late_key(void)
{
    for (int i = 0; i < 100; i++) /* beyond those that are kept in the descriptor */
        pthread_key_create(&key, NULL);
    pthread_detach(start(works_with_key, someone_waits()));
}

static APART void kept_mapping(void)
{
    void **m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    m[7] = someone_waits();
}

static APART void kept_shared_mapping(void)
{
    void **m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    m[7] = someone_waits();
}

static APART void in_shared_memory(void)
{
    sem_t *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    sem_init(s, 1, 0);
    pthread_detach(start(take, s));
}

static void *sleeps_with(void *arg)
{
    struct timespec long_time = {1000000, 0};

    nanosleep(&long_time, NULL);
    open_gate(arg);
    return NULL;
}

static APART void kept_by_sleeper(void)
{
    pthread_detach(start(sleeps_with, someone_waits()));
}

static void *waits_then_opens(void *arg)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

    pthread_mutex_lock(&lock);
    pthread_cond_wait(&never, &lock);
    pthread_mutex_unlock(&lock);
    open_gate(arg);
    return NULL;
}

/* One waits for what a variable holds, and has what the other waits for. */
static APART void kept_by_waiter(void)
{
    pthread_detach(start(waits_then_opens, someone_waits()));
}

static APART void kept_by_chain(void)
{
    struct gate *g = gate_make();

    kept = g;
    pthread_detach(start(waits_in_turn, g));
}

static APART void kept_by_list(void)
{
    void **a = malloc(64), **b = calloc(1, 1 << 20), **c = aligned_alloc(4096, 8192);

    a = realloc(a, 200);
    c[900] = someone_waits();
    b[100000] = c;
    a[3] = b;
    kept = a;
}

static void *allocates(void *arg)
{
    void **mine = malloc(64);

    mine[1] = arg;
    kept = mine;
    while (!over)
        work(1);
    return NULL;
}

static APART void kept_in_arena(void)
{
    pthread_detach(start(allocates, someone_waits()));
}

static APART void kept_by_epoll(void)
{
    int ep = epoll_create1(0), fd = eventfd(0, 0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = someone_waits()};

    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static APART void kept_in_pipe(void)
{
    int ends[2];
    struct gate *g = someone_waits();

    if (pipe(ends) != 0 || write(ends[1], &g, sizeof g) != sizeof g)
        abort();
}

static void open_later(void *arg)
{
    open_gate(arg);
}

static APART void kept_by_timer(void)
{
    hd_timer_forget(hd_after_func((int64_t)1000000 * 1000000000, open_later, someone_waits()));
}

static APART void kept_by_posix_timer(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_NONE, .sigev_value.sival_ptr = someone_waits()};
    timer_t timer;

    timer_create(CLOCK_MONOTONIC, &e, &timer);
}

static void *makes_and_returns(void *arg)
{
    (void)arg;
    return someone_waits();
}

static pthread_t not_joined;

static APART void kept_as_result(void)
{
    not_joined = start(makes_and_returns, NULL);
}

static void *links_itself(void *arg)
{
    sem_t mine;

    sem_init(&mine, 0, 0);
    *(void *volatile *)arg = &mine; /* a list of those who wait */
    sem_wait(&mine);
    return NULL;
}

static APART void kept_list_of_waiters(void)
{
    pthread_detach(start(links_itself, (void *)&kept));
}

/* A handler may do what it likes with the variables of the thread that it interrupts. */
static void on_signal(int number)
{
    (void)number;
    sem_post(of_thread);
}

static void *waits_with_variable(void *arg)
{
    of_thread = arg;
    pass(arg);
    return NULL;
}

static APART void kept_for_handler(void)
{
    signal(SIGUSR1, on_signal);
    pthread_detach(start(waits_with_variable, gate_make()));
}

static APART void interrupted_semaphore(void)
{
    signal(SIGUSR1, on_signal);
    lost_semaphore();
}

static volatile pthread_t to_cancel;

static APART void kept_to_cancel(void)
{
    to_cancel = start(pass, gate_make());
    if (kept) /* some day */
        pthread_cancel(to_cancel);
}

/* A pointer that cannot be seen: the thread goes on after all, and nothing is said. */
static void hidden(void)
{
    volatile uintptr_t key_word = 0x5555555555555555;
    volatile uintptr_t secret = (uintptr_t)someone_waits() ^ key_word;

    scrub();
    work(4000);
    open_gate((struct gate *)(secret ^ key_word));
}

static const struct {
    const char *name;
    void (*run)(void);
} scenario[] = {
#define SCENARIO(name)                                                                             \
    {                                                                                              \
#name, name                                                                                \
    }
    SCENARIO(lost_answer),
    SCENARIO(lost_beside_guard),
    SCENARIO(lost_nil_channel),
    SCENARIO(lost_gate),
    SCENARIO(lost_freed),
    SCENARIO(lost_semaphore),
    SCENARIO(lost_barrier),
    SCENARIO(lost_circle),
    SCENARIO(lost_waitgroup),
    SCENARIO(lost_own_stack),
    SCENARIO(lost_maker_ended),
    SCENARIO(lost_chain),
    SCENARIO(lost_select),
    SCENARIO(kept_global),
    SCENARIO(kept_behind_guard),
    SCENARIO(kept_interior),
    SCENARIO(kept_low_tag),
    SCENARIO(kept_high_tag),
    SCENARIO(kept_unaligned),
    SCENARIO(kept_select),
    SCENARIO(kept_stack),
    SCENARIO(kept_register),
    SCENARIO(kept_thread_variable),
    SCENARIO(kept_key),
    SCENARIO(kept_late_key),
    SCENARIO(kept_mapping),
    SCENARIO(kept_shared_mapping),
    SCENARIO(in_shared_memory),
    SCENARIO(kept_by_sleeper),
    SCENARIO(kept_by_waiter),
    SCENARIO(kept_by_chain),
    SCENARIO(kept_by_list),
    SCENARIO(kept_in_arena),
    SCENARIO(kept_by_epoll),
    SCENARIO(kept_in_pipe),
    SCENARIO(kept_by_timer),
    SCENARIO(kept_by_posix_timer),
    SCENARIO(kept_as_result),
    SCENARIO(kept_list_of_waiters),
    SCENARIO(kept_for_handler),
    SCENARIO(interrupted_semaphore),
    SCENARIO(kept_to_cancel),
    SCENARIO(ends_by_itself),
    SCENARIO(hidden),
};

int main(int argc, char **argv)
{
    bool leaves = argc == 3 && strcmp(argv[2], "leave") == 0;

    for (size_t i = 0; i < sizeof scenario / sizeof scenario[0]; i++)
        if (argc >= 2 && strcmp(argv[1], scenario[i].name) == 0) {
            scenario[i].run();
            scrub();
            if (leaves) {
                work(30);
                _exit(0);
            }
            for (;;)
                work(1000);
        }
    if (argc == 1)
        for (size_t i = 0; i < sizeof scenario / sizeof scenario[0]; i++)
            puts(scenario[i].name);
    return argc == 1 ? 0 : 2;
}
