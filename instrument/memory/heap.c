/* heap.c - the program's allocator, watched: new blocks start with a clean shadow, freed ones are
 * marked.
 *
 * The program's own allocator does the work and its addresses are what it gives: no quarantine, so
 * that what depends on a block being handed out again (ABA) happens here, too. A program that is
 * not instrumented passes straight through.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "core/annotate.h"
#include "core/handler_calls.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/race/heap_blocks.h"
#include "memory/race/race_report.h"
#include "memory/race/tape_writer.h"
#include "reach/reach.h"
#include "access.h"
#include "freed.h"
#include "weak_memory.h"

#define EXPORT __attribute__((visibility("default")))
#define PC() ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* Larger blocks are given back to the kernel: a later access faults by itself. */
#define MARKED_BYTES (128u << 10)
#define IS_MAPPED 2u /* in the word before a block: glibc gives it back to the kernel */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void __libc_free(void *p);

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
    size_t (*usable)(void *);
    void *(*mmap)(void *, size_t, int, int, int, off_t);
    int (*munmap)(void *, size_t);
    void *(*mremap)(void *, size_t, size_t, int, ...);
    void *(*shmat)(int, const void *, int);
} next;

static bool finding_next;

static void *find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* False while the functions are being looked up: dlsym itself may allocate. */
static bool ready(void)
{
    struct hdi_thread *self = hdi_self();

    if (self) /* libc keeps some of it for the thread, until that ends */
        self->life.leaves_more = true;
    if (__builtin_expect(next.mmap != NULL, 1))
        return true;
    if (finding_next)
        return false;
    finding_next = true;
    *(void **)&next.malloc = find("malloc");
    *(void **)&next.calloc = find("calloc");
    *(void **)&next.realloc = find("realloc");
    *(void **)&next.memalign = find("memalign");
    *(void **)&next.free = find("free");
    *(void **)&next.usable = find("malloc_usable_size");
    *(void **)&next.munmap = find("munmap");
    *(void **)&next.mremap = find("mremap");
    *(void **)&next.shmat = find("shmat");
    *(void **)&next.mmap = find("mmap");
    hdi_reach_allocator(next.malloc == __libc_malloc && hdi_reach_is_own(malloc), next.usable);
    finding_next = false;
    return true;
}

static bool tracking(void)
{
    return __builtin_expect(hdi_watch.instrumented, 0) && hdi_controlled() &&
           !(hdi_watched && hdi_watched->busy);
}

/* What the look for unreachable threads must know of a block. */
static inline void *noted(void *p)
{
    if (p && hdi_reach_on)
        hdi_reach_born(p);
    return p;
}

static inline void *forgotten(void *p)
{
    if (p && hdi_reach_on)
        hdi_reach_gone(p);
    return p;
}

static void given_back(void *p, uint64_t pc)
{
    if (hdi_reach_on && !(((const size_t *)p)[-1] & IS_MAPPED))
        hdi_freed(p, next.usable(p), pc);
}

static uint32_t caller_hash(void)
{
    struct hdi_thread *t = hdi_self();
    return t ? hdi_thread_hash(t) : 0;
}

static uint32_t context_of(uint64_t pc)
{
    struct hdi_memory_thread *s = hdi_memory_thread_self;
    return hdi_memory_thread_context(s ? s : hdi_memory_thread_make(), pc);
}

/* The program's call, of malloc or of an operator of C++ that calls it. */
static _Thread_local __attribute__((tls_model("initial-exec"))) uint64_t operator_pc;

static uint64_t caller(uint64_t pc)
{
    return operator_pc ? operator_pc : pc;
}

/* A library without hooks has an order that is not seen: of what it allocates it may have told. */
static void allocated(struct hdi_memory_thread *s, const void *p, size_t bytes, uint64_t pc)
{
    if (!s || !hdi_is_watched_code(pc))
        return;
    hdi_note_context(s, pc);
    hdi_race_access(s->racer, (uintptr_t)p, bytes < MARKED_BYTES ? bytes : MARKED_BYTES,
                    HDI_ALLOCATED, pc);
}

