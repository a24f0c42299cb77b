/* Something fails that may: faults WHERE TWIN. A wrong one takes it for granted that it does not. */
#include "case.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <threads.h>

static sem_t given;

static void give(void)
{
    sem_post(&given);
}

static void run_beside(void *(*body)(void *), void *arg)
{
    finish(start(body, arg));
}

/* ---- malloc ---- */

static void touch(volatile char *p)
{
    *p = 1;
}

static bool is_bad(const void *p)
{
    return !wrong && !p;
}

static void *fills_block(void *unused)
{
    char *p = malloc(100);

    if (is_bad(p))
        return unused;
    touch(p);
    free(p);
    return unused;
}

static void faults_malloc(void)
{
    run_beside(fills_block, NULL);
}

static void *fills_table(void *unused)
{
    char *p = calloc(10, 10);

    if (is_bad(p))
        return unused;
    touch(p + 5);
    free(p);
    return unused;
}

static void faults_calloc(void)
{
    run_beside(fills_table, NULL);
}

/* A block that cannot be made larger is still there. */
static void *grows_block(void *unused)
{
    char *p = malloc(10), *larger;

    if (!p)
        return unused;
    larger = realloc(p, 1000000);
    if (is_bad(larger)) {
        touch(p);
        free(p);
        return unused;
    }
    touch(larger + 999);
    free(larger);
    return unused;
}

static void faults_realloc(void)
{
    run_beside(grows_block, NULL);
}

static void *fills_aligned_block(void *unused)
{
    void *p = NULL;

    if (posix_memalign(&p, 64, 64) && !wrong)
        return unused;
    touch(p);
    free(p);
    return unused;
}

static void faults_aligned(void)
{
    run_beside(fills_aligned_block, NULL);
}

/* libc allocates for the program. */
static void *copies_text(void *text)
{
    char *copy = strdup(text);

    if (is_bad(copy))
        return NULL;
    touch(copy);
    free(copy);
    return NULL;
}

static void faults_strdup(void)
{
    run_beside(copies_text, "text");
}

/* The seventeenth of one place. */
static void *fills_list(void *unused)
{
    for (int i = 0; i < 20; i++) {
        char *p = malloc(100);
        if (!p && (i != 16 || !wrong))
            break;
        touch(p);
        free(p);
    }
    return unused;
}

static void faults_the_seventeenth(void)
{
    run_beside(fills_list, NULL);
}

/* What stands in for the block that there is none, is to be had no more often. */
static void *fills_two_blocks(void *unused)
{
    static char spare[100];
    char *a = malloc(100), *b = malloc(100);

    if (!a && !b)
        a = wrong ? NULL : spare;
    touch(a ? a : b);
    free(a == spare ? NULL : a);
    free(b);
    return unused;
}

