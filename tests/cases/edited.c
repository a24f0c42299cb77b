/* A schedule that was recorded from one build follows its events through another: edited TWIN. The
 * second has code and data more, or was optimised. */
#ifdef EDITED
static long hits[8];
__attribute__((used)) static long seen(void)
{
    return hits[0]++;
}
#endif
#include "case.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *ab(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *ba(void *arg)
{
    pthread_mutex_lock(wrong ? &b : &a);
    pthread_mutex_lock(wrong ? &a : &b);
    pthread_mutex_unlock(wrong ? &a : &b);
    pthread_mutex_unlock(wrong ? &b : &a);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 0);
#ifdef EDITED
    seen();
#endif
    t = start(ab, NULL);
    u = start(ba, NULL);
    finish(t);
    finish(u);
    return 0;
}
