/* fails.c - see fails.h */
#include "fails.h"

#include <stdlib.h>

#include <heddle/mutex.h>
#include <heddle/waitgroup.h>

struct locks {
    struct hd_mutex first, second;
};

static void forward(void *arg)
{
    struct locks *l = (struct locks *)arg;
    hd_mutex_lock(&l->first);
    hd_mutex_lock(&l->second);
    hd_mutex_unlock(&l->second);
    hd_mutex_unlock(&l->first);
}

static void backward(void *arg)
{
    struct locks *l = (struct locks *)arg;
    hd_mutex_lock(&l->second);
    hd_mutex_lock(&l->first);
    hd_mutex_unlock(&l->first);
    hd_mutex_unlock(&l->second);
}

static void both(void (*other)(void *))
{
    struct locks l = {};
    struct hd_wg wg = {};

    if (hd_wg_go(&wg, forward, &l) || hd_wg_go(&wg, other, &l))
        abort();
    hd_wg_wait(&wg);
}

void opposite(void *arg)
{
    (void)arg;
    both(backward);
}

void same(void *arg)
{
    (void)arg;
    both(forward);
}