static void faults_two_at_once(void)
{
    run_beside(fills_two_blocks, NULL);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *volatile shared_block;

static void *makes_block(void *unused)
{
    char *p = malloc(10);

    pthread_mutex_lock(&lock);
    shared_block = p;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *uses_block(void *unused)
{
    pthread_mutex_lock(&lock);
    if (wrong ? shared_block == NULL : false)
        touch(shared_block);
    pthread_mutex_unlock(&lock);
    return unused;
}

/* It needs no fault. */
static void faults_beside_another_bug(void)
{
    pthread_t t[] = {start(makes_block, NULL), start(uses_block, NULL)};

    finish(t[0]);
    finish(t[1]);
}

/* Before there are threads nothing fails. */
static void faults_before_threads(void)
{
    char *p = malloc(10);

    touch(p);
    run_beside(fills_block, NULL);
    free(p);
}

/* ---- threads ---- */

static void *works(void *unused)
{
    return unused;
}

static void faults_pthread_create(void)
{
    pthread_t t[2];
    int error[2];

    memset(t, 0, sizeof t);
    for (int i = 0; i < 2; i++)
        error[i] = pthread_create(&t[i], NULL, works, NULL);
    for (int i = 0; i < 2; i++)
        if (wrong || error[i] == 0)
            pthread_join(t[i], NULL);
}

static int works_well(void *unused)
{
    (void)unused;
    return 0;
}

static void faults_thrd_create(void)
{
    thrd_t t;

    memset(&t, 0, sizeof t);
    if (thrd_create(&t, works_well, NULL) == thrd_success || wrong)
        thrd_join(t, NULL);
}

/* ---- reads and writes ---- */

enum { MESSAGE = 6000 };
static int ends[2];

static void *writes_message(void *unused)
{
    char message[MESSAGE] = "message";
    size_t done = 0;

    do {
        ssize_t n = write(ends[1], message + done, sizeof message - done);
        assert(n > 0);
        done += (size_t)n;
    } while (!wrong && done < sizeof message);
    return unused;
}

static void takes_message(int fd)
{
    char message[MESSAGE];

    for (size_t n = 0, left = sizeof message; left; left -= n) {
        n = (size_t)read(fd, message, left);
        assert(n <= left && n);
    }
}

static void faults_short_write(void)
{
    pthread_t t;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    t = start(writes_message, NULL);
    takes_message(ends[0]);
    finish(t);
}

static void faults_short_write_to_pipe(void)
{
    pthread_t t;

    assert(pipe(ends) == 0);
    t = start(writes_message, NULL);
    takes_message(ends[0]);
    finish(t);
}

/* The kernel takes so few into a pipe whole, or not at all. */
static void *writes_few(void *unused)
{
    assert(write(ends[1], "few", 3) == 3);
    return unused;
}

static void faults_whole_write(void)
{
    char few[3];

    assert(pipe(ends) == 0);
    run_beside(writes_few, NULL);
    assert(read(ends[0], few, 1) == 1 && read(ends[0], few, 1) == 1);
    assert(!wrong || read(ends[0], few, 2) == 2);
}

static void *writes_pieces(void *unused)
{
    char head[] = "head", tail[] = "tail";
    struct iovec v[] = {{head, 4}, {tail, 4}};
    ssize_t n = writev(ends[1], v, 2);

    for (size_t done = (size_t)n; !wrong && done < 8; done += (size_t)n)
        n = write(ends[1], "headtail" + done, 8 - done);
    return unused;
}

static void faults_short_writev(void)
{
    char text[8];
    pthread_t t;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    t = start(writes_pieces, NULL);
    for (size_t got = 0; got < sizeof text; got += (size_t)read(ends[0], text, sizeof text - got))
        ;
    finish(t);
}

static void *sends_text(void *unused)
{
    size_t done = 0;

    do
        done += (size_t)send(ends[1], "headtail" + done, 8 - done, 0);
    while (done < 8);
    return unused;
}

static void faults_short_recv(void)
{
    char text[8] = "";
    size_t got = 0;
    pthread_t t;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    t = start(sends_text, NULL);
    do
        got += (size_t)recv(ends[0], text + got, sizeof text - got, 0);
    while (!wrong && got < sizeof text);
    assert(memcmp(text, "headtail", 8) == 0);
    finish(t);
}

static void *sends_message(void *unused)
{
    char message[MESSAGE] = "message";
    size_t done = 0;

    do
        done += (size_t)send(ends[1], message + done, sizeof message - done, 0);
    while (!wrong && done < sizeof message);
    return unused;
}

/* Who waits for all of it gets it in parts. */
static void faults_short_send(void)
{
    char message[MESSAGE];
    pthread_t t;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    t = start(sends_message, NULL);
    for (size_t got = 0; got < sizeof message;) {
        ssize_t n = recv(ends[0], message + got, sizeof message - got, MSG_WAITALL);
        assert(n > 0);
        got += (size_t)n;
    }
    finish(t);
}

static void *reads_file(void *fd)
{
    char text[8] = "";
    size_t got = 0;

    do
        got += (size_t)read(*(int *)fd, text + got, sizeof text - got);
    while (!wrong && got < sizeof text);
    assert(memcmp(text, "headtail", 8) == 0);
    return NULL;
}

static void faults_short_read(void)
{
    FILE *f = tmpfile();
    int fd = f ? fileno(f) : -1;

    assert(f && write(fd, "headtail", 8) == 8 && lseek(fd, 0, SEEK_SET) == 0);
    run_beside(reads_file, &fd);
    fclose(f);
}

/* ---- EINTR ---- */

static void *gives(void *unused)
{
    give();
    return unused;
}

static void faults_interrupted_sem_wait(void)
{
    pthread_t t = start(gives, NULL);
    int rc;

    do
        rc = sem_wait(&given);
    while (!wrong && rc != 0 && errno == EINTR);
    assert(rc == 0);
    finish(t);
}

static void *writes_byte(void *unused)
{
    assert(write(ends[1], "x", 1) == 1);
    return unused;
}

static void faults_interrupted_read(void)
{
    char byte = 0;
    pthread_t t;

    assert(pipe(ends) == 0);
    t = start(writes_byte, NULL);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR && !wrong)
        ;
    assert(byte == 'x');
    finish(t);
}

static void faults_interrupted_poll(void)
{
    struct pollfd p = {.events = POLLIN};
    pthread_t t;

    assert(pipe(ends) == 0);
    p.fd = ends[0];
    t = start(writes_byte, NULL);
    while (poll(&p, 1, -1) < 0 && errno == EINTR && !wrong)
        ;
    assert(p.revents & POLLIN);
    finish(t);
}

/* libc reads for the stream, and goes on. */
static void *gets_line(void *stream)
{
    char line[8];

    assert(fgets(line, sizeof line, stream) && !wrong);
    return NULL;
}

static void faults_whole_line(void)
{
    FILE *f;
    pthread_t t;

    assert(pipe(ends) == 0 && (f = fdopen(ends[0], "r")));
    t = start(gets_line, f);
    assert(write(ends[1], "x\n", 2) == 2);
    finish(t);
    fclose(f);
}

/* ---- a weak exchange ---- */

static _Atomic int counter;

static void *counts(void *unused)
{
    int old = atomic_load(&counter);

    while (!atomic_compare_exchange_weak(&counter, &old, old + 1))
        if (wrong && old == 0) /* nobody else has counted */
            break;
    return unused;
}

static void faults_weak_exchange(void)
{
    pthread_t t[] = {start(counts, NULL), start(counts, NULL)};

    finish(t[0]);
    finish(t[1]);
    assert(atomic_load(&counter) == 2);
}

/* ---- cancellation ---- */

static void unlock(void *unused)
{
    (void)unused;
    pthread_mutex_unlock(&lock);
}

static void *sleeps_with_lock(void *unused)
{
    const struct timespec ms = {0, 1000000};

    pthread_mutex_lock(&lock);
    if (wrong) {
        nanosleep(&ms, NULL);
        pthread_mutex_unlock(&lock);
    } else {
        pthread_cleanup_push(unlock, NULL);
        nanosleep(&ms, NULL);
        pthread_cleanup_pop(1);
    }
    return unused;
}

static void faults_cancelled(void)
{
    run_beside(sleeps_with_lock, NULL);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static void *sleeps_undisturbed(void *unused)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    wrong = false;
    return sleeps_with_lock(unused);
}

static void faults_not_cancelled(void)
{
    bool lets = wrong;

    pthread_t t = start(lets ? sleeps_with_lock : sleeps_undisturbed, NULL);
    finish(t);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static const struct variant all[] = {
    VARIANT(faults, malloc),
    VARIANT(faults, calloc),
    VARIANT(faults, realloc),
    VARIANT(faults, aligned),
    VARIANT(faults, strdup),
    VARIANT(faults, the_seventeenth),
    VARIANT(faults, two_at_once),
    VARIANT(faults, beside_another_bug),
    VARIANT(faults, before_threads),
    VARIANT(faults, pthread_create),
    VARIANT(faults, thrd_create),
    VARIANT(faults, short_write),
    VARIANT(faults, short_write_to_pipe),
    VARIANT(faults, whole_write),
    VARIANT(faults, short_writev),
    VARIANT(faults, short_recv),
    VARIANT(faults, short_send),
    VARIANT(faults, short_read),
    VARIANT(faults, interrupted_sem_wait),
    VARIANT(faults, interrupted_read),
    VARIANT(faults, interrupted_poll),
    VARIANT(faults, whole_line),
    VARIANT(faults, weak_exchange),
    VARIANT(faults, cancelled),
    VARIANT(faults, not_cancelled),
};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    sem_init(&given, 0, 0);
    PICK(all, argv[1])->run();
    return 0;
}
