/* snapshot.c - see snapshot.h */
#include "snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "util/alloc.h"

struct snapshot *snapshot_new(pid_t pid)
{
    struct snapshot *s = mem_zeroed(1, sizeof *s);
    s->pid = s->through = pid;
    return s;
}

void snapshot_forget(struct snapshot *s)
{
    for (size_t i = 0; !s->core && i < s->pieces; i++)
        free(s->piece[i].data);
    if (s->core)
        munmap(s->core, s->core_bytes);
    free(s->piece);
    s->piece = NULL;
    s->pieces = 0;
    s->core = NULL;
}

void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    snapshot_forget(s);
    for (size_t i = 0; i < s->missings; i++)
        free(s->missing[i]);
    free(s->missing);
    free(s->thread);
    free(s->fibre);
    free(s->program);
    free(s->maps);
    free(s->root);
    free(s);
}

static int by_address(const void *a, const void *b)
{
    uint64_t x = ((const struct piece *)a)->addr, y = ((const struct piece *)b)->addr;
    return (x > y) - (x < y);
}

/* The first thread first, the others as they were made. */
static int by_age(const void *a, const void *b)
{
    const struct seen_thread *x = a, *y = b;
    if (x->began != y->began)
        return x->began < y->began ? -1 : 1;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return (x->fibre > y->fibre) - (x->fibre < y->fibre);
}

void snapshot_ready(struct snapshot *s)
{
    if (s->pieces)
        qsort(s->piece, s->pieces, sizeof *s->piece, by_address);
    s->thread = mem_resize(s->thread, (s->threads + s->fibres + 1) * sizeof *s->thread);
    if (s->fibres)
        memcpy(s->thread + s->threads, s->fibre, s->fibres * sizeof *s->thread);
    s->threads += s->fibres;
    s->fibres = 0;
    if (s->threads)
        qsort(s->thread, s->threads, sizeof *s->thread, by_age);
}

void snapshot_keep(struct snapshot *s, uint64_t addr, unsigned char *data, size_t bytes)
{
    s->piece = mem_grow(s->piece, s->pieces, sizeof *s->piece);
    s->piece[s->pieces++] = (struct piece){addr, bytes, data};
}

void snapshot_lacks(struct snapshot *s, const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    va_end(ap);
    if (!text)
        return;
    for (size_t i = 0; i < s->missings; i++)
        if (strcmp(s->missing[i], text) == 0) {
            free(text);
            return;
        }
    s->missing = mem_grow(s->missing, s->missings, sizeof *s->missing);
    s->missing[s->missings++] = text;
}

void snapshot_registers(struct seen_thread *t, const struct user_regs_struct *r)
{
    const uint64_t reg[17] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
                              r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip};
    const uint64_t arg[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    memcpy(t->reg, reg, sizeof reg);
    memcpy(t->arg, arg, sizeof arg);
    t->fs_base = r->fs_base;
    t->call = (int64_t)r->orig_rax < 0 ? NO_CALL : (int64_t)r->orig_rax;
    t->stopped = true;
}

bool snapshot_kept(const struct snapshot *s, uint64_t addr, void *to, size_t bytes)
{
    size_t low = 0, high = s->pieces;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->piece[middle].addr <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    /* Small pieces may lie before, and within, one that began earlier. */
    for (size_t i = low, tries = 0; i > 0 && tries < 8; i--, tries++) {
        const struct piece *p = &s->piece[i - 1];
        if (addr - p->addr < p->bytes && bytes <= p->bytes - (addr - p->addr)) {
            memcpy(to, p->data + (addr - p->addr), bytes);
            return true;
        }
    }
    return false;
}

bool snapshot_read(const struct snapshot *s, uint64_t addr, void *to, size_t bytes)
{
    if (snapshot_kept(s, addr, to, bytes))
        return true;
    struct iovec here = {to, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    return s->pid && process_vm_readv(s->through, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

/* The line of the mapping that holds an address, or NULL. */
static const char *find_mapping(const char *maps, uint64_t addr, uint64_t *low, uint64_t *high)
{
    for (const char *line = maps; line && *line; line += *line == '\n') {
        char *end;
        *low = strtoull(line, &end, 16);
        *high = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
        if (addr >= *low && addr < *high)
            return line;
        line += strcspn(line, "\n");
    }
    return NULL;
}

bool snapshot_mapping(const char *maps, uint64_t addr, uint64_t *low, uint64_t *high)
{
    return find_mapping(maps, addr, low, high) != NULL;
}

/* A core names the files that were mapped, and shared memory is one of them; but not how. */
static bool is_code_or_anonymous(const struct snapshot *s, const char *line)
{
    size_t n = strcspn(line, "\n");
    const char *path = memchr(line, '/', n);
    if (!path)
        return true;
    size_t length = (size_t)(line + n - path);
    return memmem(path, length, ".so", 3) ||
           (s->program && strlen(s->program) == length && memcmp(path, s->program, length) == 0);
}

bool snapshot_is_shared(const struct snapshot *s, uint64_t addr)
{
    uint64_t low, high;
    const char *line = find_mapping(s->maps, addr, &low, &high);
    const char *rights = line ? strchr(line, ' ') : NULL;
    if (!rights || strlen(rights) < 5)
        return true;
    return s->pid ? rights[4] == 's' : !is_code_or_anonymous(s, line);
}
