/* engine.h - what the parts of the in-place engine share.
 *
 * All that outlives a schedule lies in a mapping of its own, which is shared so that it is no part of
 * what is put back. The engine has a stack there, and calls neither libc nor what may call it while
 * schedules run.
 *
 *   pool.c    threads of the program and the switch between them
 *   image.c   memory: what it was, what was written, how it is put back
 *   calls.c   system calls: let through, undone, or the end of the schedule here
 *   signals.c signals, of which the kernel sees only those that get through
 *   ending.c  the end of a schedule, and of the batch
 *   engine.c  the batch
 */
#ifndef HEDDLE_RT_ENGINE_H
#define HEDDLE_RT_ENGINE_H

#include <link.h>
#include <pthread.h>
#include <signal.h>

#include "arch/arch.h"
#include "in_place.h"
#include "turn/rt.h"

#define RT_PAGE 4096ul
#define RT_PLACES 1025u        /* threads of a schedule, main included */
#define RT_HOT HDP_BATCH_PAGES /* pages that are put back after each schedule, at most */
#define RT_TABLES 256u
#define RT_MAPPINGS 4096u
#define RT_OPENED 64u
#define RT_CHANGED 64u
#define RT_PENDING 16u

/* A kernel thread of the pool stays parked; what a schedule runs on is its stack and its
 * thread-local variables. The first place is main's. */
struct rt_place {
    struct hdi_context start, now, parked;
    pthread_t handle;
    int tid;
    int *tid_word;      /* libc's: 0 when the thread is over */
    bool begun;         /* has had its first turn */
    bool farewell;      /* libc said farewell to it */
    const void *robust; /* libc's list of robust mutexes that it holds */
    struct hdi_thread *thread;
    unsigned char *fresh; /* what is on its stack before it begins, from fresh_low on */
    uintptr_t fresh_low, stack_low, stack_high;
    size_t fresh_bytes;
    void *(*routine)(void *);
    uint64_t mask; /* signals that it blocks */
    uint32_t ready;
    unsigned char park_stack[4096] __attribute__((aligned(16)));
};

/* A mapping as it was before the first schedule. */
struct rt_mapping {
    uintptr_t low, high;
    int protection;
    bool anonymous;
};

struct rt_span {
    uintptr_t low, high;
};

struct rt_image {
    struct rt_mapping mapping[RT_MAPPINGS];
    uint32_t mappings;
    struct { /* pages that were there, in order */
        uintptr_t low, high;
        unsigned char *copy;
    } run[RT_MAPPINGS * 4];
    uint32_t runs;
    struct {
        uintptr_t page;
        unsigned char *copy; /* NULL: there was none, or of zeroes */
    } hot[RT_HOT];
    uint32_t hots;
    uint32_t known[4 * RT_HOT]; /* hash table of hot[], by page: index + 1 */
    int uffd, pagemap;
    struct { /* functions that the dynamic linker looks up at their first call */
        const ElfW(Rela) * slot;
        size_t slots;
        uintptr_t base;
    } table[RT_TABLES];
    uint32_t tables;
    size_t present_bytes;
    unsigned char *free_copy;
    int fresh;
    uintptr_t different;
};

struct rt_pending {
    struct rt_place *to; /* NULL: to the process */
    siginfo_t info;
};

/* What a schedule did in the kernel, to be undone, and what it would have pending there. */
struct rt_done {
    struct rt_span mapped[RT_CHANGED], changed[RT_CHANGED];
    uint32_t mappings, changes;
    int opened[RT_OPENED];
    uint32_t opens;
    bool broke; /* moved the break */
    bool wrote[3];
    bool silent[3];   /* descriptor 1 and 2 are /dev/null */
    uint64_t actions; /* signals whose action was set, by bit */
    struct hdi_kernel_action action[65];
    bool masked; /* the kernel's mask is not kernel_mask any more */
    struct rt_pending pending[RT_PENDING];
    uint32_t pendings;
};