static void born(void *p, size_t bytes, uint64_t pc)
{
    struct hdi_block *b = hdi_block_born((uintptr_t)p, bytes);
    b->site = pc;
    b->thread = caller_hash();
    b->context = context_of(pc);
    hdi_said_forget((uintptr_t)p, next.usable(p));
    if (hdi_watch.on) {
        hdi_race_reset((uintptr_t)p, next.usable(p));
        hdi_tape_reset((uintptr_t)p, next.usable(p));
        allocated(hdi_watched, p, bytes, pc);
    }
}

/* Before the kernel takes the memory: what comes to be there next is told by nobody, if it is the dynamic
 * linker's. */
static void goes(uintptr_t addr, size_t bytes)
{
    hdi_touched_memory(addr, bytes, true);
    if (!hdi_watch.on || !tracking())
        return;
    hdi_race_reset(addr, bytes);
    hdi_said_forget(addr, bytes);
    hdi_tape_reset(addr, bytes);
}

/* Before the block is given back. False: it was freed before, leave it alone. */
static bool dying(void *p, uint64_t pc)
{
    struct hdi_memory_thread *s = hdi_watched;
    bool point = s && (hdi_watch.all || hdi_is_point(pc));
    if (point)
        hdi_access_point(s, HD_EV_FREE, (uintptr_t)p, pc);
    struct hdi_block *b = hdi_block_at((uintptr_t)p);
    if (b && b->freed) {
        hdi_report_double_free(b, pc);
        return false;
    }
    if (s) {
        size_t bytes = next.usable(p);
        if (point)
            hdi_touched_block((uintptr_t)p, bytes);
        bool ordered = !hdi_is_watched_code(pc);
        hdi_note_context(s, pc);
        if (hdi_tape)
            hdi_tape_access(s, (uintptr_t)p, bytes, HDP_TAPE_FREE, pc, point);
        bool mapped = ((const size_t *)p)[-1] & IS_MAPPED;
        size_t used = b && b->bytes ? b->bytes : bytes;
        if (bytes <= MARKED_BYTES && !mapped)
            hdi_race_freed(s->racer, (uintptr_t)p, bytes, ordered, pc);
        else if (!ordered && mapped)
            hdi_race_goes(s->racer, (uintptr_t)p, used, pc);
        else if (!ordered)
            hdi_race_access(s->racer, (uintptr_t)p, used, HDI_FREED, pc);
        if (mapped)
            goes((uintptr_t)p, bytes);
        hdi_progress(s);
    }
    if (b) {
        b->freed = true;
        b->freed_site = pc;
        b->freed_thread = caller_hash();
        b->freed_context = context_of(pc);
    }
    return true;
}

/* There is no memory, as the schedule has chosen. */
static bool denied(enum hdp_fault_kind kind, uint64_t pc)
{
    if (!(hdi_faults >> kind & 1) || (hdi_watched && hdi_watched->busy) || !hdi_fault(kind, pc))
        return false;
    errno = ENOMEM;
    return true;
}

static void called(const char *function, uint64_t pc)
{
    if (!(hdi_watched && hdi_watched->busy))
        hdi_library_call(function, pc);
}

EXPORT void *malloc(size_t bytes)
{
    if (!ready())
        return noted(__libc_malloc(bytes));
    called("malloc", caller(PC()));
    if (denied(HDP_FAULT_MALLOC, caller(PC())))
        return NULL;
    void *p = noted(next.malloc(bytes));
    if (p && tracking())
        born(p, bytes, caller(PC()));
    return p;
}

