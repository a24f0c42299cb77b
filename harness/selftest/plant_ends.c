/* plant_ends.c - programs that end badly, or not the same way each time. */
#include <stdio.h>
#include <stdlib.h>

#include <heddle/panic.h>

#include "plants.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int first, names[] = {1, 2};

static void *write_nowhere(void *arg)
{
    int *volatile nowhere = NULL;
    *nowhere = 1;
    return arg;
}

void plant_CRASH(void)
{
    pthread_join(plant_one(write_nowhere, NULL), NULL);
}

static void *assert_wrongly(void *arg)
{
    assert(arg != NULL);
    return arg;
}

void plant_ASSERTION(void)
{
    pthread_join(plant_one(assert_wrongly, NULL), NULL);
}

static void *panic(void *arg)
{
    hd_panic("planted");
    return arg;
}

void plant_PANIC(void)
{
    pthread_join(plant_one(panic, NULL), NULL);
}

static void *come(void *arg)
{
    pthread_mutex_lock(&lock);
    if (!first)
        first = *(int *)arg;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void race_to_be_first(void)
{
    pthread_t t = plant_one(come, &names[0]), u = plant_one(come, &names[1]);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}

void plant_EXIT_CODE(void)
{
    race_to_be_first();
    selftest_code = first == 1 ? 0 : 4;
}

void plant_OUTPUT(void)
{
    race_to_be_first();
    printf("%d was first\n", first);
}

void plant_ORACLE(void)
{
    race_to_be_first();
    printf("%d was first\n", first);
}
