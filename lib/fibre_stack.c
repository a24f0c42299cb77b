/* fibre_stack.c - see fibre_stack.h.
 *
 * Free stacks of the usual size are kept, last in first out; what of many was free for a while gives back
 * its memory below the top page. Guards are protected, which costs two mappings a stack of the 65,530
 * that a process has by default: some are left to the program. Of many stacks they are installed
 * without a mapping each where the kernel can (Linux 6.13); not of the first, since gdb's gcore
 * leaves out a mapping from where it cannot read on, and the goroutines with it.
 */
#include "fibre_stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <heddle/fibres.h>
#include <heddle/go.h>

#include "fibre.h"
#include "park.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define PAGE ((size_t)4096)
#define IN_A_SLAB 32u
#define LEFT_TO_THE_PROGRAM 5000
#define SURELY_PROTECTED 1024
#define AT_HAND 64u /* free stacks of one thread */
#define WARM 1024u  /* of all, which keep their memory */
#define MOST_TRIMMED 4096u

extern void __asan_init(void) __attribute__((weak));

/* At the top of a free stack. */
struct hdi_spare {
    struct hdi_spare *below;
    unsigned char *low;
};

static struct hdi_lock lock;
static struct hd_fibre_slab *slabs;
static size_t spare_bytes; /* of each free stack */
static struct hdi_spare *warm,
    *cold; /* free ones with their memory, and with their top page alone */
static unsigned warm_count, least_warm; /* least: since they were last trimmed */

static _Atomic long protected; /* guards that are mappings */

static HDI_IN_THREAD struct hdi_stack here;

/* How many may be protected. */
static long most_protected(void)
{
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    long mappings;

    if (!file || fscanf(file, "%ld", &mappings) != 1)
        mappings = 65530;
    if (file)
        fclose(file);
    return (mappings - LEFT_TO_THE_PROGRAM) / 2;
}

enum guard { NO_GUARD, INSTALLED, PROTECTED };

static bool protect(unsigned char *low, long most)
{
    if (atomic_fetch_add(&protected, 1) < most && mprotect(low, PAGE, PROT_NONE) == 0)
        return true;
    atomic_fetch_sub(&protected, 1);
    return false;
}

static enum guard guard(unsigned char *low)
{
    static _Atomic long most_known;
    long most = atomic_load(&most_known);

    if (most == 0)
        atomic_store(&most_known, most = most_protected());
    if (protect(low, most < SURELY_PROTECTED ? most : SURELY_PROTECTED))
        return PROTECTED;
    if (madvise(low, PAGE, MADV_GUARD_INSTALL) == 0)
        return INSTALLED;
    return protect(low, most) ? PROTECTED : NO_GUARD;
}

static unsigned char *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void push(struct hdi_spare **list, unsigned char *low)
{
    struct hdi_spare *spare = (struct hdi_spare *)(void *)(low + spare_bytes - sizeof *spare);

    spare->low = low;
    spare->below = *list;
    *list = spare;
}

static unsigned char *pop(struct hdi_spare **list)
{
    unsigned char *low = (*list)->low;

    *list = (*list)->below;
    return low;
}

/* With the lock held. */
static void enlist(unsigned char *low, size_t bytes, unsigned count)
{
    struct hd_fibre_slab *slab = (struct hd_fibre_slab *)(void *)low;

    *slab = (struct hd_fibre_slab){slabs, &slabs, low + PAGE, bytes, count};
    if (slabs)
        slabs->link = &slab->next;
    slabs = slab;
}

/* With the lock held: a slab of new ones. */
static bool more(void)
{
    unsigned char *low = map(PAGE + IN_A_SLAB * spare_bytes), *first = low + PAGE;
    unsigned count = 0;

    if (!low)
        return false;
    while (count < IN_A_SLAB && guard(first + count * spare_bytes) != NO_GUARD)
        push(&cold, first + count++ * spare_bytes);
    if (count == 0) {
        munmap(low, PAGE + IN_A_SLAB * spare_bytes);
        return false;
    }
    if (count < IN_A_SLAB)
        munmap(first + count * spare_bytes, (IN_A_SLAB - count) * spare_bytes);
    enlist(low, spare_bytes, count);
    return true;
}

struct slab_of_one {
    struct hd_fibre_slab slab;
    enum guard guard;
};

/* One of another size: a slab of its own. */
static unsigned char *map_one(size_t bytes)
{
    unsigned char *low = map(PAGE + bytes);

    if (!low)
        return NULL;
    enum guard kind = guard(low + PAGE);
    if (kind == NO_GUARD) {
        munmap(low, PAGE + bytes);
        return NULL;
    }
    hdi_lock(&lock);
    enlist(low, bytes, 1);
    ((struct slab_of_one *)(void *)low)->guard = kind;
    hdi_unlock(&lock);
    return low + PAGE;
}

