/* A thread comes by the same place again and again, while another waits for its word: repeats HOW TWIN. A right one
 * counts meanwhile, and gives it in the end; a wrong one changes nothing. */
#include "case.h"
#include <heddle/heddle.h>
#include <sys/mman.h>

#define ROUNDS 20000
#define PAGE 4096
#define GUARD_INSTALL 102 /* of newer headers than some systems have */

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static struct hd_mutex hm;
static sem_t word;
static int left = ROUNDS; /* in memory alone: registers and stack are the same each time */
static int *blocks[2];
static int *mapped;

static void repeats_mutex(void)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&m);
        left -= !wrong;
        over = left == 0;
        pthread_mutex_unlock(&m);
    }
}

static void repeats_trylock(void)
{
    bool over = false;

    while (!over)
        if (pthread_mutex_trylock(&m) == 0) {
            left -= !wrong;
            over = left == 0;
            pthread_mutex_unlock(&m);
        }
}

/* In a block of the heap. */
static void repeats_heap(void)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&m);
        *blocks[1] -= !wrong;
        over = *blocks[1] == 0;
        pthread_mutex_unlock(&m);
    }
}

/* On the stack of the one that waits. */
static void repeats_stack(void)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&m);
        *blocks[0] -= !wrong;
        over = *blocks[0] == 0;
        pthread_mutex_unlock(&m);
    }
}

/* In the kernel: what is left of a file. */
static void repeats_file(void)
{
    FILE *f = wrong ? NULL : tmpfile();
    char byte = 0;
    long end = 1;

    if (f)
        assert(ftruncate(fileno(f), ROUNDS) == 0);
    while (end > 0) {
        pthread_mutex_lock(&m);
        pthread_mutex_unlock(&m);
        if (f)
            end = read(fileno(f), &byte, 1);
    }
    if (f)
        fclose(f);
}

/* Beside memory that cannot be read, though it is in a mapping that can: `mapped` is its second page. */
static void repeats_beside(void)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&m);
        *mapped -= !wrong;
        over = *mapped == 0;
        pthread_mutex_unlock(&m);
    }
}

static void repeats_guard(void)
{
    repeats_beside();
}

static void repeats_short(void)
{
    repeats_beside();
}

static void repeats_hd_mutex(void)
{
    bool over = false;

    while (!over) {
        hd_mutex_lock(&hm);
        left -= !wrong;
        over = left == 0;
        hd_mutex_unlock(&hm);
    }
}

static const struct variant repeats[] = {VARIANT(repeats, mutex), VARIANT(repeats, trylock),
                                         VARIANT(repeats, heap),  VARIANT(repeats, stack),
                                         VARIANT(repeats, file),  VARIANT(repeats, hd_mutex),
                                         VARIANT(repeats, guard), VARIANT(repeats, short)};

/* A guard of the kernel's is in no list of mappings. */
static void map_beside_guard(void)
{
    char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert(pages != MAP_FAILED);
    mapped = (int *)(void *)(pages + PAGE);
    *mapped = ROUNDS;
    if (madvise(pages, PAGE, GUARD_INSTALL) != 0)
        fprintf(stderr, "not tested: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)\n");
}

/* Behind the end of a file is no memory. */
static void map_short_file(void)
{
    FILE *f = tmpfile();
    char *pages;

    assert(f && ftruncate(fileno(f), 2 * PAGE) == 0);
    pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(f), 0);
    assert(pages != MAP_FAILED);
    mapped = (int *)(void *)(pages + PAGE);
    *mapped = ROUNDS;
    fclose(f);
}

static void *goes_on(void *variant)
{
    run(variant);
    sem_post(&word);
    return NULL;
}

int main(int argc, char **argv)
{
    int here = ROUNDS;

    arguments(argc, argv, 1);
    sem_init(&word, 0, 0);
    blocks[0] = &here;
    blocks[1] = malloc(sizeof *blocks[1]);
    *blocks[1] = ROUNDS;
    if (strcmp(argv[1], "guard") == 0)
        map_beside_guard();
    if (strcmp(argv[1], "short") == 0)
        map_short_file();
    start_detached(goes_on, PICK(repeats, argv[1]));
    sem_wait(&word);
    free(blocks[1]);
    return 0;
}
