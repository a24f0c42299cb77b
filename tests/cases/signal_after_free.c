/* A worker says that a job is done, under its lock, and announces it after that: by then the job may be gone.
 * signal_after_free HOW TWIN */
#include "case.h"

struct job {
    pthread_mutex_t m;
    pthread_cond_t c;
    bool done;
};
static bool destroys;

static void *worker(void *arg)
{
    struct job *j = arg;

    pthread_mutex_lock(&j->m);
    j->done = true;
    if (!wrong)
        pthread_cond_signal(&j->c);
    pthread_mutex_unlock(&j->m);
    if (wrong)
        pthread_cond_signal(&j->c);
    return NULL;
}

int main(int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);
    pthread_t t;

    arguments(argc, argv, 1);
    destroys = strcmp(argv[1], "destroyed") == 0;
    if (!j || (!destroys && strcmp(argv[1], "freed") != 0))
        return 2;
    pthread_mutex_init(&j->m, NULL);
    pthread_cond_init(&j->c, NULL);
    t = start(worker, j);
    pthread_mutex_lock(&j->m);
    while (!j->done)
        pthread_cond_wait(&j->c, &j->m);
    pthread_mutex_unlock(&j->m);
    if (destroys) {
        pthread_cond_destroy(&j->c);
        pthread_mutex_destroy(&j->m);
    }
    free(j);
    finish(t);
    return 0;
}