static void unmap_one(struct hdi_stack stack)
{
    unsigned char *low = stack.low - PAGE;
    struct slab_of_one *one = (struct slab_of_one *)(void *)low;
    struct hd_fibre_slab *slab = &one->slab;
    long guards = one->guard == PROTECTED;

    hdi_lock(&lock);
    *slab->link = slab->next;
    if (slab->next)
        slab->next->link = slab->link;
    hdi_unlock(&lock);
    munmap(low, PAGE + stack.bytes);
    atomic_fetch_sub(&protected, guards);
}

/* With the lock held. */
static unsigned char *take(void)
{
    if (!warm)
        return cold || more() ? pop(&cold) : NULL;
    if (--warm_count < least_warm)
        least_warm = warm_count;
    return pop(&warm);
}

static void fill(struct hdi_stack_cache *cache)
{
    unsigned char *low;

    hdi_lock(&lock);
    while (cache->count < AT_HAND / 2 && (low = take())) {
        push(&cache->first, low);
        cache->count++;
    }
    hdi_unlock(&lock);
}

static void empty(struct hdi_stack_cache *cache, unsigned down_to)
{
    hdi_lock(&lock);
    for (; cache->count > down_to; cache->count--, warm_count++)
        push(&warm, pop(&cache->first));
    hdi_unlock(&lock);
}

void hdi_stack_cache_end(struct hdi_stack_cache *cache)
{
    empty(cache, 0);
}

bool hdi_stack_get(struct hdi_stack *stack, size_t bytes, bool usual, struct hdi_stack_cache *cache)
{
    *stack = (struct hdi_stack){NULL, (bytes + PAGE - 1) / PAGE * PAGE + PAGE};
    if (cache && cache->first && stack->bytes == spare_bytes) {
        stack->low = pop(&cache->first);
        cache->count--;
        return true;
    }
    hdi_lock(&lock);
    if (!spare_bytes && usual)
        spare_bytes = stack->bytes;
    if (stack->bytes == spare_bytes)
        stack->low = take();
    hdi_unlock(&lock);
    if (stack->bytes != spare_bytes)
        stack->low = map_one(stack->bytes);
    else if (stack->low && cache)
        fill(cache);
    return stack->low != NULL;
}

void hdi_stack_put(struct hdi_stack stack, struct hdi_stack_cache *cache)
{
    if (stack.bytes != spare_bytes) {
        unmap_one(stack);
        return;
    }
    push(&cache->first, stack.low);
    if (++cache->count > AT_HAND)
        empty(cache, AT_HAND / 2);
}

void hdi_stack_trim(void)
{
    struct hdi_spare *trimmed = NULL;

    hdi_lock(&lock);
    for (unsigned i = 0; i < MOST_TRIMMED && least_warm > WARM; i++, warm_count--, least_warm--)
        push(&trimmed, pop(&warm));
    least_warm = warm_count;
    hdi_unlock(&lock);
    while (trimmed) {
        unsigned char *low = pop(&trimmed);
        madvise(low + PAGE, spare_bytes - 2 * PAGE, MADV_DONTNEED);
        hdi_lock(&lock);
        push(&cold, low);
        hdi_unlock(&lock);
    }
}

void hdi_stack_forget(void)
{
    warm = cold = NULL;
    warm_count = least_warm = 0;
    atomic_store(&lock.word, 0);
}

struct hd_fibre_slab *const *hdi_stack_slabs(void)
{
    return &slabs;
}

void hdi_stack_is(struct hdi_stack stack)
{
    here = stack;
}

static void say(int number, siginfo_t *info, void *context)
{
    const struct hdi_stack stack = hdi_fibre_self() ? hdi_fibre_stack() : here;
    uintptr_t at = (uintptr_t)info->si_addr, low = (uintptr_t)stack.low;
    char text[160];

    (void)context;
    if (stack.low && at >= low && at < low + PAGE) {
        int length =
            snprintf(text, sizeof text,
                     "fatal error: stack overflow: goroutine %s needs more than the %zu KiB "
                     "of hd_go_set_stack()\n",
                     hd_go_name(), (stack.bytes - PAGE) >> 10);
        if (write(STDERR_FILENO, text, (size_t)length) < 0)
            errno = 0;
    }
    signal(number, SIG_DFL); /* the instruction faults again */
}

bool hdi_stack_handles(void)
{
    struct sigaction now;

    return sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
           now.sa_sigaction == say;
}

static void install(void)
{
    struct sigaction old, mine = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    mine.sa_sigaction = say;
    if (sigaction(SIGSEGV, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL)
        sigaction(SIGSEGV, &mine, NULL);
}

void hdi_stack_watch(void *alternate)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const stack_t stack = {.ss_sp = alternate, .ss_size = HDI_ALTERNATE_STACK};

    if (hdi_watchers || __asan_init) /* they do so themselves, or nobody may */
        return;
    pthread_once(&once, install);
    sigaltstack(&stack, NULL);
}

struct hdi_stack hdi_stack_of_thread(void)
{
    struct hdi_stack stack = {NULL, 0};
    pthread_attr_t attr;
    void *low;

    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return stack;
    if (pthread_attr_getstack(&attr, &low, &stack.bytes) == 0) {
        stack.low = (unsigned char *)low - PAGE;
        stack.bytes += PAGE;
    }
    pthread_attr_destroy(&attr);
    return stack;
}
