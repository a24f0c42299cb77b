/* test_depot.c NAME [ARGUMENT...] - the tests of depot. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "depot.h"

static struct queue queue;
static struct account ours, theirs;

static void in_threads(void *(*first)(void *), void *(*second)(void *))
{
    pthread_t a, b;

    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static void *put_three(void *arg)
{
    for (int i = 1; i <= 3; i++)
        queue_put(&queue, i);
    queue_close(&queue);
    return arg;
}

static void *take_in_order(void *arg)
{
    int item, last = 0;

    while (queue_take(&queue, &item))
        assert(item == ++last);
    assert(last == 3);
    return arg;
}

static void queue_fifo(void)
{
    const char *file = getenv("DEPOT_FILE");

    assert(file && access(file, R_OK) == 0); /* what the fixture has made */
    queue_open(&queue);
    in_threads(put_three, take_in_order);
}

static void queue_blocks(void)
{
    queue_open(&queue);
    in_threads(take_in_order, put_three);
}

static void *take_all(void *arg)
{
    int item;

    while (queue_take(&queue, &item))
        ;
    return arg;
}

static void queue_is_closed(void)
{
    pthread_t taker[3];

    queue_open(&queue);
    for (int i = 0; i < 3; i++)
        pthread_create(&taker[i], NULL, take_all, NULL);
    queue_put(&queue, 1);
    queue_close(&queue);
    for (int i = 0; i < 3; i++)
        pthread_join(taker[i], NULL);
}

static void *there(void *arg)
{
    account_transfer(&ours, &theirs, 3);
    return arg;
}

static void *back(void *arg)
{
    account_transfer(&theirs, &ours, 1);
    return arg;
}

static void bank_transfer(void)
{
    account_open(&ours, 10);
    account_open(&theirs, 10);
    in_threads(there, back);
    assert(ours.money == 8);
}

static void *look(void *arg)
{
    assert(accounts_total(&ours, &theirs) == 20);
    return arg;
}

static void bank_total(void)
{
    account_open(&ours, 10);
    account_open(&theirs, 10);
    in_threads(there, look);
}

static void bank_rush(void)
{
    account_open(&ours, 10);
    account_open(&theirs, 10);
    in_threads(there, there);
    assert(theirs.money == 16);
}

static void *add(void *arg)
{
    account_transfer(&ours, &theirs, 1);
    account_transfer(&ours, &theirs, 1);
    return arg;
}

static void counter_adds(void)
{
    account_open(&ours, 0);
    account_open(&theirs, 0);
    in_threads(add, add);
    assert(theirs.money == 4 && ours.money == -4);
}

static void *open_gate(void *arg)
{
    queue_close(&queue);
    return arg;
}

static void gate_opens(void)
{
    queue_open(&queue);
    in_threads(take_all, open_gate);
}

static void says(char **argv)
{
    const char *mode = getenv("DEPOT_MODE"), *list = getenv("DEPOT_LIST");

    assert(mode && strcmp(mode, "quick") == 0 && list && strcmp(list, "1;2") == 0);
    assert(access("depot.h", R_OK) == 0); /* the folder */
    assert(argv[0] && strcmp(argv[0], "a;b") == 0);
    assert(argv[1] && strcmp(argv[1], "]]") == 0);
    assert(argv[2] && strcmp(argv[2], "two words") == 0 && !argv[3]);
    gate_opens();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"queue_fifo", queue_fifo},       {"queue_blocks", queue_blocks},
                 {"queue_close", queue_is_closed}, {"bank_transfer", bank_transfer},
                 {"bank_total", bank_total},       {"bank_rush", bank_rush},
                 {"counter_adds", counter_adds},   {"gate_opens", gate_opens}};
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "version") == 0)
        return puts("depot 1.0") < 0;
    if (strcmp(name, "says") == 0) {
        says(argv + 2);
        return 0;
    }
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (strcmp(name, tests[i].name) == 0) {
            tests[i].run();
            return 0;
        }
    fprintf(stderr, "there is no test \"%s\"\n", name);
    return 2;
}
