/* An invariant that does not hold at some point: always WHAT TWIN. What it reads is no access of the program. */
#include "case.h"

#include <heddle/always.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile long account[2] = {50, 50};
static volatile bool moving;
static bool wrong;

HD_INVARIANT(money_stays, moving || account[0] + account[1] == 100)

static void *move(void *amount)
{
    pthread_mutex_lock(&m);
    moving = true;
    account[0] -= *(const long *)amount;
    if (wrong) {
        moving = false;
        pthread_mutex_unlock(&m);
        pthread_mutex_lock(&m);
        moving = true;
    }
    account[1] += *(const long *)amount;
    moving = false;
    pthread_mutex_unlock(&m);
    return NULL;
}

static void *nothing(void *unused)
{
    return unused;
}

static void *break_it(void *unused)
{
    (void)unused;
    account[0] -= wrong;
    return NULL;
}

/* It stands while one thread works, and no longer. */
static void *for_a_while(void *unused)
{
    pthread_mutex_lock(&m);
    hd_always(&money_stays);
    pthread_mutex_unlock(&m);
    if (!wrong)
        hd_always_end(&money_stays);
    account[0]--;
    pthread_mutex_lock(&m);
    account[0]++;
    pthread_mutex_unlock(&m);
    return unused;
}

static int within(const void *most)
{
    return account[0] <= *(const long *)most;
}

static void *raise_it(void *most)
{
    account[0] = *(const long *)most + wrong;
    sched_yield();
    account[0] = 0;
    return NULL;
}

int main(int argc, char **argv)
{
    static const long amount[2] = {10, 20}, most = 60;
    static const struct hd_invariant bounded = {within, &most, "account[0] <= most"};
    const char *what = argc == 3 ? argv[1] : "";
    pthread_t t[2];

    wrong = argc == 3 && strcmp(argv[2], "wrong") == 0;
    if (strcmp(what, "account") == 0) {
        hd_always(&money_stays);
        for (int i = 0; i < 2; i++)
            pthread_create(&t[i], NULL, move, (void *)&amount[i]);
        pthread_join(t[0], NULL);
        pthread_join(t[1], NULL);
        hd_always_end(&money_stays);
    } else if (strcmp(what, "last") == 0) { /* the last thing that a thread does */
        hd_always(&money_stays);
        pthread_create(&t[0], NULL, break_it, NULL);
        pthread_join(t[0], NULL);
        account[0] = 50;
    } else if (strcmp(what, "main") == 0) { /* the last thing that the program does */
        hd_always(&money_stays);
        pthread_create(&t[0], NULL, nothing, NULL);
        pthread_join(t[0], NULL);
        break_it(NULL);
    } else if (strcmp(what, "while") == 0) {
        pthread_create(&t[0], NULL, for_a_while, NULL);
        pthread_join(t[0], NULL);
    } else if (strcmp(what, "bound") == 0) {
        hd_always(&bounded);
        pthread_create(&t[0], NULL, raise_it, (void *)&most);
        pthread_join(t[0], NULL);
        hd_always_end(&bounded);
    } else {
        return 2;
    }
    return 0;
}
