/* fibres.c - see fibres.h
 *
 * The library lists its stacks in slabs and says by a note where (lib/include/heddle/fibres.h). Which
 * of them are in use, the fibre at the top of each tells. One that a worker runs is seen as that
 * thread; the registers of the others lie on their stacks, as hdi_switch() of lib/fibre.c left
 * them. The process may have scribbled over any of it: whatever is read is looked at first.
 */
#include "fibres.h"

#include <elf.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <heddle/fibres.h>

#include "util/alloc.h"

#define FIBRES_MOST 1000000u
#define STACK_MOST (256u << 10) /* bytes of a stack */
#define BYTES_MOST (96u << 20)  /* of all; when they are more, of each: */
#define STACK_LEAST (4u << 10)
#define HEADERS_MOST 64u
#define FIBRE_MOST 4096u
#define WORKERS_MOST 65536u
#define NOTES_MOST 4096u
#define PARKED 2u /* a parker's `go` */
#define SLEEPS 1u /* the word that idle workers and their monitor sleep on */
#define NO_END 1u /* bits of a wait whose time limit is the library's own */
#define SAVED 7u  /* words of registers, above one of floating-point modes */
#define AFTER_THREADS ((uint64_t)1 << 63)

static uint32_t half_at(const struct snapshot *s, uint64_t addr)
{
    uint32_t word;
    return snapshot_read(s, addr, &word, sizeof word) ? word : UINT32_MAX;
}

/* ---- where ---- */

static bool read_table(const struct snapshot *s, uint64_t addr, struct hd_fibres *t)
{
    if (!snapshot_read(s, addr, t, sizeof *t) || t->version != HD_FIBRES_VERSION ||
        t->fibre_bytes < 16 || t->fibre_bytes > FIBRE_MOST || t->worker_bytes < 8 ||
        t->worker_bytes > FIBRE_MOST || t->workers > WORKERS_MOST)
        return false;
    uint32_t most = t->fibre_bytes - 8;
    return t->worker_running <= t->worker_bytes - 8 && t->fibre_sp <= most &&
           t->fibre_wants <= most && t->fibre_arg <= most && t->fibre_parker <= most &&
           t->fibre_timer_link <= most && t->fibre_stack <= most - 8 && t->fibre_generation <= most;
}

static void add_table(struct snapshot *s, uint64_t addr)
{
    struct hd_fibres t;
    if (s->fibre_tables < FIBRE_TABLES_MOST && read_table(s, addr, &t))
        s->fibre_table[s->fibre_tables++] = addr;
}

static void read_note(struct snapshot *s, uint64_t from, uint64_t bytes)
{
    unsigned char text[NOTES_MOST];
    if (bytes > sizeof text || !snapshot_read(s, from, text, bytes))
        return;
    for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= bytes;) {
        Elf64_Nhdr n;
        memcpy(&n, text + at, sizeof n);
        uint64_t name = at + sizeof n, data = name + (((uint64_t)n.n_namesz + 3) & ~(uint64_t)3);
        uint64_t behind;
        if (data + n.n_descsz > bytes)
            return;
        if (n.n_type == HD_FIBRES_NOTE && n.n_namesz == sizeof HD_FIBRES_OWNER &&
            memcmp(text + name, HD_FIBRES_OWNER, sizeof HD_FIBRES_OWNER) == 0 &&
            n.n_descsz == sizeof behind) {
            memcpy(&behind, text + data, sizeof behind);
            add_table(s, from + data + behind);
        }
        at = data + (((uint64_t)n.n_descsz + 3) & ~(uint64_t)3);
    }
}

/* The notes of the file whose first page lies at `low`. */
static void read_file_at(struct snapshot *s, uint64_t low)
{
    Elf64_Ehdr e;
    if (!snapshot_read(s, low, &e, sizeof e) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 ||
        e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_phentsize != sizeof(Elf64_Phdr))
        return;
    uint64_t bias = e.e_type == ET_DYN ? low : 0;
    for (uint16_t i = 0; i < e.e_phnum && i < HEADERS_MOST; i++) {
        Elf64_Phdr p;
        if (snapshot_read(s, low + e.e_phoff + i * sizeof p, &p, sizeof p) && p.p_type == PT_NOTE)
            read_note(s, bias + p.p_vaddr, p.p_filesz);
    }
}

