/* What threads wait on lies in memory that was freed, and used anew: freed WHAT TWIN. */
#include "case.h"

struct object {
    pthread_mutex_t m;
    int users;
};
static struct object *object;

static void *use_mutex(void *arg)
{
    struct object *mine = object;

    pthread_mutex_lock(&mine->m);
    mine->users++;
    pthread_mutex_unlock(&mine->m);
    return arg;
}

static const struct {
    const char *name;
    void *(*use)(void *arg);
} uses[] = {{"mutex", use_mutex}};

static void *owner(void *user)
{
    if (user)
        finish(*(pthread_t *)user);
    free(object);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 1);
    object = calloc(1, sizeof *object);
    assert(object);
    pthread_mutex_init(&object->m, NULL);
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (strcmp(uses[i].name, argv[1]) == 0) {
            t = start(uses[i].use, NULL);
            u = start(owner, wrong ? NULL : &t);
            if (wrong)
                finish(t);
            finish(u);
            return 0;
        }
    return 2;
}
