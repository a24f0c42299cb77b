/* hung_lib.c - programs with goroutines that hang, one of each kind: hung_lib KIND */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <heddle/heddle.h>

static struct hd_chan *jobs, *results;
static struct hd_wg group;
static struct hd_mutex lock, other;
static struct hd_rwmutex shelf;
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;

static void sends(void *arg)
{
    int job = 1;
    (void)arg;
    hd_chan_send(jobs, &job);
}

static void selects(void *arg)
{
    int value = 0;
    HD_SELECT(HD_RECV(results, &value), HD_SEND(jobs, &value), HD_RECV(hd_context_done(arg), NULL));
}

static void from_nil(void *arg)
{
    hd_chan_recv(arg, NULL);
}

static void locks(void *arg)
{
    hd_mutex_lock(arg);
}

static void locks_both(void *arg)
{
    (void)arg;
    hd_mutex_lock(&other);
    usleep(50000);
    hd_mutex_lock(&lock);
}

static void writes(void *arg)
{
    (void)arg;
    hd_rwmutex_lock(&shelf);
}

static void waits(void *arg)
{
    (void)arg;
    hd_wg_wait(&group);
    usleep(1);
}

static void locks_plain(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&plain);
}

static void sleeps(void *arg)
{
    int result = 1;
    (void)arg;
    hd_sleep(INT64_C(3600) * 1000000000);
    hd_chan_send(results, &result);
}

static void keeps_plain(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&plain);
    hd_chan_recv(results, NULL);
}

static void computes(void *arg)
{
    for (;;)
        __asm__ volatile("" ::"r"(arg));
}

static void yields(void *arg)
{
    for (;;) {
        hd_go_yield();
        (void)arg;
    }
}

static void no_fault(int number)
{
    (void)number;
}

static void go(const char *name, void (*fn)(void *), void *arg)
{
    if (hd_go_named(name, fn, arg))
        _exit(98);
}

static void run(const char *kind)
{
    jobs = hd_chan_make(sizeof(int), 2);
    results = hd_chan_make(sizeof(int), 0);
    if (strcmp(kind, "send") == 0) {
        for (int i = 0; i < 3; i++)
            go("sender", sends, NULL);
        usleep(20000);
        hd_chan_recv(results, NULL);
    } else if (strcmp(kind, "select") == 0) {
        struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
        sends(NULL);
        sends(NULL);
        go("chooser", selects, ctx);
        hd_chan_recv(results, NULL);
    } else if (strcmp(kind, "nil") == 0) {
        go(NULL, from_nil, NULL);
        from_nil(NULL);
    } else if (strcmp(kind, "group") == 0) {
        hd_wg_add(&group, 3);
        go("waiter", waits, NULL);
        hd_wg_wait(&group);
    } else if (strcmp(kind, "mutexes") == 0) {
        hd_mutex_lock(&lock);
        go("opposite", locks_both, NULL);
        while (hd_mutex_trylock(&other)) { /* until the goroutine has it */
            hd_mutex_unlock(&other);
            usleep(1000);
        }
        locks(&other);
    } else if (strcmp(kind, "rwmutex") == 0) {
        hd_rwmutex_rlock(&shelf);
        go("writer", writes, NULL);
        while (hd_rwmutex_try_rlock(&shelf)) { /* until the writer is in line */
            hd_rwmutex_runlock(&shelf);
            usleep(1000);
        }
        hd_rwmutex_rlock(&shelf);
    } else if (strcmp(kind, "plain") == 0) {
        pthread_mutex_lock(&plain);
        go("locker", locks_plain, NULL);
        pthread_mutex_lock(&plain);
    } else if (strcmp(kind, "held-across") == 0) {
        go("keeper", keeps_plain, NULL);
        while (pthread_mutex_trylock(&plain) == 0) { /* until the goroutine has it */
            pthread_mutex_unlock(&plain);
            usleep(1000);
        }
        pthread_mutex_lock(&plain);
    } else if (strcmp(kind, "stacks") == 0) {
        go("small", from_nil, NULL);
        if (hd_go_set_stack((size_t)1 << 20))
            _exit(98);
        go("large", from_nil, NULL);
        from_nil(NULL);
    } else if (strcmp(kind, "sleeper") == 0) {
        go("sleeper", sleeps, NULL);
        hd_chan_recv(results, NULL);
    } else if (strcmp(kind, "busy") == 0) {
        for (int i = 0; i < 4; i++)
            go("computer", computes, NULL);
        hd_chan_recv(results, NULL);
    } else if (strcmp(kind, "yielding") == 0) {
        for (int i = 0; i < 20; i++)
            go("yielder", yields, NULL);
        hd_chan_recv(results, NULL);
    } else if (strcmp(kind, "works") == 0) {
        sends(NULL);
        sends(NULL);
        go("idle", selects, hd_context_with_cancel(hd_context_background()));
        for (;;)
            sleep(1);
    }
}

int main(int argc, char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(300);
    signal(SIGFPE, no_fault); /* the library ends programs that hang, but for those with handlers */
    if (argc > 1)
        run(argv[1]);
    return 99;
}
