/* queue.c - see queue.h */
#include "queue.h"

#include <heddle/scope.h>

void queue_init(struct queue *q)
{
    *q = (struct queue){.ended = false};
    hd_mutex_init(&q->lock, "queue");
    hd_cond_init(&q->changed, &q->lock, "queue changed");
}

bool queue_put(struct queue *q, int item)
{
    HD_SCOPED_LOCK(&q->lock);
    while (q->used == QUEUE_ROOM && !q->ended)
        hd_cond_wait(&q->changed);
    if (q->ended)
        return false;
    q->item[(q->first + q->used++) % QUEUE_ROOM] = item;
    hd_cond_broadcast(&q->changed);
    return true;
}

bool queue_take(struct queue *q, int *item)
{
    HD_SCOPED_LOCK(&q->lock);
    while (q->used == 0 && !q->ended)
        hd_cond_wait(&q->changed);
    if (q->used == 0)
        return false;
    *item = q->item[q->first];
    q->first = (q->first + 1) % QUEUE_ROOM;
    q->used--;
    hd_cond_broadcast(&q->changed);
    return true;
}

void queue_end(struct queue *q)
{
    HD_SCOPED_LOCK(&q->lock);
    q->ended = true;
    hd_cond_broadcast(&q->changed);
}
