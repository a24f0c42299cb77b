/* suite.c - see suite.h. Never instrumented: what it counts must order nothing. */
#include "suite.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/panic.h>
#include <heddle/seam.h>

struct kept {
    struct kept *next;
    struct hd_chan *chan;
    struct hd_context *ctx;
};

/* Never freed: a goroutine that ends by itself is not ordered before any free that main could do.
 */
static _Alignas(max_align_t) unsigned char memory[4 << 20];
static _Atomic size_t memory_used;
static _Atomic(struct kept *) all_kept;
static const struct hd_seam *seam;
static uint64_t seed = 1;
static bool bare;

void suite_failed(const char *what, const char *file, unsigned line, const char *function)
{
    if (!bare)
        __assert_fail(what, file, line, function);
}

void *keep(size_t bytes)
{
    size_t align = _Alignof(max_align_t), size = (bytes + align - 1) / align * align;
    size_t at = atomic_fetch_add_explicit(&memory_used, size, memory_order_relaxed);

    if (at + size > sizeof memory)
        hd_panic("the scenario keeps more than %zu bytes", sizeof memory);
    return memory + at;
}

static struct kept *keep_more(void)
{
    struct kept *k = keep(sizeof *k);

    k->next = atomic_load_explicit(&all_kept, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&all_kept, &k->next, k, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
    return k;
}

struct hd_chan *keep_chan(struct hd_chan *chan)
{
    return keep_more()->chan = chan;
}

struct hd_context *keep_context(struct hd_context *ctx)
{
    return keep_more()->ctx = hd_context_ref(ctx);
}

/* Not while a goroutine is left: it may still use what was kept. */
void suite_end(void)
{
    if (hd_go_count() != 0)
        return;
    for (struct kept *k = atomic_exchange(&all_kept, NULL); k; k = k->next) {
        hd_chan_unref(k->chan);
        hd_context_unref(k->ctx);
    }
}

int draw(int low, int high)
{
    uint32_t n = (uint32_t)(high - low) + 1;

    assert(low <= high);
    if (seam)
        return low + (int)seam->choose(n, __builtin_return_address(0));
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return low + (int)((seed >> 11) % n);
}

int64_t span(int64_t ns)
{
    return seam ? ns : ns / 200;
}

void started(hd_err err)
{
    if (err)
        hd_panic_err(err);
}

void all_gone(void)
{
    for (int i = 0; i < 60 && hd_go_count() != 0; i++)
        hd_sleep(span(HD_SECOND));
    assert(hd_go_count() == 0 && "a goroutine is left");
}

void gauge_enter(struct gauge *g)
{
    int now = __atomic_add_fetch(&g->now, 1, __ATOMIC_RELAXED);
    int most = __atomic_load_n(&g->most, __ATOMIC_RELAXED);

    while (now > most && !__atomic_compare_exchange_n(&g->most, &most, now, true, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED))
        ;
}

void gauge_leave(struct gauge *g)
{
    __atomic_sub_fetch(&g->now, 1, __ATOMIC_RELAXED);
}

void tally(struct tally *t, int item)
{
    uint64_t bit = 1ull << item;

    assert(item >= 0 && item < 64);
    if ((__atomic_fetch_or(&t->seen, bit, __ATOMIC_RELAXED) & bit) && !bare)
        hd_panic("item %d was done twice", item);
}

int tally_count(const struct tally *t)
{
    return __builtin_popcountll(__atomic_load_n(&t->seen, __ATOMIC_RELAXED));
}

static void *nothing(void *arg)
{
    return arg;
}

void suite_begin(void)
{
    const struct hd_seam *(*find)(uint32_t) = NULL;

    *(void **)&find = dlsym(RTLD_DEFAULT, HD_SEAM_SYMBOL);
    seam = find ? find(HD_SEAM_VERSION) : NULL;
    memset(memory, 0, memory_used);
    memory_used = 0;
    all_kept = NULL;
}

/* Schedules part from each other at the first thread: parameters must be drawn after it. */
static void part(void)
{
    pthread_t thread;

    if (seam && pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
}

static void list(const struct scenario *s)
{
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {LIBRARY, "library"}, {EXTERNAL, "external"}, {PTHREAD, "pthread"}, {SPURIOUS, "spurious"}};
    const char *comma = "";

    printf("%s\t%s\t", s->name, s->family);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (s->flags & words[i].flag) {
            printf("%s%s", comma, words[i].word);
            comma = ",";
        }
    printf("\t%s\t%s\t%s\n", s->expect, s->covers, s->why);
}

int suite_main(int argc, char **argv, const struct scenario *scenarios, size_t count)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++)
            list(&scenarios[i]);
        return fflush(stdout) == 0 ? 0 : 3;
    }
    if (argc > 2 && strcmp(argv[1], "--bare") == 0) {
        bare = true;
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    bool explores = argc == 5 && strcmp(argv[1], "--explore") == 0;
    const char *name = argc < 2 ? "" : argv[explores ? 2 : 1];
    if ((explores && !suite_explore) || (!explores && (argc < 2 || argc > 3 || *name == '-'))) {
        fprintf(stderr, "usage: %s --list | [--bare] NAME [SEED]\n", argv[0]);
        return 2;
    }
    if (!explores && argc == 3 && (seed = strtoull(argv[2], NULL, 10)) == 0) {
        fprintf(stderr, "%s: the seed must be a number from 1, not \"%s\"\n", argv[0], argv[2]);
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(scenarios[i].name, name) == 0) {
            if (explores)
                return suite_explore(&scenarios[i], (uint32_t)strtoul(argv[3], NULL, 10),
                                     strtoull(argv[4], NULL, 10));
            suite_begin();
            part();
            scenarios[i].run();
            return 0;
        }
    fprintf(stderr, "%s: there is no scenario \"%s\"\n", argv[0], name);
    return 2;
}
