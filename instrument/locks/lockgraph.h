/* lockgraph.h - which locks are taken while which others are held, and the deadlocks that follow.
 *
 * A chain is a sequence of (lock, mode, place) as one thread held them; all chains that occurred
 * form a tree. A dependency is a chain and the threads that took its last lock by waiting for it,
 * each in a segment of its life between two forks or joins. A deadlock is predicted from a ring of
 * dependencies: distinct threads, each wanting a lock that the next one holds, no two of which
 * exclude each other (by a common gate lock) or are ordered by fork and join. It is given once,
 * when the last of its dependencies is seen, rings of two before longer ones.
 *
 *   threads   acquired, released: the thread that `t` stands for; others: any, at any time
 *   memory    from mmap, never from the program's heap. A lock that is never held together with
 *             another costs nothing; else see struct hdi_lock_stats
 *   limits    counted when they bite, and then something may be missed, never reported wrongly:
 *             segments remembered of one chain (HDI_LOCK_LABELS), destroyed locks remembered as
 *             gates (HDI_LOCK_DEAD), steps of a search (HDI_LOCK_SEARCH_STEPS, HDI_LOCK_CREDIT),
 *             chains (HDI_LOCK_EXACT: docs/decisions/lock_classes.md)
 *
 * source: Havelund, "Using runtime analysis to guide model checking of Java programs", SPIN 2000;
 *         Bensalem and Havelund, "Dynamic deadlock analysis of multi-threaded programs", HVC 2005;
 *         Joshi et al., "A randomized dynamic program analysis technique for detecting real
 *         deadlocks", PLDI 2009.
 */
#ifndef HEDDLE_LOCKGRAPH_H
#define HEDDLE_LOCKGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HDI_LOCK_LABELS 32u
#define HDI_LOCK_DEAD 1024u
#define HDI_LOCK_SEARCH_STEPS 200000u
#define HDI_LOCK_EXACT 65536u      /* chains before the oldest are folded */
#define HDI_LOCK_GHOSTS (1u << 20) /* folded dependencies that can come back */
#define HDI_LOCK_BIRTHS (1u << 21) /* locks whose place of creation is remembered */
#define HDI_LOCK_BIG 4096u         /* locks from which on the order of classes is kept, ... */
#define HDI_LOCK_CREDIT (1 << 24)  /* ... and steps that their searches may take, ... */
#define HDI_LOCK_CREDIT_EACH 1024  /* ... and more for each new dependency */
#define HDI_LOCK_RING 16u /* longest ring whose edges are all given; longer ones are counted */
#define HDI_LOCK_GATES 4u /* gates of an edge that are named; more are counted */

/* How a lock is taken. */
enum hdi_lock_mode {
    HDI_LOCK_EXCLUSIVE = 0,
    HDI_LOCK_SHARED = 1,
    HDI_LOCK_TRY = 2, /* without waiting: joins what is held, adds no dependency */
    HDI_LOCK_ALONE =
        4, /* note it even when nothing else is held: a writer of a writer-first lock */
};
/* Added to the mode of an acquisition: what the lock is, an enum hd_object. */
#define HDI_LOCK_KIND(kind) ((uint32_t)(kind) << 8)

/* What a lock is, told once before or at its first use. */
enum hdi_lock_trait {
    HDI_LOCK_WRITER_FIRST = 1, /* readers wait behind a waiting writer */
    HDI_LOCK_COUNTED = 2,      /* a semaphore of value 1: a lock as long as its taker releases it */
    HDI_LOCK_FINE = 4,         /* its order was declared to be in order: no findings */
};

struct hdi_lockgraph;
struct hdi_lock_thread; /* one thread, and what it holds */

/* One side of a predicted deadlock: `thread` held `held` and took `took`. */
struct hdi_lock_edge {
    void *thread; /* as given to hdi_lock_thread_made */
    const void *held, *took;
    uint64_t held_site, took_site;
    uint32_t held_stack, took_stack; /* from the `stack` call-back; 0 = none */
    uint8_t held_mode, took_mode;
    uint8_t held_kind, took_kind;     /* as given with HDI_LOCK_KIND(); 0 = not */
    uint32_t gates;                   /* other locks held at that time, ... */
    const void *gate[HDI_LOCK_GATES]; /* ... the oldest of them; NULL for one that is gone */
    /* from hdi_lockgraph_each(): */
    uint64_t held_made, took_made, gate_made[HDI_LOCK_GATES]; /* where they were made: the class */
    uint64_t count; /* orders that it stands for: more than one of folded chains, whose `held` and
                       `took` are NULL, for only their classes are known */
};

struct hdi_lock_ring {
    uint32_t edges;                           /* of the deadlock */
    uint32_t filled;                          /* entries of edge[]: min(edges, HDI_LOCK_RING) */
    struct hdi_lock_edge edge[HDI_LOCK_RING]; /* edge[i].took is edge[i + 1].held */
    bool reader_again; /* one thread reads again a lock that it reads, a writer waiting between:
                          edge[0] is the reader, edge[1] the writer */
};

