/* plant_memory.c - accesses that nothing orders, and memory that is gone. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plants.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The lock orders the two writes by chance, as far as can be seen: that one waits for the other's
 * flag is hidden from instrumentation. So no schedule shows the race. */
static int config, flag, written, taken;

static void *write_then_lock(void *arg)
{
    config = 1;
    pthread_mutex_lock(&lock);
    written++;
    pthread_mutex_unlock(&lock);
    __asm__ volatile("movl $1, %0" : "=m"(flag));
    return arg;
}

static void *lock_then_write(void *arg)
{
    int seen = 0;
    while (!seen) { /* NOLINT(bugprone-infinite-loop): the assembly sets it */
        usleep(1000);
        __asm__ volatile("movl %1, %0" : "=r"(seen) : "m"(flag));
    }
    pthread_mutex_lock(&lock);
    taken++;
    pthread_mutex_unlock(&lock);
    config = 2;
    return arg;
}

void plant_PREDICTED_RACE(void)
{
    plant_both(write_then_lock, lock_then_write, NULL);
}

static void *read_block(void *arg)
{
    volatile int *block = arg;
    return block[1] ? arg : NULL;
}

void plant_USE_AFTER_FREE(void)
{
    int *block = calloc(4, sizeof *block);
    pthread_t t = plant_one(read_block, block);
    free(block);
    pthread_join(t, NULL);
}

static atomic_int users = 2;

static void *leave(void *arg)
{
    atomic_fetch_sub(&users, 1);
    if (atomic_load(&users) == 0)
        free(arg);
    return NULL;
}

void plant_DOUBLE_FREE(void)
{
    plant_both(leave, leave, malloc(16));
}

static void *write_behind(void *arg)
{
    volatile int *block = arg;
    block[4] = 1;
    return NULL;
}

/* Built with AddressSanitizer, which sees the write behind the block. */
void plant_SANITIZER(void)
{
    int *block = calloc(4, sizeof *block);
    pthread_join(plant_one(write_behind, block), NULL);
    free(block);
}

/* Nothing that a program does is not understood: the driver tries a log of its own making. */
void plant_TOOL(void)
{
    puts("a report of another tool is planted in the driver");
}
