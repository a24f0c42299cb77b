/* fibre_stack.c - see fibre_stack.h.
 *
 * Free stacks of the usual size are kept, last in first out; their memory below the top page is given
 * back when there are many. Guards are installed without a mapping each where the kernel can
 * (Linux 6.13), else protected, which costs two mappings a stack of the 65,530 that a process has
 * by default: some are left to the program.
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
#define WARM 1024u /* free stacks that keep their memory */

extern void __asan_init(void) __attribute__((weak));

struct spare {
    struct spare *below;
    unsigned char *low;
};

static struct hdi_lock lock;
static struct hd_fibre_slab *slabs;
static struct spare *spares; /* at the top of the free stacks themselves */
static size_t spare_bytes;   /* of each */
static unsigned spare_count;

static _Atomic long protected; /* guards; 0 where the kernel installs them */

HDI_OF_THREAD struct hdi_stack here;

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

static bool guard(unsigned char *low)
{
    static _Atomic long most;

    if (madvise(low, PAGE, MADV_GUARD_INSTALL) == 0)
        return true;
    if (atomic_load(&most) == 0)
        atomic_store(&most, most_protected());
    if (atomic_fetch_add(&protected, 1) < atomic_load(&most) && mprotect(low, PAGE, PROT_NONE) == 0)
        return true;
    atomic_fetch_sub(&protected, 1);
    return false;
}

static unsigned char *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* With the lock held. */
static void push(unsigned char *low)
{
    struct spare *spare = (struct spare *)(void *)(low + spare_bytes - sizeof *spare);

    spare->low = low;
    spare->below = spares;
    spares = spare;
    spare_count++;
}

/* With the lock held. */
static void list(unsigned char *low, size_t bytes, unsigned count)
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
    while (count < IN_A_SLAB && guard(first + count * spare_bytes))
        push(first + count++ * spare_bytes);
    if (count == 0) {
        munmap(low, PAGE + IN_A_SLAB * spare_bytes);
        return false;
    }
    if (count < IN_A_SLAB)
        munmap(first + count * spare_bytes, (IN_A_SLAB - count) * spare_bytes);
    list(low, spare_bytes, count);
    return true;
}

/* One of another size: a slab of its own. */
static unsigned char *map_one(size_t bytes)
{
    unsigned char *low = map(PAGE + bytes);

    if (!low)
        return NULL;
    if (!guard(low + PAGE)) {
        munmap(low, PAGE + bytes);
        return NULL;
    }
    hdi_lock(&lock);
    list(low, bytes, 1);
    hdi_unlock(&lock);
    return low + PAGE;
}

static void unmap_one(struct hdi_stack stack)
{
    unsigned char *low = stack.low - PAGE;
    struct hd_fibre_slab *slab = (struct hd_fibre_slab *)(void *)low;

    hdi_lock(&lock);
    *slab->link = slab->next;
    if (slab->next)
        slab->next->link = slab->link;
    hdi_unlock(&lock);
    munmap(low, PAGE + stack.bytes);
    if (atomic_load(&protected) > 0)
        atomic_fetch_sub(&protected, 1);
}

bool hdi_stack_get(struct hdi_stack *stack, size_t bytes)
{
    bool usual;

    bytes = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
    *stack = (struct hdi_stack){NULL, bytes};
    hdi_lock(&lock);
    if (!spare_bytes)
        spare_bytes = bytes;
    usual = bytes == spare_bytes;
    if (usual && (spares || more())) {
        stack->low = spares->low;
        spares = spares->below;
        spare_count--;
    }
    hdi_unlock(&lock);
    if (!usual)
        stack->low = map_one(bytes);
    return stack->low != NULL;
}

void hdi_stack_put(struct hdi_stack stack)
{
    if (stack.bytes != spare_bytes) {
        unmap_one(stack);
        return;
    }
    if (spare_count > WARM)
        madvise(stack.low + PAGE, stack.bytes - 2 * PAGE, MADV_DONTNEED);
    hdi_lock(&lock);
    push(stack.low);
    hdi_unlock(&lock);
}

void hdi_stack_forget(void)
{
    spares = NULL;
    spare_count = 0;
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
    uintptr_t at = (uintptr_t)info->si_addr, low = (uintptr_t)here.low;
    char text[160];

    (void)context;
    if (here.low && at >= low && at < low + PAGE) {
        int length =
            snprintf(text, sizeof text,
                     "fatal error: stack overflow: goroutine %s needs more than the %zu KiB "
                     "of hd_go_set_stack()\n",
                     hd_go_name(), (here.bytes - PAGE) >> 10);
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