struct hdi_lock_stats {
    uint64_t locks, chains, labels, links;                     /* in use */
    uint64_t bytes;                                            /* mapped for them, and used */
    uint64_t lock_bytes, chain_bytes, label_bytes, link_bytes; /* one of each */
    uint64_t rings, repeats; /* given; found again at the same places with other locks */
    uint64_t forgotten;      /* segments beyond HDI_LOCK_LABELS, gates beyond HDI_LOCK_DEAD */
    uint64_t cut;            /* searches that ended at HDI_LOCK_SEARCH_STEPS, or without credit */
    uint64_t folded;         /* chains taken out of the tree beyond HDI_LOCK_EXACT */
    uint64_t called_back;    /* of their dependencies, because an opposite one came */
    uint64_t classes;
    uint64_t skipped; /* acquisitions by a signal handler inside the graph, or out of memory */
};

/* What the graph asks of its owner. All may be NULL. */
struct hdi_lock_calls {
    void (*found)(const struct hdi_lock_ring *ring, void *data); /* graph locked: no calls back */
    uint32_t (*stack)(void *data); /* the caller's stack, for acquisitions not seen before */
    /* Where that comes from, zeroed, and goes to; NULL: the kernel. */
    void *(*memory)(size_t bytes, void *data);
    void (*give_back)(void *p, size_t bytes, void *data);
    void *data;
    uint64_t (*made)(const void *lock, void *data); /* where it was made; NULL: hdi_lock_made() */
    bool eager;                                     /* take a stack at every acquisition */
    uint32_t exact, ghosts; /* instead of HDI_LOCK_EXACT, HDI_LOCK_GHOSTS, for tests; 0 = those */
};

/* NULL when out of memory; pair with hdi_lockgraph_delete(), after which no thread may use it. */
struct hdi_lockgraph *hdi_lockgraph_new(const struct hdi_lock_calls *calls);
void hdi_lockgraph_delete(struct hdi_lockgraph *g);

/* A thread begins; `maker` NULL for the first, and for those that nobody is known to have made.
 * Called by the maker, before the new thread runs. NULL when out of memory. */
struct hdi_lock_thread *hdi_lock_thread_made(struct hdi_lockgraph *g, struct hdi_lock_thread *maker,
                                             void *owner);
/* `joiner` has waited for the end of `t`. */
void hdi_lock_thread_joined(struct hdi_lock_thread *t, struct hdi_lock_thread *joiner);
/* The thread has ended, or never began: what it held is forgotten; t may still be joined. */
void hdi_lock_thread_ended(struct hdi_lock_thread *t);

/* Tell what a lock is, before its first use; 0 takes nothing back. */
void hdi_lock_traits(struct hdi_lockgraph *g, const void *lock, uint32_t traits);
/* Was it told to have this trait? */
bool hdi_lock_is(struct hdi_lockgraph *g, const void *lock, uint32_t trait);
/* t has taken `lock`: at site, `mode` a sum of enum hdi_lock_mode. A lock that is held already (a
 * recursive mutex, a second read lock) may be taken again, and is then released as often. */
void hdi_lock_acquired(struct hdi_lock_thread *t, const void *lock, uint32_t mode, uint64_t site);
/* False when t did not hold it: for a semaphore, it is no lock then, and its orders are dropped. */
bool hdi_lock_released(struct hdi_lock_thread *t, const void *lock);
/* A lock begins at this address, made at `site`: what was there before is gone. */
void hdi_lock_made(struct hdi_lockgraph *g, const void *lock, uint64_t site);
/* The lock is gone, or begins anew at the same address: its orders are dropped. */
void hdi_lock_destroyed(struct hdi_lockgraph *g, const void *lock);

/* How many locks t holds; its i-th, oldest first (NULL past the end). */
uint32_t hdi_lock_held(const struct hdi_lock_thread *t);
const void *hdi_lock_held_at(const struct hdi_lock_thread *t, uint32_t i, uint64_t *site,
                             uint32_t *mode);

/* At the end: give the findings that had to wait for it (semaphores, readers that read again). */
void hdi_lockgraph_finish(struct hdi_lockgraph *g);
void hdi_lockgraph_stats(struct hdi_lockgraph *g, struct hdi_lock_stats *out);
/* Every dependency as its edges, once for each thread: held, took; graph locked meanwhile. An edge
 * whose two locks were taken one right after the other comes before those that follow from it. */
void hdi_lockgraph_each(struct hdi_lockgraph *g,
                        void (*edge)(const struct hdi_lock_edge *e, void *data), void *data);
/* Those of one lock, before it is destroyed. */
void hdi_lockgraph_each_of(struct hdi_lockgraph *g, const void *lock,
                           void (*edge)(const struct hdi_lock_edge *e, void *data), void *data);
/* Around fork(): the graph is whole in the child. */
void hdi_lockgraph_fork(struct hdi_lockgraph *g, bool before);

#endif /* HEDDLE_LOCKGRAPH_H */
