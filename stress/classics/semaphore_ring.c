/* Each takes a place in the lobby, of which there are two, and then its own door; one comes in by
 * the door and goes for a place. */
#include "classic.h"

static sem_t lobby, door;

static void *guest(void *arg)
{
    sem_wait(&lobby);
    sem_wait(&door);
    sem_post(&door);
    sem_post(&lobby);
    return arg;
}

static void *porter(void *arg)
{
#if !RIGHT
    sem_wait(&door);
#endif
    sem_wait(&lobby);
    sem_wait(&lobby);
#if RIGHT
    sem_wait(&door);
#endif
    sem_post(&lobby);
    sem_post(&lobby);
    sem_post(&door);
    return arg;
}

int main(void)
{
    sem_init(&lobby, 0, 2);
    sem_init(&door, 0, 1);
    both(guest, porter);
    sem_destroy(&lobby);
    sem_destroy(&door);
    return 0;
}