void fibres_locate(struct snapshot *s)
{
    s->fibre_tables = 0;
    for (const char *line = s->maps; line && *line; line += *line == '\n') {
        unsigned long long low, offset;
        size_t n = strcspn(line, "\n");
        if (memchr(line, '/', n) && sscanf(line, "%llx-%*x %*4s %llx", &low, &offset) == 2 &&
            offset == 0)
            read_file_at(s, low);
        line += n;
    }
}

/* ---- which ---- */

static bool is_run(const uint64_t *running, size_t count, uint64_t fibre)
{
    for (size_t i = 0; i < count; i++)
        if (running[i] == fibre)
            return true;
    return false;
}

static uint64_t word_in(const unsigned char *from, uint32_t at)
{
    uint64_t word;
    memcpy(&word, from + at, sizeof word);
    return word;
}

static uint32_t half_in(const unsigned char *from, uint32_t at)
{
    uint32_t word;
    memcpy(&word, from + at, sizeof word);
    return word;
}

/* The fibres that workers run, or are about to. */
static uint64_t *run_by_workers(const struct snapshot *s, const struct hd_fibres *t, size_t *count)
{
    size_t bytes = (size_t)t->workers * t->worker_bytes;
    uint64_t *list = mem_zeroed(t->workers + 1, sizeof *list);
    unsigned char *all = mem_zeroed(bytes + 1, 1);
    *count = 0;
    if (snapshot_read(s, (uint64_t)(uintptr_t)t->worker, all, bytes))
        for (uint32_t i = 0; i < t->workers; i++) {
            uint64_t one = word_in(all + (size_t)i * t->worker_bytes, t->worker_running);
            if (one)
                list[(*count)++] = one;
        }
    free(all);
    return list;
}

/* The thread whose stack pointer is in this stack; NULL. */
static struct seen_thread *carrier(struct snapshot *s, uint64_t low, uint64_t bytes)
{
    for (size_t i = 0; i < s->threads; i++)
        if (s->thread[i].reg[7] - low < bytes)
            return &s->thread[i];
    return NULL;
}

/* As hdi_switch() left them: a word of modes, r15, r14, r13, r12, rbx, rbp, and where it returns. */
static bool take_registers(const struct snapshot *s, uint64_t sp, struct seen_thread *one)
{
    static const unsigned char order[SAVED] = {15, 14, 13, 12, 3, 6, 16};
    uint64_t word[1 + SAVED];
    if (!snapshot_read(s, sp, word, sizeof word))
        return false;
    for (unsigned i = 0; i < SAVED; i++)
        one->reg[order[i]] = word[1 + i];
    one->reg[7] = sp + sizeof word;
    return true;
}

static void lacks(struct snapshot *s)
{
    snapshot_lacks(s, "the library's list of goroutines cannot be read: some may be missing");
    s->lacks_fibres = true;
}

struct taking {
    struct snapshot *s;
    const struct hd_fibres *t;
    void (*keep)(void *arg, uint64_t addr, size_t bytes);
    void *arg;
    uint64_t *running;
    uint32_t generation;
    size_t runs, found, copied;
    struct seen_thread *one;
};

static bool is_parked(const struct taking *g, const unsigned char *fibre)
{
    uint64_t parker = word_in(fibre, g->t->fibre_parker);
    return half_in(fibre, g->t->fibre_wants) == g->t->wants_to_park &&
           half_at(g->s, parker + g->t->parker_go) == PARKED;
}

static void keep_stack(struct taking *g, uint64_t sp, uint64_t top)
{
    size_t most = g->copied < BYTES_MOST ? STACK_MOST : STACK_LEAST;
    size_t bytes = top - sp < most ? (size_t)(top - sp) : most;
    if (g->keep)
        g->keep(g->arg, sp, bytes);
    g->copied += bytes;
}

