/* A hash table with a lock for several buckets. Wrong: the lock is chosen by the key, and two keys of one bucket may
 * have different locks. */
#include "subject.h"

#include <pthread.h>

enum { BUCKETS = 3, LOCKS = 2, KEYS = 6 };

struct entry {
    struct entry *next;
    long key, value;
};

struct map {
    pthread_mutex_t lock[LOCKS];
    struct entry *bucket[BUCKETS];
};

static void *make(void)
{
    struct map *m = calloc(1, sizeof *m);

    for (int i = 0; m && i < LOCKS; i++)
        pthread_mutex_init(&m->lock[i], NULL);
    return m;
}

static void destroy(void *structure)
{
    struct map *m = structure;

    for (int i = 0; i < BUCKETS; i++)
        for (struct entry *e = m->bucket[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&m->lock[i]);
    free(m);
}

static pthread_mutex_t *lock_of(struct map *m, long key)
{
    return &m->lock[(RIGHT ? key % BUCKETS : key) % LOCKS];
}

/* The pointer to the key's entry, or to the end of its bucket. */
static struct entry **find(struct map *m, long key)
{
    struct entry **e = &m->bucket[key % BUCKETS];

    while (*e && (*e)->key != key)
        e = &(*e)->next;
    return e;
}

static void run_put(void *structure, struct hd_call *call)
{
    struct map *m = structure;
    struct entry **e, *new = calloc(1, sizeof *new);

    if (!new)
        abort();
    pthread_mutex_lock(lock_of(m, call->arg[0]));
    e = find(m, call->arg[0]);
    if (*e) {
        (*e)->value = call->arg[1];
        free(new);
    } else {
        *new = (struct entry){.key = call->arg[0], .value = call->arg[1]};
        *e = new;
    }
    pthread_mutex_unlock(lock_of(m, call->arg[0]));
}

static void run_get(void *structure, struct hd_call *call)
{
    struct map *m = structure;
    struct entry *e;

    pthread_mutex_lock(lock_of(m, call->arg[0]));
    e = *find(m, call->arg[0]);
    call->result[0] = e ? e->value : NOTHING;
    pthread_mutex_unlock(lock_of(m, call->arg[0]));
}

static void apply_put(void *state, struct hd_call *call)
{
    ((long *)state)[call->arg[0]] = call->arg[1];
}

static void apply_get(void *state, struct hd_call *call)
{
    long value = ((long *)state)[call->arg[0]];

    call->result[0] = value ? value : NOTHING;
}

static const struct hd_linear_op ops[] = {
    {.name = "put",
     .run = run_put,
     .apply = apply_put,
     .args = 2,
     .range = {{0, KEYS - 1}, {1, 9}}},
    {.name = "get",
     .run = run_get,
     .apply = apply_get,
     .args = 1,
     .results = 1,
     .range = {{0, KEYS - 1}}},
};
static const struct hd_linear_spec spec = {.name = "striped_map",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = destroy,
                                           .state_bytes = KEYS * sizeof(long)};
SUBJECT(spec, .threads = 3)
