/* Memory that one thread after another has: what came before it was given back comes before what the
 * next does with it. The wrong twin goes on using what it gave back, or what it never had. */
#include <alloca.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <threads.h>
#include <unistd.h>

#include "twin.h"

enum { PAGE = 4096 };

int sink; /* not static: what nobody reads is not there */
static sem_t gone;

static void pair(void *(*one)(void *), void *(*other)(void *))
{
    pthread_t a, b;

    sem_init(&gone, 0, 0);
    pthread_create(&a, NULL, one, (void *)0);
    pthread_create(&b, NULL, other, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* ---- the heap ---- */

static void *kept[2];

/* Nothing but the allocator comes between the two. */
static void *has_block(void *arg)
{
    for (int i = 0; i < 3; i++) {
        kept[(long)arg] = malloc(48);
        memset(kept[(long)arg], i, 48);
        free(kept[(long)arg]);
    }
    return arg;
}

static void *forgets_block(void *arg)
{
    has_block(arg);
    if (wrong)
        ((char *)kept[(long)arg])[24] = 2;
    return arg;
}

static void block(void)
{
    pair(has_block, forgets_block);
}

static void *has_aligned(void *arg)
{
    for (int i = 0; i < 3; i++) {
        char *p = i == 0 ? aligned_alloc(64, 128) : memalign(64, 128);
        memset(p, i, 128);
        free(p);
    }
    return arg;
}

static void *forgets_aligned(void *arg)
{
    if (posix_memalign(&kept[0], 64, 128) != 0)
        abort();
    memset(kept[0], 1, 128);
    free(kept[0]);
    if (wrong)
        ((char *)kept[0])[64] = 2;
    return arg;
}

static void aligned_block(void)
{
    pair(has_aligned, forgets_aligned);
}

/* Grown in each thread, moved again and again. */
static void *grows(void *arg)
{
    size_t n = 64;
    char *p = malloc(n), *first = p;

    for (int i = 0; i < 8; i++) {
        memset(p, i, n);
        n *= 2;
        p = realloc(p, n);
    }
    if (wrong && arg)
        first[32] = 1;
    free(p);
    return arg;
}

static void realloc_moves(void)
{
    pair(grows, grows);
}

/* One grows what the other reads, behind a lock. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int *array, length;

static void *appends(void *arg)
{
    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&guard);
        array = realloc(array, (size_t)(length + 1) * sizeof *array);
        array[length++] = i;
        pthread_mutex_unlock(&guard);
    }
    return arg;
}

static void *sums(void *arg)
{
    int *now, n, sum = 0;

    pthread_mutex_lock(&guard);
    now = array;
    n = length;
    if (wrong)
        pthread_mutex_unlock(&guard);
    for (int i = 0; i < n; i++)
        sum += now[i];
    if (!wrong)
        pthread_mutex_unlock(&guard);
    sink = sum;
    return arg;
}

static void array_grows(void)
{
    pair(appends, sums);
    free(array);
}

/* Bigger than what the allocator keeps: each is mapped, and unmapped. */
static void *has_large(void *arg)
{
    for (int i = 0; i < 3; i++) {
        char *p = malloc(300 * 1024);
        p[0] = p[PAGE] = (char)i;
        free(p);
    }
    return arg;
}

static void *fills_large(void *arg)
{
    kept[0] = malloc(300 * 1024);
    memset(kept[0], 1, 64);
    if (wrong)
        sem_post(&gone);
    *(char *)kept[0] = 2;
    if (!wrong)
        sem_post(&gone);
    return arg;
}

static void *frees_large(void *arg)
{
    has_large(arg);
    sem_wait(&gone);
    free(kept[0]);
    return has_large(arg);
}

static void large_block(void)
{
    pair(fills_large, frees_large);
}

/* ---- mappings ---- */

static void *maps(void *arg)
{
    for (int i = 0; i < 3; i++) {
        char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        p[wrong ? 0 : 1] = (char)i;
        if (wrong)
            __atomic_store_n(&kept[(long)arg], p, __ATOMIC_RELAXED);
        munmap(p, PAGE);
    }
    return arg;
}

static void *lent_page;

static void *writes_page(void *arg)
{
    if (!wrong)
        sem_wait(&gone);
    *(char *)lent_page = 1;
    return arg;
}

/* A page that is taken over by a new mapping at its place. */
static void *maps_over(void *arg)
{
    *(char *)lent_page = 2;
    sem_post(&gone);
    return arg;
}

static void mapped_pages(void)
{
    if (!wrong)
        pair(maps, maps);
    lent_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pair(maps_over, writes_page);
    munmap(lent_page, PAGE);
}

static void *remaps(void *arg)
{
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    p[0] = 1;
    p = mremap(p, PAGE, 16 * PAGE, MREMAP_MAYMOVE);
    p[0] = 2;
    p[8 * PAGE] = 3;
    munmap(p, 16 * PAGE);
    if (wrong)
        __atomic_load_n((int *)kept, __ATOMIC_RELAXED);
    return arg;
}

static void *remaps_shared(void *arg)
{
    if (arg && !wrong)
        sem_wait(&gone);
    ((char *)lent_page)[8] = 1;
    if (!arg)
        sem_post(&gone);
    return remaps(arg);
}

static void remapped_pages(void)
{
    lent_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pair(remaps_shared, remaps_shared);
    munmap(lent_page, PAGE);
}

static void *attaches(void *arg)
{
    int id = shmget(IPC_PRIVATE, PAGE, 0600);
    char *p = shmat(id, NULL, 0);

    shmctl(id, IPC_RMID, NULL);
    p[0] = 1;
    shmdt(p);
    if (wrong)
        sink++;
    return arg;
}

static void attached_memory(void)
{
    pair(attaches, attaches);
}

/* The same pages at two places are one memory; here each thread has its own half of them. */
static void *same[2];

static void *writes_its_view(void *arg)
{
    ((char *)same[(long)arg])[wrong ? 0 : 64 * (long)arg] = 1;
    return arg;
}

static void one_view(void)
{
    same[0] = same[1] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pair(writes_its_view, writes_its_view);
}

/* ---- stacks ---- */

static void *uses_stack(void *arg)
{
    volatile char room[2048];

    for (size_t i = 0; i < sizeof room; i += 64)
        room[i] = (char)i;
    if (wrong)
        sink++;
    return arg;
}

static void stack_after_join(void)
{
    for (int i = 0; i < 3; i++)
        pair(uses_stack, uses_stack);
}

static void *ends_detached(void *arg)
{
    uses_stack(NULL);
    sem_post(&gone);
    uses_stack(NULL);
    return arg;
}

/* Nobody joins; the next thread gets the stack from whoever ended. */
static void stack_of_detached(void)
{
    pthread_attr_t attr;
    pthread_t t;

    sem_init(&gone, 0, 0);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t, &attr, ends_detached, NULL);
        sched_yield();
    }
    for (int i = 0; i < 3; i++)
        sem_wait(&gone);
}