static void take_stack(struct taking *g, uint64_t low, uint64_t bytes)
{
    const struct hd_fibres *t = g->t;
    unsigned char fibre[FIBRE_MOST];
    uint64_t at = low + bytes - t->fibre_bytes;
    if (!snapshot_read(g->s, at, fibre, t->fibre_bytes) || word_in(fibre, t->fibre_stack) != low ||
        word_in(fibre, t->fibre_stack + 8) != bytes ||
        half_in(fibre, t->fibre_generation) != g->generation)
        return;
    struct seen_thread *by = carrier(g->s, low, bytes);
    uint64_t goroutine = word_in(fibre, t->fibre_arg), sp = word_in(fibre, t->fibre_sp);
    if (by)
        by->goroutine = goroutine;
    if (by || is_run(g->running, g->runs, at))
        return; /* or between its stack and its worker's */
    uint64_t number = 0;
    if (!snapshot_read(g->s, goroutine + t->goroutine_number, &number, sizeof number))
        number = 0;
    struct seen_thread one = {.fibre = at,
                              .goroutine = goroutine,
                              .call = NO_CALL,
                              .stopped = true,
                              .began = AFTER_THREADS | number,
                              .idle_ns = -1,
                              .state = is_parked(g, fibre) ? 'S' : 'R',
                              .has_end = word_in(fibre, t->fibre_timer_link) != 0};
    if (sp < low || sp >= at || !take_registers(g->s, sp, &one)) {
        lacks(g->s);
        return;
    }
    keep_stack(g, sp, at);
    g->one = mem_grow(g->one, g->found, sizeof *g->one);
    g->one[g->found++] = one;
}

static void take_all(struct taking *g)
{
    struct hd_fibre_slab slab;
    uint64_t at = 0;
    if (!snapshot_read(g->s, (uint64_t)(uintptr_t)g->t->slabs, &at, sizeof at))
        lacks(g->s);
    for (size_t seen = 0; at && seen < FIBRES_MOST; at = (uint64_t)(uintptr_t)slab.next) {
        if (!snapshot_read(g->s, at, &slab, sizeof slab) || slab.bytes < g->t->fibre_bytes ||
            slab.bytes > (uint64_t)1 << 40 || slab.count > 4096) {
            lacks(g->s);
            return;
        }
        for (uint64_t i = 0; i < slab.count; i++)
            take_stack(g, (uint64_t)(uintptr_t)slab.first + i * slab.bytes, slab.bytes);
        seen += slab.count ? slab.count : 1;
    }
}

static void note_monitor(struct snapshot *s, pid_t inner_tid)
{
    for (size_t i = 0; i < s->threads; i++)
        s->thread[i].is_monitor |= s->thread[i].inner_tid == inner_tid;
}

void fibres_take(struct snapshot *s, void (*keep)(void *arg, uint64_t addr, size_t bytes),
                 void *arg)
{
    for (size_t i = 0; i < s->fibre_tables; i++) {
        struct hd_fibres t;
        if (!read_table(s, s->fibre_table[i], &t))
            continue;
        struct taking g = {.s = s, .t = &t, .keep = keep, .arg = arg};
        g.running = run_by_workers(s, &t, &g.runs);
        g.generation = half_at(s, (uint64_t)(uintptr_t)t.generation);
        take_all(&g);
        note_monitor(s, (int32_t)half_at(s, (uint64_t)(uintptr_t)t.monitor));
        s->fibre = mem_resize(s->fibre, (s->fibres + g.found + 1) * sizeof *s->fibre);
        if (g.found)
            memcpy(s->fibre + s->fibres, g.one, g.found * sizeof *g.one);
        s->fibres += g.found;
        free(g.one);
        free(g.running);
    }
}

bool fibres_rests(const struct snapshot *s, const struct seen_thread *t)
{
    if (t->is_monitor) /* also when it is about to sleep again: what it could wake is ready itself */
        return true;
    return s->fibre_tables && !t->goroutine &&
           (t->call == SYS_futex || t->call == SYS_restart_syscall) &&
           ((int)t->arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET &&
           (uint32_t)t->arg[2] == SLEEPS && (uint32_t)t->arg[5] == NO_END;
}
