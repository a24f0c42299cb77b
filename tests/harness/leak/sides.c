/* Two tests side by side, each in a thread of its own, that leave plain threads and goroutines
 * behind by way of others: to whom are they charged? Exit code 0 if each was told of its own
 * `threads` (argument) threads and one goroutine, and of no other; 1 if not. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/test.h>

#define must(condition) ((condition) ? (void)0 : abort())

struct side {
    const char *name;
    size_t left;
    char text[4096];
};

static sem_t never;

static void wait_for_ever(void *chan)
{
    hd_chan_recv(chan, NULL);
}

static void *wait_in_thread(void *arg)
{
    while (sem_wait(&never) != 0)
        ;
    return arg;
}

static void *start_both(void *chan)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, wait_in_thread, NULL) == 0);
    must(pthread_detach(thread) == 0);
    must(!hd_go_named("grandchild", wait_for_ever, chan));
    return NULL;
}

static void *test(void *arg)
{
    struct side *side = arg;
    struct hd_chan *chan = hd_chan_make_named(side->name, 0, 0);
    pthread_t thread;

    hd_leak_check_begin(side->name);
    must(pthread_create(&thread, NULL, start_both, chan) == 0);
    must(pthread_join(thread, NULL) == 0);
    side->left = hd_leak_check_end(side->text, sizeof side->text);
    return NULL;
}

/* The other one's channel is named in its text alone. */
static bool is_right(const struct side *side, const struct side *other, size_t threads)
{
    fputs(side->text, stdout);
    return side->left == threads && strstr(side->text, side->name) &&
           !strstr(side->text, other->name);
}

int main(int argc, char **argv)
{
    size_t expected = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    static struct side north = {.name = "north"}, south = {.name = "south"};
    pthread_t thread;

    hd_leak_places(heddle_test_place);
    hd_leak_grace(500000000);
    must(sem_init(&never, 0, 0) == 0);
    must(pthread_create(&thread, NULL, test, &north) == 0);
    test(&south);
    must(pthread_join(thread, NULL) == 0);
    if (expected == 0)
        return north.left || south.left;
    return !(is_right(&north, &south, expected) && is_right(&south, &north, expected));
}
