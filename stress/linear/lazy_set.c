/* A set as a sorted list: an entry is marked as removed before it is unlinked, and whoever has locked two neighbours looks
 * whether they still are. Wrong: he does not look at the marks. */
#include "subject.h"

#include <limits.h>
#include <pthread.h>

enum { KEYS = 4, NODES = 40 };

struct node {
    pthread_mutex_t lock;
    struct node *_Atomic next;
    atomic_bool removed;
    long key;
};

struct set {
    struct node head, end;
    struct node node[NODES];
    atomic_int used;
};

static void *make(void)
{
    struct set *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->head.key = LONG_MIN;
    s->end.key = LONG_MAX;
    s->head.next = &s->end;
    pthread_mutex_init(&s->head.lock, NULL);
    pthread_mutex_init(&s->end.lock, NULL);
    return s;
}

static bool still_neighbours(struct node *a, struct node *b)
{
    return (!RIGHT || (!a->removed && !b->removed)) && a->next == b;
}

/* Locks the last entry below the key, and the one behind it. */
static void lock_place(struct set *s, long key, struct node **below, struct node **behind)
{
    for (;;) {
        struct node *a = &s->head, *b = a->next;
        while (b->key < key) {
            a = b;
            b = b->next;
        }
        pthread_mutex_lock(&a->lock);
        pthread_mutex_lock(&b->lock);
        *below = a;
        *behind = b;
        if (still_neighbours(a, b))
            return;
        pthread_mutex_unlock(&b->lock);
        pthread_mutex_unlock(&a->lock);
    }
}

static void run_add(void *structure, struct hd_call *call)
{
    struct set *s = structure;
    struct node *a, *b;

    lock_place(s, call->arg[0], &a, &b);
    if (b->key != call->arg[0]) {
        struct node *new = &s->node[atomic_fetch_add(&s->used, 1)];
        pthread_mutex_init(&new->lock, NULL);
        new->key = call->arg[0];
        new->next = b;
        a->next = new;
        call->result[0] = 1;
    }
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_unlock(&a->lock);
}

static void run_remove(void *structure, struct hd_call *call)
{
    struct set *s = structure;
    struct node *a, *b;

    lock_place(s, call->arg[0], &a, &b);
    if (b->key == call->arg[0]) {
        b->removed = true;
        a->next = b->next;
        call->result[0] = 1;
    }
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_unlock(&a->lock);
}

static void run_has(void *structure, struct hd_call *call)
{
    struct set *s = structure;
    struct node *n = s->head.next;

    while (n->key < call->arg[0])
        n = n->next;
    call->result[0] = n->key == call->arg[0] && !n->removed;
}

static void apply_add(void *state, struct hd_call *call)
{
    unsigned char *has = (unsigned char *)state + call->arg[0];

    call->result[0] = !*has;
    *has = 1;
}

static void apply_remove(void *state, struct hd_call *call)
{
    unsigned char *has = (unsigned char *)state + call->arg[0];

    call->result[0] = *has;
    *has = 0;
}

static void apply_has(void *state, struct hd_call *call)
{
    call->result[0] = ((unsigned char *)state)[call->arg[0]];
}

#define OF_A_KEY .args = 1, .results = 1, .range = {{0, KEYS - 1}}
static const struct hd_linear_op ops[] = {
    {.name = "add", .run = run_add, .apply = apply_add, OF_A_KEY},
    {.name = "remove", .run = run_remove, .apply = apply_remove, OF_A_KEY},
    {.name = "has", .run = run_has, .apply = apply_has, OF_A_KEY},
};
static const struct hd_linear_spec spec = {.name = "lazy_set",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = KEYS};
SUBJECT(spec, .threads = 3)
