/* mutex.h - the model of a pthread mutex, for those that lock one on behalf of a waiter. */
#ifndef HEDDLE_MUTEX_H
#define HEDDLE_MUTEX_H

#include "core/thread.h"

struct hdi_mutex {
    struct hdi_object object;
    struct hdi_thread *owner; /* NULL: free */
    uint32_t count;           /* recursive */
    bool dead_owner;          /* robust: the owner ended with it */
    bool known, shared;       /* pthread_mutex_init was seen; other processes may hold it */
};

struct hdi_mutex *hdi_mutex_of(pthread_mutex_t *m, uint64_t site);
bool hdi_mutex_free(const struct hdi_op *op); /* ready(): the mutex op->object is free */
/* Take it, model and real; it is free. 0, or EOWNERDEAD ... from the real call. */
int hdi_mutex_take(struct hdi_mutex *x, pthread_mutex_t *m, enum hd_event kind, uint64_t site);
/* It answers EPERM to whoever does not own it: no error of the program, which may ask. */
bool hdi_mutex_checks(const pthread_mutex_t *m);
/* Let go of it; its count is 1. */
void hdi_mutex_release(struct hdi_mutex *x, pthread_mutex_t *m);
/* Its owner takes a recursive mutex once more, or gives one level of several back; the real call's
 * answer. */
int hdi_mutex_level(struct hdi_mutex *x, pthread_mutex_t *m, bool up);

/* The modelled calls, for callers that are interposed functions themselves and have the turn:
 * answers of the pthread functions. until: virtual deadline, 0 = none. */
int hdi_mutex_lock(pthread_mutex_t *m, int64_t until, uint64_t site);
int hdi_mutex_trylock(pthread_mutex_t *m, uint64_t site);
int hdi_mutex_unlock(pthread_mutex_t *m, uint64_t site);
int hdi_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, int64_t until, uint64_t site);
void hdi_cond_signal(pthread_cond_t *c, uint64_t site);
void hdi_cond_broadcast(pthread_cond_t *c, uint64_t site);

/* A lock is initialised whose `owner` has not ended, and whose memory shows that: reports it. True when it
 * is to stay as it is. */
bool hdi_initialised_while_held(struct hdi_object *o, const struct hdi_thread *owner,
                                enum hd_event event, uint64_t site);

#endif /* HEDDLE_MUTEX_H */
