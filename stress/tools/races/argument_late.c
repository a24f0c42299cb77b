/* The argument is completed after the thread was started. */
#include "pattern.h"

struct job {
    int size, kind;
};

static void *work(void *arg)
{
    struct job *job = arg;

    return job->size + job->kind == 100 ? NULL : arg;
}

int main(void)
{
    struct job *job = calloc(1, sizeof(*job));
    pthread_t t;

    job->size = 3;
#if RIGHT
    job->kind = 4;
#endif
    pthread_create(&t, NULL, work, job);
#if !RIGHT
    job->kind = 4;
#endif
    pthread_join(t, NULL);
    free(job);
    return 0;
}
