/* team.h - a few threads that run one function, started together and joined. For tests of lib/. */
#ifndef TEAM_H
#define TEAM_H

#include <pthread.h>

#define TEAM_MAX 16

struct team {
    pthread_t threads[TEAM_MAX];
    int size;
};

static inline void team_add(struct team *team, void *(*fn)(void *), void *arg)
{
    assert_true(team->size < TEAM_MAX);
    assert_int_equal(pthread_create(&team->threads[team->size++], NULL, fn, arg), 0);
}

static inline void team_start(struct team *team, int size, void *(*fn)(void *), void *arg)
{
    team->size = 0;
    for (int i = 0; i < size; i++)
        team_add(team, fn, arg);
}

static inline void team_join(struct team *team)
{
    for (int i = 0; i < team->size; i++)
        pthread_join(team->threads[i], NULL);
    team->size = 0;
}

#endif /* TEAM_H */
