/* Three threads wait for their own turn on one condition variable; a signal may wake a wrong one,
 * which goes back to sleep and passes nothing on. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *take_turn(void *arg)
{
    int mine = *(int *)arg;

    pthread_mutex_lock(&lock);
    while (turn != mine)
        pthread_cond_wait(&changed, &lock);
    turn++;
#if RIGHT
    pthread_cond_broadcast(&changed);
#else
    pthread_cond_signal(&changed);
#endif
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    int number[3] = {0, 1, 2};
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        t[i] = start(take_turn, &number[i]);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    assert(turn == 3);
    return 0;
}