EXPORT void *calloc(size_t n, size_t bytes)
{
    if (!ready())
        return noted(__libc_calloc(n, bytes));
    called("calloc", caller(PC()));
    if (denied(HDP_FAULT_CALLOC, caller(PC())))
        return NULL;
    void *p = noted(next.calloc(n, bytes));
    if (p && tracking())
        born(p, n * bytes, caller(PC()));
    return p;
}

EXPORT void free(void *p)
{
    if (!p)
        return;
    if (!ready()) {
        __libc_free(forgotten(p));
        return;
    }
    called("free", caller(PC()));
    if (tracking() && !dying(p, caller(PC())))
        return;
    given_back(p, PC());
    next.free(forgotten(p));
}

static void *resized(void *p, size_t bytes, uint64_t pc)
{
    bool noticed = p && hdi_reach_on && !(((const size_t *)p)[-1] & IS_MAPPED);
    size_t had = noticed ? next.usable(p) : 0;
    void *fresh = noted(next.realloc(forgotten(p), bytes));

    if (!fresh && bytes)
        noted(p); /* it is still there */
    else if (noticed && fresh != p)
        hdi_freed(p, had, pc);
    return fresh;
}

EXPORT void *realloc(void *p, size_t bytes)
{
    if (ready())
        called("realloc", PC());
    if (ready() && bytes && denied(HDP_FAULT_REALLOC, PC()))
        return NULL;
    if (!tracking())
        return resized(p, bytes, PC());
    uint64_t pc = PC();
    if (!p || !bytes) {
        if (p && !dying(p, pc))
            return NULL;
        void *fresh = resized(p, bytes, pc);
        if (fresh)
            born(fresh, bytes, pc);
        return fresh;
    }
    /* Always moved, so that the old block's bytes are dead and the new one's history is its own. */
    size_t had = next.usable(p);
    void *fresh = noted(next.malloc(bytes));
    if (!fresh)
        return NULL;
    born(fresh, bytes, pc);
    if (hdi_watched) {
        size_t copied = had < bytes ? had : bytes;
        struct hdi_block *b = hdi_block_at((uintptr_t)p);
        if (b && b->bytes < copied)
            copied = b->bytes;
        if (hdi_tape)
            hdi_tape_access(hdi_watched, (uintptr_t)fresh, copied, HDP_TAPE_WRITE, pc, false);
        hdi_race_access(hdi_watched->racer, (uintptr_t)fresh, copied, HDI_WRITE, pc);
    }
    __builtin_memcpy(fresh, p, had < bytes ? had : bytes);
    if (dying(p, pc)) {
        given_back(p, pc);
        next.free(forgotten(p));
    }
    return fresh;
}

static void *aligned(size_t alignment, size_t bytes, uint64_t pc)
{
    if (ready())
        called("aligned_alloc", pc);
    if (ready() && denied(HDP_FAULT_ALIGNED, pc))
        return NULL;
    void *p = noted(next.memalign(alignment, bytes));
    if (p && tracking())
        born(p, bytes, pc);
    return p;
}

EXPORT void *memalign(size_t alignment, size_t bytes)
{
    return aligned(alignment, bytes, caller(PC()));
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return aligned(alignment, bytes, caller(PC()));
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    if (alignment < sizeof(void *) || alignment & (alignment - 1))
        return EINVAL;
    int saved = errno;
    void *p = aligned(alignment, bytes, caller(PC()));
    errno = saved;
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

EXPORT void *valloc(size_t bytes)
{
    return aligned(4096, bytes, PC());
}

EXPORT void *pvalloc(size_t bytes)
{
    return aligned(4096, (bytes + 4095) & ~(size_t)4095, PC());
}

/* ---- new and delete: the program's own, or those of its C++ runtime ---- */

static void leave_operator(const uint64_t *before)
{
    operator_pc = *before;
}

/* Also when it throws. */
#define AS_OPERATOR()                                                                              \
    uint64_t before __attribute__((cleanup(leave_operator))) = operator_pc;                        \
    operator_pc = PC();

#define OPERATOR(type, answer, name, parameters, ...)                                              \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        HDI_REAL_OF(type, #name, parameters, PC())                                                 \
        AS_OPERATOR()                                                                              \
        answer real(__VA_ARGS__);                                                                  \
    }