static char own_stack[256 * 1024] __attribute__((aligned(PAGE)));

/* Before and after the thread it is memory like any. */
static void *marks_stack(void *arg)
{
    volatile char room[2048];

    kept[0] = (void *)room;
    room[0] = 1;
    sem_post(&gone);
    room[1] = 2;
    return arg;
}

static void stack_of_own(void)
{
    pthread_attr_t attr;
    pthread_t t;

    sem_init(&gone, 0, 0);
    pthread_attr_init(&attr);
    pthread_attr_setstack(&attr, own_stack, sizeof own_stack);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t, &attr, marks_stack, NULL);
        sem_wait(&gone);
        if (wrong)
            ((volatile char *)kept[0])[1] = 3;
        pthread_join(t, NULL);
        memset(own_stack, 0, sizeof own_stack);
    }
}

/* What was pushed by alloca is another's after a jump out of it. */
static void *jumps(void *arg)
{
    jmp_buf back;
    volatile int n = 0;

    if (setjmp(back) < 3) {
        char *room = alloca(512);
        memset(room, n, 512);
        n++;
        longjmp(back, n);
    }
    if (wrong)
        sink++;
    return arg;
}

static void jumped_over(void)
{
    pair(jumps, jumps);
}

/* A local of one, lent to the other until it is done. */
static int *lent;
static sem_t lending, returned;

static void *lends(void *arg)
{
    int local = 1;

    lent = &local;
    sem_post(&lending);
    if (!wrong)
        sem_wait(&returned);
    local = 3;
    if (wrong)
        sem_wait(&returned);
    return arg;
}

static void *borrows(void *arg)
{
    sem_wait(&lending);
    *lent = 2;
    sem_post(&returned);
    return arg;
}

static void local_lent(void)
{
    sem_init(&lending, 0, 0);
    sem_init(&returned, 0, 0);
    pair(lends, borrows);
}

/* ---- thread-local ---- */

static _Thread_local int own = 1;
static int *of_other;

