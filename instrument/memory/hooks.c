/* hooks.c - what compilers call for plain memory under -fsanitize=thread (clang 14-19, gcc 12+).
 *
 * The names and signatures are the compilers' interface. Each access is announced before it is made
 * and, being the only thread that runs, made before the next hook or modelled call.
 */
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "fast_path.h"
#include "tsan_abi.h"
#include "core/observers.h"
#include "access.h"

#define HOOK __attribute__((visibility("default")))
#define PC() ((uint64_t)(uintptr_t)__builtin_return_address(0))

HOOK void __tsan_init(void)
{
    hdi_watch.instrumented = true;
    if (hdi_watch.wanted) /* loaded late: accesses from here on are seen */
        hdi_memory_start();
}

HOOK void __tsan_func_entry(void *pc)
{
    struct hdi_memory_thread *s = hdi_memory_thread_self;
    if (__builtin_expect(!s, 0))
        s = hdi_memory_thread_make();
    uint32_t sp = (uint32_t)(uintptr_t)__builtin_frame_address(0);
    struct hdi_frame *top = s->top;
    /* frames that a longjmp left lie below us; another stack is further away than that */
    while (__builtin_expect(top > s->base && top <= s->limit && sp - top[-1].sp < 65536, 0))
        top--;
    if (__builtin_expect(top < s->limit, 1))
        *top = (struct hdi_frame){.pc = (uint64_t)(uintptr_t)pc, .sp = sp};
    s->top = top + 1;
}

HOOK void __tsan_func_exit(void)
{
    struct hdi_memory_thread *s = hdi_memory_thread_self;
    if (s && s->top > s->base)
        s->top--;
}

#define READ_HOOK(name, bytes)                                                                     \
    HOOK void __tsan_##name(void *p)                                                               \
    {                                                                                              \
        hdi_access((uintptr_t)p, bytes, HDI_READ, PC());                                           \
    }
#define WRITE_HOOK(name, bytes)                                                                    \
    HOOK void __tsan_##name(void *p)                                                               \
    {                                                                                              \
        hdi_access((uintptr_t)p, bytes, HDI_WRITE, PC());                                          \
    }
#define UPDATE_HOOK(name, bytes)                                                                   \
    HOOK void __tsan_##name(void *p)                                                               \
    {                                                                                              \
        hdi_access((uintptr_t)p, bytes, HDI_READ, PC());                                           \
        hdi_access((uintptr_t)p, bytes, HDI_WRITE, PC());                                          \
    }
#define READ_PC_HOOK(name, bytes)                                                                  \
    HOOK void __tsan_##name(void *p, void *pc)                                                     \
    {                                                                                              \
        hdi_access((uintptr_t)p, bytes, HDI_READ, (uint64_t)(uintptr_t)pc);                        \
    }
#define WRITE_PC_HOOK(name, bytes)                                                                 \
    HOOK void __tsan_##name(void *p, void *pc)                                                     \
    {                                                                                              \
        hdi_access((uintptr_t)p, bytes, HDI_WRITE, (uint64_t)(uintptr_t)pc);                       \
    }
TSAN_READS(READ_HOOK)
TSAN_WRITES(WRITE_HOOK)
TSAN_UPDATES(UPDATE_HOOK)
TSAN_PC_READS(READ_PC_HOOK)
TSAN_PC_WRITES(WRITE_PC_HOOK)

/* ---- the same for modules that hold libheddle-fast-path.a ---- */

/* Where in a line of the cache such a function begins costs or saves one access in twenty. */
#define FAST(name, bytes, kind)                                                                    \
    __attribute__((aligned(64))) static void name(uintptr_t addr, uint64_t pc)                     \
    {                                                                                              \
        hdi_access(addr, bytes, kind, pc);                                                         \
    }
FAST(fast_read1, 1, HDI_READ)
FAST(fast_read2, 2, HDI_READ)
FAST(fast_read4, 4, HDI_READ)
FAST(fast_read8, 8, HDI_READ)
FAST(fast_read16, 16, HDI_READ)
FAST(fast_write1, 1, HDI_WRITE)
FAST(fast_write2, 2, HDI_WRITE)
FAST(fast_write4, 4, HDI_WRITE)
FAST(fast_write8, 8, HDI_WRITE)
FAST(fast_write16, 16, HDI_WRITE)

static const struct hdi_fast_path fast_path = {
    .read = {fast_read1, fast_read2, fast_read4, fast_read8, fast_read16},
    .write = {fast_write1, fast_write2, fast_write4, fast_write8, fast_write16},
};

#define MODULES 256
static struct module {
    const struct hdi_fast_path **pointer;
    uintptr_t low, high; /* its code */
} modules[MODULES];
static unsigned module_count;

