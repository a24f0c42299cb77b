/* Two threads copy names into one buffer. */
#include "pattern.h"

static char name[16];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *set(void *arg)
{
    GUARD(pthread_mutex_lock(&lock));
    strcpy(name, arg);
    GUARD(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    static char text[] = "heddle";

    run2(set, set, text);
    return name[0] == 'x';
}
