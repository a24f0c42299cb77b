/* program_state.c - all that decides what the program does next, as one number: what it may write to, what its
 * threads have in registers and on their stacks, and how often it has read and written.
 */
#include "reach.h"

#include <string.h>
#include <sys/syscall.h>

#include "core/proc.h"
#include "core/real.h"
#include "core/thread.h"
#include "snapshot.h"
#include "wire/hash.h"

/* Of libc since 2.35: the kernel writes there which CPU a thread is on. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
#define RSEQ_BYTES 32u /* as registered, whatever of it the kernel says that it uses */

#define MOST_BYTES ((size_t)16 << 20)
#define COPIED ((size_t)64 << 10)
#define PAGE ((uintptr_t)4096)
#define PAGES (COPIED / PAGE + 1)

/* The first page from `at` that is there, and in *end where those go on to. A stack
 * that was hardly used has nearly none. False: it cannot be told. */
static bool pages_there(uintptr_t *at, uintptr_t high, uintptr_t *end)
{
    unsigned char there[PAGES];

    while (*at < high) {
        uintptr_t page = *at & ~(PAGE - 1);
        size_t n = (high - page + PAGE - 1) / PAGE, i = 0, k;
        n = n < PAGES ? n : PAGES;
        if (hdi_real.syscall(SYS_mincore, page, n * PAGE, there) != 0)
            return false;
        while (i < n && !(there[i] & 1))
            i++;
        for (k = i; k < n && there[k] & 1;)
            k++;
        if (i)
            *at = page + i * PAGE;
        *end = page + k * PAGE;
        if (k > i)
            break;
    }
    if (*end > high)
        *end = high;
    return true;
}

/* False: it cannot be read. */
static bool with_memory(uint64_t *hash, uintptr_t low, uintptr_t high)
{
    static uint64_t *copy;
    uint64_t h = *hash;

    if (!copy)
        copy = hdi_reach_pages(COPIED);
    low = (low + 7) & ~(uintptr_t)7;
    while (copy && low + 8 <= high) {
        long n = hdi_map_copy(copy, low, high - low < COPIED ? high - low : COPIED);
        if (n < 0)
            return false;
        for (long i = 0; i < n / 8; i++)
            h = (h ^ copy[i]) * 0x9e3779b97f4a7c15u + (h >> 29);
        low = n > 0 ? low + ((uintptr_t)n & ~(uintptr_t)7) : (low + PAGE) & ~(PAGE - 1);
    }
    *hash = h;
    return copy != NULL;
}

static uint64_t with_threads(uint64_t h)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++) {
        const struct hdp_registers *r = &live[i]->reach.registers;
        for (size_t k = 0; k < sizeof r->kept / sizeof r->kept[0]; k++)
            h = hash_next(h ^ r->kept[k]);
        h = hash_next(h ^ r->sp);
    }
    return h;
}

/* Calls of this thread that read or wrote so far, ours included; 0: the kernel does not count them. Those of the
 * watchdog come when they like. */
static uint64_t calls(void)
{
    char text[512];
    uint64_t sum = 0, n;

    if (hdi_proc_read("/proc/thread-self/io", text, sizeof text) <= 0)
        return 0;
    for (const char *line = text; (line = strstr(line, "sysc"));) {
        line += strcspn(line, " ");
        for (n = 0, line += *line == ' '; *line >= '0' && *line <= '9'; line++)
            n = 10 * n + (uint64_t)(*line - '0');
        sum += n;
    }
    return sum;
}

static bool add_written_by_kernel(struct hdi_spans *out)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; &__rseq_size && __rseq_size && i < n; i++) {
        uintptr_t at = (uintptr_t)live[i]->handle + (uintptr_t)__rseq_offset;
        if (live[i]->handle && !hdi_spans_add(out, at, at + RSEQ_BYTES))
            return false;
    }
    return true;
}

/* Of one mapping, what is not in `out`, which is sorted. False: it is too much, or cannot be read. */
static bool add_mapping(const struct hdi_mapping *m, const struct hdi_spans *out, uint64_t *h,
                        size_t *bytes)
{
    uintptr_t at = m->low;

    for (size_t i = hdi_spans_above(out, at); at < m->high; i++) {
        bool more = i < out->count && out->at[i].low < m->high;
        uintptr_t to = more ? out->at[i].low : m->high;
        if (to > at && m->shared)
            return false; /* others may change it */
        while (at < to) {
            uintptr_t end = to;
            if (!pages_there(&at, to, &end))
                return false;
            if (at >= to)
                break;
            *bytes += end - at;
            if (*bytes > MOST_BYTES)
                return false;
            *h = hash_next(*h ^ at);
            if (!with_memory(h, at, end))
                return false;
            at = end;
        }
        at = !more ? m->high : out->at[i].high > at ? out->at[i].high : at;
    }
    return true;
}

bool hdi_program_state(struct hdi_program_state *s)
{
    static struct hdi_map map;
    static struct hdi_spans out;
    size_t bytes = 0;
    uint64_t before;

    s->calls = calls();
    out.count = 0;
    if (!hdi_reach_on || !s->calls || !hdi_map_read(&map) || !hdi_map_own(&out) ||
        !add_written_by_kernel(&out) || !hdi_reach_unused(&map, &out))
        return false;
    hdi_spans_sort(&out);
    s->hash = with_threads(HASH_BASIS);
    for (size_t i = 0; i < map.count; i++)
        if (map.at[i].writable && !add_mapping(&map.at[i], &out, &s->hash, &bytes))
            return false;
    before = calls();
    s->next_calls = 2 * calls() - before;
    return true;
}