struct rt_engine {
    volatile unsigned char selector; /* of the dispatch: 1 = calls are caught */
    struct hdi_context own;          /* the engine's */
    void (*begin)(void);
    struct hdi_thread *next; /* is given the turn */
    struct rt_place *running;
    uint32_t used;                    /* places of this schedule */
    struct rt_place *free[RT_PLACES]; /* of ended threads: the last one is used again first */
    uint32_t frees;
    unsigned int *libc_threads; /* libc's count */
    uint32_t heaps[2];          /* make_heaps(): go on; how many are there */
    uint32_t places;
    size_t stack_bytes, guard_bytes; /* of a thread without attributes */
    enum { RT_ENDED, RT_CANNOT } how;
    int status; /* exit code */
    uint64_t output[2];
    uintptr_t brk;
    uint64_t kernel_mask; /* between schedules */
    uint64_t mappings;    /* a hash of their list */
    bool captured[3];     /* descriptor 1 and 2 are files of the driver's */
    uint64_t written[3];  /* their sizes before */
    int captured_too[3];  /* duplicates of them */
    struct rt_done done;
    struct hdp_config config;
    struct rt_image image;
    struct rt_place place[RT_PLACES];
    unsigned char stack[1 << 16] __attribute__((aligned(16)));
};

extern struct rt_engine *rt_engine;

/* NULL: for the process. */
static inline uint64_t rt_pending_of(const struct rt_place *to)
{
    const struct rt_done *d = &rt_engine->done;
    uint64_t set = 0;

    for (uint32_t i = 0; i < d->pendings; i++)
        set |= d->pending[i].to == to ? 1ull << (d->pending[i].info.si_signo - 1) : 0;
    return set;
}

/* `text` at `to`. Returns where its NUL is. By hand: libc's are ours, which look the real ones up. */
static inline char *rt_put_text(char *to, const char *text)
{
    while ((*to = *text++))
        to++;
    return to;
}

/* ending.c: this schedule ends here. */
_Noreturn void rt_in_place_ended(int status);
/* It does what is not done in place, which `what` names ("it calls poll()"). */
_Noreturn void rt_in_place_cannot(const char *what);

/* The batch ends here; `what` goes with it. */
void rt_in_place_say(const char *what);
_Noreturn void rt_in_place_leave(enum hdp_batch_end end);

/* pool.c */
extern const struct rt_vehicle rt_in_place_vehicle;
void rt_pool_make(uint32_t threads);
void rt_pool_begin(void); /* a schedule begins: no place is taken */
_Noreturn void rt_pool_thread_over(void);

/* image.c */
/* Moves it to a high number: the program gets the numbers that it would get without us. */
int rt_descriptor_away(long fd);
void rt_image_take(void);
void rt_image_restore(void);
/* Find pages that were written and are not put back each time: they are now, and are so from now on.
 * How many; < 0: there are too many, or the kernel does not tell. */
int rt_image_look(void);
/* Tell the driver which pages are put back each time. */
void rt_image_tell(void);
/* What the dynamic linker looked up since is kept: it would be the same each time. */
void rt_image_keep_bound(void);
/* A page that is not as it was; 0: none. */
uintptr_t rt_image_compare(void);
uint64_t rt_image_mappings(void);
/* The mapping of before the first schedule that holds addr, or NULL. */
const struct rt_mapping *rt_image_mapping(uintptr_t addr);

/* calls.c */
void rt_calls_catch_end(void); /* before the image is taken */
void rt_calls_catch(void);
void rt_calls_undo(void);

/* signals.c: what these calls answer */
long rt_signals_send(long number, const long a[6]);
long rt_signals_action(const long a[6]);
long rt_signals_mask(const long a[6]);
long rt_signals_pending(const long a[6]);
long rt_signals_wait(const long a[6]);
void rt_signals_return(void *context); /* from a handler: made once more, and passed */
void rt_signals_undo(void);

#endif /* HEDDLE_RT_ENGINE_H */
