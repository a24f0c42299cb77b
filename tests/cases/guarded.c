/* A page is guarded by madvise, which no list of mappings shows: guarded WHEN TWIN, before the first thread or by
 * one. The wrong one writes there.
 */
#include "case.h"
#include <sys/mman.h>

#define PAGE 4096
#define GUARD_INSTALL 102 /* of newer headers than some systems have */

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static char *pages;
static bool late;

static void guard(void)
{
    if (madvise(pages, PAGE, GUARD_INSTALL) != 0) {
        fprintf(stderr, "not tested: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)\n");
        mprotect(pages, PAGE, PROT_NONE);
    }
}

static void guarded_before(void)
{
    guard();
}

static void guarded_within(void)
{
    late = true;
}

static const struct variant guarded[] = {VARIANT(guarded, before), VARIANT(guarded, within)};

static void *counts(void *guards)
{
    if (guards)
        guard();
    pthread_mutex_lock(&m);
    pages[PAGE]++;
    pthread_mutex_unlock(&m);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread[2];

    arguments(argc, argv, 1);
    pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(pages != MAP_FAILED);
    pages[0] = pages[PAGE] = 0;
    PICK(guarded, argv[1])->run();
    for (int i = 0; i < 2; i++)
        assert(pthread_create(&thread[i], NULL, counts, late && i == 0 ? pages : NULL) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    if (wrong)
        pages[0]++;
    assert(pages[PAGE] == 2);
    return 0;
}
