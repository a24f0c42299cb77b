/* depot.h - a queue, accounts and a counter, shared by threads. */
#ifndef DEPOT_H
#define DEPOT_H

#include <pthread.h>
#include <stdbool.h>

#define QUEUE_ROOM 2

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int item[QUEUE_ROOM];
    int count;
    bool closed;
};

void queue_open(struct queue *q);
void queue_put(struct queue *q, int item);
/* False: it is closed and empty. */
bool queue_take(struct queue *q, int *item);
void queue_close(struct queue *q);

struct account {
    pthread_mutex_t lock;
    int money;
};

void account_open(struct account *a, int money);
void account_transfer(struct account *from, struct account *to, int money);
int accounts_total(struct account *a, struct account *b);

#endif
