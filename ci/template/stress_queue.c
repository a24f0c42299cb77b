/* stress_queue.c - a program for `heddle run`: what it asserts must hold in every schedule. */
#undef NDEBUG
#include <assert.h>

#include <heddle/waitgroup.h>

#include "queue.h"

static struct queue queue;
static struct hd_wg producers, consumers;
static struct hd_mutex lock;
static int sum; /* guarded by lock */

static void produce(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 4; i++)
        assert(queue_put(&queue, i));
}

static void consume(void *arg)
{
    (void)arg;
    for (int item; queue_take(&queue, &item);) {
        hd_mutex_lock(&lock);
        sum += item;
        hd_mutex_unlock(&lock);
    }
}

int main(void)
{
    queue_init(&queue);
    for (int i = 0; i < 2; i++) {
        assert(!hd_wg_go(&producers, produce, NULL));
        assert(!hd_wg_go(&consumers, consume, NULL));
    }
    hd_wg_wait(&producers);
    queue_end(&queue);
    hd_wg_wait(&consumers);
    assert(sum == 20);
}
