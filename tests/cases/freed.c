/* What threads lock, wait for or announce lies in memory that was given back, and may be used anew: freed WHAT
 * MEMORY TWIN. A right owner waits for its users first. */
#include "case.h"
#include <sys/mman.h>

struct object {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    pthread_rwlock_t rwlock;
    pthread_spinlock_t spin;
    pthread_barrier_t barrier;
    sem_t sem;
    int users;
};
static struct object *object;
static pthread_mutex_t g = PTHREAD_MUTEX_INITIALIZER;

static void use_mutex(void)
{
    struct object *mine = object;

    pthread_mutex_lock(&mine->mutex);
    mine->users++;
    pthread_mutex_unlock(&mine->mutex);
}

static void use_rwlock(void)
{
    struct object *mine = object;

    pthread_rwlock_wrlock(&mine->rwlock);
    mine->users++;
    pthread_rwlock_unlock(&mine->rwlock);
}

static void use_spin(void)
{
    struct object *mine = object;

    pthread_spin_lock(&mine->spin);
    mine->users++;
    pthread_spin_unlock(&mine->spin);
}

static void use_sem(void)
{
    sem_post(&object->sem);
}

static void use_sem_wait(void)
{
    sem_wait(&object->sem);
}

static void use_signal(void)
{
    pthread_cond_signal(&object->cond);
}

static void use_broadcast(void)
{
    pthread_cond_broadcast(&object->cond);
}

static void use_barrier(void)
{
    pthread_barrier_wait(&object->barrier);
}

static const struct variant uses[] = {
    VARIANT(use, mutex),    VARIANT(use, rwlock), VARIANT(use, spin),      VARIANT(use, sem),
    VARIANT(use, sem_wait), VARIANT(use, signal), VARIANT(use, broadcast), VARIANT(use, barrier)};

static void nothing(void)
{
}

static void free_heap(void)
{
    free(object);
}

/* Somebody else has it by now. */
static void free_reused(void)
{
    size_t bytes = sizeof *object;

    free(object);
    memset(malloc(bytes), 0x5a, bytes);
}

static void free_mapped(void)
{
    munmap(object, 4096);
}

static void *moved;

static void free_moved(void)
{
    moved = realloc(object, 1 << 20);
}

/* It was of a thread that has ended. */
static void free_stack(void)
{
}

static const struct variant frees[] = {VARIANT(free, heap), VARIANT(free, reused),
                                       VARIANT(free, mapped), VARIANT(free, moved),
                                       VARIANT(free, stack)};

static void *user(void *use)
{
    run(use);
    return NULL;
}

static void *owner(void *give_back)
{
    pthread_mutex_lock(&g);
    pthread_mutex_unlock(&g);
    run(give_back);
    return NULL;
}

static void make(void)
{
    pthread_mutex_init(&object->mutex, NULL);
    pthread_cond_init(&object->cond, NULL);
    pthread_rwlock_init(&object->rwlock, NULL);
    pthread_spin_init(&object->spin, PTHREAD_PROCESS_PRIVATE);
    pthread_barrier_init(&object->barrier, NULL, 1);
    sem_init(&object->sem, 0, 1);
}

static void *maker(void *use)
{
    struct object mine = {.users = 0};
    static pthread_t t;

    object = &mine;
    make();
    t = start(user, use);
    if (!wrong)
        finish(t);
    return &t;
}

static void on_a_stack(const struct variant *use)
{
    void *user_thread;

    pthread_join(start(maker, use), &user_thread);
    if (wrong)
        finish(*(pthread_t *)user_thread);
}

int main(int argc, char **argv)
{
    const struct variant *use, *give_back, none = {"", nothing};
    pthread_t t, u;

    arguments(argc, argv, 2);
    use = PICK(uses, argv[1]);
    give_back = PICK(frees, argv[2]);
    if (give_back->run == free_stack) {
        on_a_stack(use);
        return 0;
    }
    object = give_back->run == free_mapped
                 ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                 : calloc(1, sizeof *object);
    assert(object && object != MAP_FAILED);
    make();
    t = start(user, use);
    u = start(owner, wrong ? give_back : &none);
    finish(t);
    finish(u);
    if (!wrong)
        give_back->run();
    return 0;
}
