/* depot.c - see depot.h */
#include "depot.h"

void queue_open(struct queue *q)
{
    *q = (struct queue){0};
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
}

void queue_put(struct queue *q, int item)
{
    pthread_mutex_lock(&q->lock);
    while (q->count == QUEUE_ROOM)
        pthread_cond_wait(&q->changed, &q->lock);
    q->item[q->count++] = item;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

bool queue_take(struct queue *q, int *item)
{
    bool taken = false;

    pthread_mutex_lock(&q->lock);
    while (!q->count && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    if (q->count) {
        *item = q->item[0];
        q->count--;
        for (int i = 0; i < q->count; i++)
            q->item[i] = q->item[i + 1];
        taken = true;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return taken;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
#ifdef NEW_BUG
    pthread_cond_signal(&q->changed);
#else
    pthread_cond_broadcast(&q->changed);
#endif
    pthread_mutex_unlock(&q->lock);
}

void account_open(struct account *a, int money)
{
    pthread_mutex_init(&a->lock, NULL);
    a->money = money;
}

/* The known bug: two transfers in opposite directions may wait for each other. */
void account_transfer(struct account *from, struct account *to, int money)
{
    pthread_mutex_lock(&from->lock);
    pthread_mutex_lock(&to->lock);
    from->money -= money;
    to->money += money;
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
}

int accounts_total(struct account *a, struct account *b)
{
    pthread_mutex_lock(&a->lock);
    pthread_mutex_lock(&b->lock);
    int total = a->money + b->money;
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_unlock(&a->lock);
    return total;
}
