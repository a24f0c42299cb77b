/* queue.h - a bounded queue of numbers with an end: the example to replace. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include <heddle/cond.h>
#include <heddle/mutex.h>

#define QUEUE_ROOM 1

struct queue {
    struct hd_mutex lock; /* guards what follows */
    struct hd_cond changed;
    int item[QUEUE_ROOM];
    size_t first, used;
    bool ended;
};

void queue_init(struct queue *q);
/* Blocks while it is full; false if it has ended. */
bool queue_put(struct queue *q, int item);
/* Blocks while it is empty; false if it is empty and has ended. */
bool queue_take(struct queue *q, int *item);
void queue_end(struct queue *q);

#endif /* QUEUE_H */
