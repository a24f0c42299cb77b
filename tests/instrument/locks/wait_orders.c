/* wait_orders.c - a message orders the waker's lock before the wait under it: wait_orders CASE
 *
 * One thread takes the lock, tells, and posts; the other hears, and waits for the post under the
 * lock. Whoever heard may wait: the lock was taken and given back before. late_CASE hears only when
 * the wait is over.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static sem_t go;
static int ends[2], id;
static pthread_t waiter;
static sigset_t usr1;
struct message {
    long type;
    char text[1];
};

static bool write_byte(void)
{
    return write(ends[1], "x", 1) == 1;
}

static bool read_byte(void)
{
    char c;
    return read(ends[0], &c, 1) == 1;
}

static bool send_message(void)
{
    struct message m = {1, "x"};
    return msgsnd(id, &m, sizeof m.text, 0) == 0;
}

static bool receive_message(void)
{
    struct message m;
    return msgrcv(id, &m, sizeof m.text, 0, 0) == sizeof m.text;
}

static bool give_unit(void)
{
    return semop(id, &(struct sembuf){.sem_op = 1}, 1) == 0;
}

static bool take_unit(void)
{
    return semop(id, &(struct sembuf){.sem_op = -1}, 1) == 0;
}

static bool send_signal(void)
{
    return pthread_kill(waiter, SIGUSR1) == 0;
}

static bool wait_for_signal(void)
{
    int number;
    return sigwait(&usr1, &number) == 0;
}

static const struct way {
    const char *name;
    bool (*tell)(void), (*hear)(void);
} ways[] = {
    {"pipe", write_byte, read_byte},
    {"socket", write_byte, read_byte},
    {"message_queue", send_message, receive_message},
    {"semaphore_set", give_unit, take_unit},
    {"process_signal", send_signal, wait_for_signal},
};
static const struct way *way;
static bool late, failed;

static void *wakes(void *arg)
{
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    failed |= !way->tell();
    sem_post(&go);
    return arg;
}

static void *waits(void *arg)
{
    failed |= !late && !way->hear();
    pthread_mutex_lock(&table);
    sem_wait(&go);
    pthread_mutex_unlock(&table);
    failed |= late && !way->hear();
    return arg;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    pthread_t waker;

    late = strncmp(name, "late_", 5) == 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(name + (late ? 5 : 0), ways[i].name) == 0)
            way = &ways[i];
    if (!way) {
        fputs("usage: wait_orders [late_]CASE\n", stderr);
        return 2;
    }
    if (strcmp(way->name, "socket") == 0 ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends))
        return 2;
    id = way->tell == send_message ? msgget(IPC_PRIVATE, 0600)
         : way->tell == give_unit  ? semget(IPC_PRIVATE, 1, 0600)
                                   : 0;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    sem_init(&go, 0, 0);
    pthread_create(&waiter, NULL, waits, NULL);
    pthread_create(&waker, NULL, wakes, NULL);
    pthread_join(waiter, NULL);
    pthread_join(waker, NULL);
    if (way->tell == send_message)
        msgctl(id, IPC_RMID, NULL);
    if (way->tell == give_unit)
        semctl(id, 0, IPC_RMID);
    return failed || id < 0;
}
