/* Dining philosophers: each takes the left fork first. Right: the last one takes the right first.
 */
#include "classic.h"

enum { SEATS = 4 };
static pthread_mutex_t fork_of[SEATS];
static int meals[SEATS];

static void *dine(void *arg)
{
    int seat = *(int *)arg;
    int first = seat, second = (seat + 1) % SEATS;

#if RIGHT
    if (second < first) {
        first = second;
        second = seat;
    }
#endif
    pthread_mutex_lock(&fork_of[first]);
    pthread_mutex_lock(&fork_of[second]);
    meals[seat]++;
    pthread_mutex_unlock(&fork_of[second]);
    pthread_mutex_unlock(&fork_of[first]);
    return NULL;
}

int main(void)
{
    pthread_t t[SEATS];
    int seat[SEATS];

    for (int i = 0; i < SEATS; i++)
        pthread_mutex_init(&fork_of[i], NULL);
    for (int i = 0; i < SEATS; i++) {
        seat[i] = i;
        t[i] = start(dine, &seat[i]);
    }
    for (int i = 0; i < SEATS; i++)
        finish(t[i]);
    for (int i = 0; i < SEATS; i++)
        assert(meals[i] == 1);
    return 0;
}