static void *counts_own(void *arg)
{
    for (int i = 0; i < 3; i++)
        own += i;
    if (arg && wrong) {
        sem_wait(&gone);
        *of_other = 0;
    } else if (!arg) {
        of_other = &own;
        sem_post(&gone);
        own++;
        sched_yield();
    }
    return arg;
}

static void thread_local_reused(void)
{
    for (int i = 0; i < 2; i++)
        pair(counts_own, counts_own);
}

static pthread_key_t key;
static int destroyed;

static void destroys(void *value)
{
    free(value);
    if (wrong)
        destroyed++;
    else
        __atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void *sets_key(void *arg)
{
    int *mine = malloc(sizeof *mine);

    *mine = 1;
    pthread_setspecific(key, mine);
    ++*(int *)pthread_getspecific(key);
    return arg;
}

static void key_destructor(void)
{
    pthread_key_create(&key, destroys);
    pair(sets_key, sets_key);
}

/* Before it is joined, its destructors have run. */
static int told;

static void tells(void *value)
{
    told = *(int *)value;
    free(value);
}

static void key_destructor_joined(void)
{
    pthread_t t;

    pthread_key_create(&key, tells);
    pthread_create(&t, NULL, sets_key, NULL);
    if (wrong)
        sink = told;
    pthread_join(t, NULL);
    sink = told;
}

static tss_t slot;

static int sets_slot(void *arg)
{
    int *mine = malloc(sizeof *mine);

    *mine = 1;
    tss_set(slot, mine);
    (void)arg;
    return 0;
}

static void slot_destructor_joined(void)
{
    thrd_t t;

    tss_create(&slot, tells);
    thrd_create(&t, sets_slot, NULL);
    if (wrong)
        sink = told;
    thrd_join(t, NULL);
    sink = told;
}

/* ---- pools of the program's own ---- */

struct cell {
    struct cell *next;
    int value;
};

static struct cell cells[4], *spare;

static struct cell *cell_get(void)
{
    struct cell *c;

    pthread_mutex_lock(&guard);
    c = spare;
    spare = c->next;
    pthread_mutex_unlock(&guard);
    return c;
}

static void cell_put(struct cell *c)
{
    pthread_mutex_lock(&guard);
    c->next = spare;
    spare = c;
    pthread_mutex_unlock(&guard);
}

static void *uses_cells(void *arg)
{
    for (int i = 0; i < 3; i++) {
        struct cell *c = cell_get();
        c->value = i;
        cell_put(c);
        if (wrong)
            c->value = -1;
    }
    return arg;
}

static void pool_locked(void)
{
    for (int i = 0; i < 4; i++) {
        cells[i].next = spare;
        spare = &cells[i];
    }
    pair(uses_cells, uses_cells);
}

/* A bit for each cell that is in use. */
static atomic_uint in_use;

static void *uses_bits(void *arg)
{
    for (int i = 0; i < 3; i++) {
        unsigned now = atomic_load_explicit(&in_use, memory_order_relaxed);
        int bit;
        do
            bit = __builtin_ctz(~now);
        while (!atomic_compare_exchange_weak_explicit(
            &in_use, &now, now | 1u << bit, wrong ? memory_order_relaxed : memory_order_acquire,
            memory_order_relaxed));
        cells[bit].value = i;
        atomic_fetch_and_explicit(&in_use, ~(1u << bit), memory_order_release);
    }
    return arg;
}

static void pool_of_bits(void)
{
    pair(uses_bits, uses_bits);
}

/* Given out and never back. */
char arena[4096];
static atomic_size_t given;

static void *from_arena(void *arg)
{
    for (int i = 0; i < 4; i++) {
        size_t at = atomic_fetch_add_explicit(&given, 24, memory_order_relaxed);
        memset(arena + at, i, wrong ? 32 : 24);
    }
    return arg;
}

static void bump_arena(void)
{
    pair(from_arena, from_arena);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(block),
        VARIANT(aligned_block),
        VARIANT(realloc_moves),
        VARIANT(array_grows),
        VARIANT(large_block),
        VARIANT(mapped_pages),
        VARIANT(remapped_pages),
        VARIANT(attached_memory),
        VARIANT(one_view),
        VARIANT(stack_after_join),
        VARIANT(stack_of_detached),
        VARIANT(stack_of_own),
        VARIANT(jumped_over),
        VARIANT(local_lent),
        VARIANT(thread_local_reused),
        VARIANT(key_destructor),
        VARIANT(key_destructor_joined),
        VARIANT(slot_destructor_joined),
        VARIANT(pool_locked),
        VARIANT(pool_of_bits),
        VARIANT(bump_arena),
    };

    return RUN_VARIANT(table, argc, argv);
}
