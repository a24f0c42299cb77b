/* Cond: signals release in order, one each; broadcasts release all; nothing is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/cond.h>
#include <heddle/mutex.h>

#include "panics.h"
#include "team.h"

struct room {
    struct hd_mutex mutex;
    struct hd_cond called, left;
    int waiting, tickets, out;
    int order[TEAM_MAX];
};

static void open_room(struct room *room)
{
    *room = (struct room){.mutex = HD_MUTEX_INIT};
    hd_cond_init(&room->called, &room->mutex, "called");
    hd_cond_init(&room->left, &room->mutex, "left");
}

static void *wait_for_call(void *arg)
{
    struct room *room = arg;
    int ticket;

    hd_mutex_lock(&room->mutex);
    ticket = room->waiting++;
    hd_cond_signal(&room->left);
    hd_cond_wait(&room->called);
    room->order[room->out++] = ticket;
    hd_cond_signal(&room->left);
    hd_mutex_unlock(&room->mutex);
    return NULL;
}

static void fill(struct room *room, struct team *team, int size)
{
    open_room(room);
    team_start(team, size, wait_for_call, room);
    hd_mutex_lock(&room->mutex);
    while (room->waiting < size)
        hd_cond_wait(&room->left);
    hd_mutex_unlock(&room->mutex);
}

static void a_signal_releases_the_longest_waiting_alone(void **state)
{
    struct room room;
    struct team team;

    (void)state;
    fill(&room, &team, 5);
    hd_mutex_lock(&room.mutex);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(room.out, i);
        hd_cond_signal(&room.called);
        while (room.out == i)
            hd_cond_wait(&room.left);
        assert_int_equal(room.order[i], i);
    }
    hd_mutex_unlock(&room.mutex);
    team_join(&team);
    hd_cond_destroy(&room.called);
    hd_cond_destroy(&room.left);
}

static void a_broadcast_releases_all(void **state)
{
    struct room room;
    struct team team;

    (void)state;
    fill(&room, &team, 6);
    hd_mutex_lock(&room.mutex);
    hd_cond_broadcast(&room.called);
    hd_mutex_unlock(&room.mutex);
    team_join(&team);
    assert_int_equal(room.out, 6);
}

static void a_signal_without_waiters_is_forgotten(void **state)
{
    struct room room;
    struct team team;

    (void)state;
    open_room(&room);
    hd_cond_signal(&room.called);
    hd_cond_broadcast(&room.called);
    team_start(&team, 1, wait_for_call, &room);
    hd_mutex_lock(&room.mutex);
    while (room.waiting < 1)
        hd_cond_wait(&room.left);
    assert_int_equal(room.out, 0);
    hd_cond_signal(&room.called);
    hd_mutex_unlock(&room.mutex);
    team_join(&team);
    assert_int_equal(room.out, 1);
}

static void wait_unlocked(void *arg)
{
    hd_cond_wait(arg);
}

static void waiting_without_the_mutex_panics(void **state)
{
    struct room room;

    (void)state;
    open_room(&room);
    assert_panics(wait_unlocked, &room.called, "sync: wait on a Cond whose mutex is not locked");
}

static void signal_it(void *arg)
{
    hd_cond_signal(arg);
}

static void broadcast(void *arg)
{
    hd_cond_broadcast(arg);
}

static void destroy(void *arg)
{
    hd_cond_destroy(arg);
}

static void misuse_of_its_end_panics(void **state)
{
    void (*const late[])(void *) = {wait_unlocked, signal_it, broadcast, destroy};
    struct room room;
    struct team team;

    (void)state;
    fill(&room, &team, 1);
    assert_panics(destroy, &room.called, "sync: end of a Cond on which goroutines wait");
    hd_mutex_lock(&room.mutex);
    hd_cond_broadcast(&room.called);
    hd_cond_destroy(&room.called); /* who was woken looks at it no more */
    hd_mutex_unlock(&room.mutex);
    team_join(&team);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_panics(late[i], &room.called, "sync: use of a Cond after its end");
    hd_cond_init(&room.called, &room.mutex, NULL);
    hd_cond_signal(&room.called);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_releases_the_longest_waiting_alone),
        cmocka_unit_test(a_broadcast_releases_all),
        cmocka_unit_test(a_signal_without_waiters_is_forgotten),
        cmocka_unit_test(waiting_without_the_mutex_panics),
        cmocka_unit_test(misuse_of_its_end_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