static int note_code(struct dl_phdr_info *info, size_t size, void *module)
{
    struct module *m = module;
    bool holds = false;

    (void)size;
    m->low = UINTPTR_MAX;
    m->high = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t low = info->dlpi_addr + p->p_vaddr, high = low + p->p_memsz;
        if (p->p_type != PT_LOAD)
            continue;
        holds |= (uintptr_t)m->pointer >= low && (uintptr_t)m->pointer < high;
        if (p->p_flags & PF_X) {
            m->low = low < m->low ? low : m->low;
            m->high = high > m->high ? high : m->high;
        }
    }
    return holds;
}

bool hdi_is_watched_code(uint64_t pc)
{
    for (unsigned i = 0; i < module_count; i++)
        if (pc >= modules[i].low && pc < modules[i].high)
            return true;
    return false;
}

HOOK void heddle_fast_path_module(const struct hdi_fast_path **pointer, unsigned version)
{
    if (version != HDI_FAST_PATH_VERSION) { /* its calls would mean something else */
        Dl_info in;
        const char *name = dladdr(pointer, &in) && in.dli_fname ? in.dli_fname : "a module";
        hdi_refuse(name, " was linked by heddle-cc of another version of Heddle: link it again");
    }
    if (hdi_watch.on || module_count == MODULES)
        *pointer = &fast_path;
    if (module_count < MODULES) {
        modules[module_count].pointer = pointer;
        dl_iterate_phdr(note_code, &modules[module_count++]);
    }
}

HOOK void heddle_fast_path_module_gone(const struct hdi_fast_path **pointer)
{
    for (unsigned i = 0; i < module_count; i++)
        if (modules[i].pointer == pointer)
            modules[i] = modules[--module_count];
}

void hdi_hooks_start(void)
{
    for (unsigned i = 0; i < module_count; i++)
        *modules[i].pointer = &fast_path;
}

static void range(const void *p, size_t bytes, enum hdi_access kind, uint64_t pc)
{
    struct hdi_memory_thread *s = hdi_watched;
    if (s && bytes)
        hdi_access_slow(s, (uintptr_t)p, bytes, kind, pc);
}

HOOK void __tsan_read_range(void *p, unsigned long bytes)
{
    range(p, bytes, HDI_READ, PC());
}

HOOK void __tsan_write_range(void *p, unsigned long bytes)
{
    range(p, bytes, HDI_WRITE, PC());
}

HOOK void __tsan_read_range_pc(void *p, unsigned long bytes, void *pc)
{
    range(p, bytes, HDI_READ, (uint64_t)(uintptr_t)pc);
}

HOOK void __tsan_write_range_pc(void *p, unsigned long bytes, void *pc)
{
    range(p, bytes, HDI_WRITE, (uint64_t)(uintptr_t)pc);
}

HOOK void __tsan_vptr_read(void **p)
{
    hdi_access((uintptr_t)p, sizeof *p, HDI_READ, PC());
}

/* Storing the value that is there already is how constructors of one object meet: no race. */
HOOK void __tsan_vptr_update(void **p, void *value)
{
    if (*p != value)
        hdi_access((uintptr_t)p, sizeof *p, HDI_WRITE, PC());
}

/* ---- memory functions: clang calls the first names, heddle-cc wraps the second ---- */

#define COPY(name, function)                                                                       \
    HOOK void *name(void *to, const void *from, size_t bytes)                                      \
    {                                                                                              \
        uint64_t pc = PC();                                                                        \
        range(from, bytes, HDI_READ, pc);                                                          \
        range(to, bytes, HDI_WRITE, pc);                                                           \
        return function(to, from, bytes);                                                          \
    }
#define FILL(name)                                                                                 \
    HOOK void *name(void *to, int byte, size_t bytes)                                              \
    {                                                                                              \
        range(to, bytes, HDI_WRITE, PC());                                                         \
        return memset(to, byte, bytes);                                                            \
    }
COPY(__tsan_memcpy, memcpy)
COPY(__tsan_memmove, memmove)
COPY(__wrap_memcpy, memcpy)
COPY(__wrap_memmove, memmove)
FILL(__tsan_memset)
FILL(__wrap_memset)

HOOK int __wrap_memcmp(const void *a, const void *b, size_t bytes)
{
    uint64_t pc = PC();
    range(a, bytes, HDI_READ, pc);
    range(b, bytes, HDI_READ, pc);
    return memcmp(a, b, bytes);
}

HOOK size_t __wrap_strlen(const char *s)
{
    size_t n = strlen(s);
    range(s, n + 1, HDI_READ, PC());
    return n;
}

HOOK int __wrap_strcmp(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    uint64_t pc = PC();
    range(a, n + 1, HDI_READ, pc);
    range(b, n + 1, HDI_READ, pc);
    return strcmp(a, b);
}

HOOK char *__wrap_strcpy(char *to, const char *from)
{
    uint64_t pc = PC();
    size_t n = strlen(from) + 1;
    range(from, n, HDI_READ, pc);
    range(to, n, HDI_WRITE, pc);
    return strcpy(to, from);
}
