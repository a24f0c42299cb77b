/* shrunk.c - a failure that needs a given number of preemptions, among much that does not matter.
 *
 *     shrunk WORD [kept]
 *
 * Thread A does as many steps as WORD has an A, thread B as many as it has a B; the program fails when
 * they come in the order of WORD. So each change of letters takes a preemption where the thread that
 * is left has steps to do. "kept": each thread does all of its steps in one go. SLOW: how many
 * microseconds the program sleeps at its end, in real time.
 */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, whole = PTHREAD_MUTEX_INITIALIZER;
static char done[64];
static const char *word;
static bool kept;

static void *noise(void *arg)
{
    static pthread_mutex_t mine[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

    for (int i = 0; i < 4; i++) {
        pthread_mutex_lock(&mine[*(char *)arg & 1]);
        pthread_mutex_unlock(&mine[*(char *)arg & 1]);
    }
    return NULL;
}

static void *steps(void *arg)
{
    const char *letter = arg;

    if (kept)
        pthread_mutex_lock(&whole);
    for (const char *p = word; *p; p++) {
        if (*p != *letter)
            continue;
        pthread_mutex_lock(&lock);
        done[strlen(done)] = *letter;
        pthread_mutex_unlock(&lock);
    }
    if (kept)
        pthread_mutex_unlock(&whole);
    return NULL;
}

static void work(void)
{
    const char *slow = getenv("SLOW");
    struct timespec begin, now;

    if (!slow)
        return;
    syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID,
            &begin); /* the function is of virtual time */
    do
        syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000 <
           atol(slow));
}

int main(int argc, char **argv)
{
    pthread_t t[4];

    if (argc < 2 || strlen(argv[1]) >= sizeof done)
        return 2;
    word = argv[1];
    kept = argc > 2;
    pthread_create(&t[0], NULL, noise, "0");
    pthread_create(&t[1], NULL, steps, "A");
    pthread_create(&t[2], NULL, steps, "B");
    pthread_create(&t[3], NULL, noise, "1");
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    work();
    assert(strcmp(done, word) != 0);
    return 0;
}
