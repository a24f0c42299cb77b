/* false_alarms.c - see false_alarms.h
 *
 * A report does not say by what means the program hands data over; the source around its places
 * does. A file that uses C11 atomics orders memory in a way that Helgrind and DRD cannot see, and
 * one with stand-alone fences in a way that TSan cannot. The look is coarse (a file, not a
 * variable): it can only cost a finding its rank.
 */
#include "false_alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "util/alloc.h"
#include "util/read_file.h"

/* Bytes of a source file that are looked at. */
#define LOOK 1000000

enum trait { USES_ATOMICS = 1, USES_FENCES = 2, USES_PIPES = 4, USES_ONCE = 8, READ = 16 };

static const struct {
    const char *word;
    enum trait trait;
} words[] = {
    {"atomic_", USES_ATOMICS}, /* atomic_load(), __atomic_load_n(), hd_atomic_.. */
    {"_Atomic", USES_ATOMICS},
    {"std::atomic", USES_ATOMICS},
    {"__sync_", USES_ATOMICS},
    {"volatile", USES_ATOMICS},
    {"atomic_thread_fence", USES_FENCES},
    {"__sync_synchronize", USES_FENCES},
    {"_mm_mfence", USES_FENCES},
    {"mfence", USES_FENCES},
    {"pipe(", USES_PIPES},
    {"pipe2(", USES_PIPES},
    {"socketpair(", USES_PIPES},
    {"eventfd(", USES_PIPES},
    {"pthread_once(", USES_ONCE},
    {"call_once(", USES_ONCE},
};

struct source {
    UT_hash_handle hh;
    unsigned traits;
    char path[];
};

struct doubts {
    struct source *sources;
};

struct doubts *doubts_new(void)
{
    return mem_zeroed(1, sizeof(struct doubts));
}

void doubts_free(struct doubts *d)
{
    struct source *s, *next;

    HASH_ITER(hh, d->sources, s, next)
    {
        HASH_DEL(d->sources, s);
        free(s);
    }
    free(d);
}

static unsigned look_into(const char *path)
{
    unsigned traits = 0;
    size_t bytes;
    char *text = read_file(path, LOOK, &bytes);

    if (!text)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(text, bytes, words[i].word, strlen(words[i].word)))
            traits |= words[i].trait;
    free(text);
    return traits | READ;
}

static unsigned traits_of(struct doubts *d, const char *path)
{
    struct source *s;

    HASH_FIND_STR(d->sources, path, s);
    if (!s) {
        s = mem_zeroed(1, sizeof *s + strlen(path) + 1);
        strcpy(s->path, path);
        s->traits = look_into(path);
        HASH_ADD_STR(d->sources, path, s);
    }
    return s->traits;
}

/* Of the places of the finding's sides, and of their callers. */
static unsigned traits_of_finding(struct doubts *d, const struct finding *f)
{
    unsigned traits = 0;

    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_ACCESS && n->role != HD_ROLE_PREVIOUS_ACCESS)
            continue;
        for (size_t k = 0; k < n->stack.count && k < 4; k++)
            if (n->stack.frame[k].file)
                traits |= traits_of(d, n->stack.frame[k].file);
    }
    return traits;
}

static void mark(struct finding *f, const char *why)
{
    if (!f->doubtful)
        f->doubtful = mem_copy(why);
}

static bool text_has(const struct finding *f, const char *text)
{
    return strstr(f->text, text) != NULL;
}

/* Nothing of the program, nor of a library that is known by more than its addresses: the dynamic linker called it. */
static bool is_of_unknown_library(const struct finding *f)
{
    const struct stack *s = f->notes ? &f->note[0].stack : NULL;

    return s && s->count && s->frame[0].function &&
           (strcmp(s->frame[0].function, "_dl_call_fini") == 0 ||
            strcmp(s->frame[0].function, "_dl_fini") == 0);
}

