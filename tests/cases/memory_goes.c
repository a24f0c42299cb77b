/* Memory that is given back to the kernel, and what libc reads at the end of a mapping: memory_goes WAY TWIN */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <wchar.h>

#include "case.h"

#define LARGE ((size_t)4 << 20)

static char *volatile block;
static volatile char seen;
static char text[1024];

static void *allocates(void *arg)
{
    block = malloc(wrong ? 64 : LARGE);
    free(block);
    return arg;
}

/* As the dynamic linker does it: another mapping where the block was. Wrong: a block that was not given back. */
static void memory_goes_freed(void)
{
    char *p;

    finish(start(allocates, NULL));
    if (wrong) {
        seen = *block;
        return;
    }
    p = (char *)syscall(SYS_mmap, (uintptr_t)block & ~(uintptr_t)4095, LARGE,
                        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert(p != MAP_FAILED);
    for (size_t i = 0; i < LARGE; i += 4096)
        seen = p[i];
}

static void *stores(void *arg)
{
    atomic_int *p = arg ? arg : malloc(LARGE);

    atomic_store_explicit(p, 1, memory_order_relaxed);
    if (arg)
        munmap(p, 4096);
    else
        free(p);
    if (wrong)
        atomic_store_explicit(p, 2, memory_order_relaxed);
    return NULL;
}

static atomic_int *page(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert(p != MAP_FAILED);
    return p;
}

/* A store still waits in a buffer when its memory goes. Wrong: one is made after that. */
static void memory_goes_unmapped_store(void)
{
    pthread_t t = start(stores, page());

    finish(t);
}

static void memory_goes_freed_store(void)
{
    finish(start(stores, NULL));
}

static void *moves(void *arg)
{
    atomic_int *p = page(), *to = (atomic_int *)page();

    atomic_store_explicit(p, 1, memory_order_relaxed);
    p = mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    assert(p == to && atomic_load_explicit(p, memory_order_relaxed) == (wrong ? 2 : 1));
    return arg;
}

static void memory_goes_moved_store(void)
{
    finish(start(moves, NULL));
}

static void *converts(void *arg)
{
    wchar_t wide[8];

    assert(mbstowcs(wide, (char *)arg, wrong ? 5 : 4) == 4);
    return NULL;
}

/* Four characters and no end, before memory that cannot be read. */
static void memory_goes_converted(void)
{
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t t;

    assert(p != MAP_FAILED && mprotect(p + 4096, 4096, PROT_NONE) == 0);
    memcpy(p + 4092, "abcd", 4);
    t = start(converts, p + 4092);
    finish(t);
}

static void *finds(void *arg)
{
    assert(memmem(text, sizeof text, "xyz", 3) == text);
    assert(memrchr(text, 'q', sizeof text) == text + 900);
    assert(atof(text + 400) > 1.0);
    return arg;
}

/* What is searched is read up to what is found. Wrong: that is written meanwhile. */
static void memory_goes_found(void)
{
    pthread_t t;

    memcpy(text, "xyz", 3);
    text[900] = 'q';
    memcpy(text + 400, "12 words", 8);
    t = start(finds, NULL);
    text[500] = 'a';
    text[407] = 'b';
    if (wrong)
        text[950] = 'c';
    finish(t);
}

static const struct variant all[] = {
    VARIANT(memory_goes, freed),       VARIANT(memory_goes, unmapped_store),
    VARIANT(memory_goes, freed_store), VARIANT(memory_goes, moved_store),
    VARIANT(memory_goes, converted),   VARIANT(memory_goes, found),
};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(all, argv[1])->run();
    return 0;
}