#define NEW(name)                                                                                  \
    OPERATOR(void *, return, name##m, (size_t bytes), bytes)                                       \
    OPERATOR(void *, return, name##mRKSt9nothrow_t, (size_t bytes, const void *tag), bytes, tag)   \
    OPERATOR(void *, return, name##mSt11align_val_t, (size_t bytes, size_t alignment), bytes,      \
             alignment)                                                                            \
    OPERATOR(void *, return, name##mSt11align_val_tRKSt9nothrow_t,                                 \
             (size_t bytes, size_t alignment, const void *tag), bytes, alignment, tag)
#define DELETE(name)                                                                               \
    OPERATOR(void, , name##Pv, (void *p), p)                                                       \
    OPERATOR(void, , name##Pvm, (void *p, size_t bytes), p, bytes)                                 \
    OPERATOR(void, , name##PvRKSt9nothrow_t, (void *p, const void *tag), p, tag)                   \
    OPERATOR(void, , name##PvSt11align_val_t, (void *p, size_t alignment), p, alignment)           \
    OPERATOR(void, , name##PvmSt11align_val_t, (void *p, size_t bytes, size_t alignment), p,       \
             bytes, alignment)
NEW(_Znw)
NEW(_Zna)
DELETE(_Zdl)
DELETE(_Zda)

static void *mapped(void *addr, size_t bytes, int prot, int flags, int fd, off_t at, uint64_t pc)
{
    ready();
    void *p = next.mmap(addr, bytes, prot, flags, fd, at);
    hdi_mappings_changed();
    if (p != MAP_FAILED && hdi_reach_on) {
        hdi_reach_mapped(p, bytes, pc);
        hdi_freed_forget(p, bytes);
    }
    if (p != MAP_FAILED && hdi_watch.on && tracking()) {
        hdi_race_reset((uintptr_t)p, bytes);
        hdi_said_forget((uintptr_t)p, bytes);
        hdi_tape_reset((uintptr_t)p, bytes);
    }
    return p;
}

EXPORT void *mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t at)
{
    return mapped(addr, bytes, prot, flags, fd, at, PC());
}

EXPORT void *mmap64(void *addr, size_t bytes, int prot, int flags, int fd, off64_t at)
{
    return mapped(addr, bytes, prot, flags, fd, (off_t)at, PC());
}

EXPORT int munmap(void *addr, size_t bytes)
{
    ready();
    goes((uintptr_t)addr, bytes);
    hdi_mappings_changed();
    return next.munmap(addr, bytes);
}

EXPORT void *mremap(void *addr, size_t had, size_t bytes, int flags, ...)
{
    va_list ap;
    void *to, *p;

    va_start(ap, flags);
    to = flags & MREMAP_FIXED ? va_arg(ap, void *) : NULL;
    va_end(ap);
    ready();
    if (hdi_watched && tracking())
        hdi_model_before_move();
    p = next.mremap(addr, had, bytes, flags, to);
    hdi_mappings_changed();
    if (p != MAP_FAILED && p != addr) {
        goes((uintptr_t)addr, had);
        goes((uintptr_t)p, bytes);
    } else if (p == addr && bytes < had) {
        goes((uintptr_t)addr + bytes, had - bytes);
    }
    return p;
}

EXPORT void *shmat(int id, const void *addr, int flags)
{
    struct shmid_ds segment;
    void *p;

    ready();
    p = next.shmat(id, addr, flags);
    hdi_mappings_changed();
    if (p != (void *)-1 && shmctl(id, IPC_STAT, &segment) == 0) /* NOLINT: what shmat() answers */
        goes((uintptr_t)p, segment.shm_segsz);
    return p;
}