static void mark_misuse_of_valgrind(struct finding *f)
{
    /* Both warn of signalling without the mutex, which POSIX allows. */
    if (text_has(f, "lock is not held by any thread") ||
        text_has(f, "is not locked by the signalling thread"))
        mark(f, "POSIX allows signalling a condition variable without holding its mutex");
    else if (text_has(f, "unknown cond var"))
        mark(f, "the tool does not know condition variables that were never waited on");
    else if (text_has(f, "is not a mutex"))
        mark(f, "the tool does not know mutexes from a static initialiser before their first lock");
    else if (is_of_unknown_library(f))
        mark(f, "it is in the destructor of a library, and no code of the program");
}

static void mark_race(struct doubts *d, struct finding *f)
{
    unsigned traits = traits_of_finding(d, f);
    bool valgrind = f->tools & (TOOL_HELGRIND | TOOL_DRD);

    if (valgrind && (traits & USES_FENCES))
        mark(f, "fences are used here, which Helgrind and DRD do not understand");
    else if (valgrind && (traits & USES_ATOMICS))
        mark(f,
             "atomic or volatile variables are used here, and Helgrind and DRD do not know which "
             "order they make");
    else if (valgrind && (traits & USES_PIPES))
        mark(f,
             "data may be handed over through a pipe here, which Helgrind and DRD do not follow");
    else if ((f->tools & TOOL_HELGRIND) && (traits & USES_ONCE))
        mark(f, "pthread_once() is used here, whose order Helgrind does not know");
    else if ((f->tools & TOOL_TSAN) && (traits & USES_FENCES))
        mark(f, "stand-alone fences are used here, which ThreadSanitizer does not understand");
}

/* All edges by one and the same thread, or one of them made by a try-lock. */
static void mark_lock_order(struct finding *f)
{
    uint32_t thread = 0;
    bool one = true;

    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_EDGE_TOOK)
            continue;
        if (n->kind == HD_EV_MUTEX_TRYLOCK || n->kind == HD_EV_RWLOCK_TRYLOCK)
            mark(f, "one of the locks is taken by a try-lock, which does not wait");
        one &= n->thread_id != 0 && (!thread || n->thread_id == thread);
        thread = n->thread_id;
    }
    if (one && thread)
        mark(f, "one and the same thread takes the locks in both orders");
}

static bool is_tools_alone(const struct finding *f, unsigned tools)
{
    return (f->tools & tools) && !(f->tools & ~tools);
}

void doubt_mark(struct doubts *d, struct finding *f)
{
    if (f->doubtful ||
        !(is_tools_alone(f, TOOL_TSAN) || is_tools_alone(f, TOOL_HELGRIND | TOOL_DRD)))
        return;
    if (f->kind == HD_FK_DATA_RACE)
        mark_race(d, f);
    else if (f->kind == HD_FK_LOCK_ORDER)
        mark_lock_order(f);
    else if (!(f->tools & TOOL_TSAN))
        mark_misuse_of_valgrind(f);
}

void doubt_unconfirmed(struct findings *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct finding *f = all->list[i];
        if (f->kind == HD_FK_LOCK_ORDER && !(f->tools & TOOL_HEDDLE))
            mark(f, "Heddle's lock graph, which knows gate locks, try-locks and which thread holds "
                    "what, does not confirm it");
    }
}

void doubt_predictions(struct findings *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (finding_is_prediction(all->list[i]->kind) && !all->list[i]->same_as)
            mark(all->list[i], "it is a prediction, which no schedule brought about");
}

void doubt_endless(struct findings *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i]->only_sleeps)
            mark(all->list[i], "no schedule ended by itself: a program that is meant to run for "
                               "ever, such as a server, is for `heddle watch`");
}

void doubt_rank(struct findings *all)
{
    size_t good = 0;

    for (size_t i = 0; i < all->count; i++) {
        struct finding *f = all->list[i];
        if (f->doubtful)
            continue;
        memmove(all->list + good + 1, all->list + good, (i - good) * sizeof f);
        all->list[good++] = f;
    }
}
