/* core.c - see core.h
 *
 * The file may be cut short or hold anything: whatever it says is looked at before it is used.
 */
#include "core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fibres.h"
#include "util/alloc.h"

#define THREADS_MOST 100000u
#define FILES_MOST 100000u

struct file_range {
    uint64_t low, high, offset;
    const char *name; /* in the core */
};

struct core {
    struct snapshot *s;
    const unsigned char *data;
    size_t bytes;
    const Elf64_Phdr *head;
    size_t heads;
    struct file_range *file;
    size_t files;
    uint64_t program_headers; /* their address: it lies in the executable */
};

static const void *part(const struct core *c, uint64_t at, uint64_t bytes)
{
    return at <= c->bytes && bytes <= c->bytes - at ? c->data + at : NULL;
}

/* ---- notes ---- */

static void take_thread(struct core *c, const unsigned char *data, size_t bytes)
{
    struct elf_prstatus status;
    struct user_regs_struct regs;
    struct snapshot *s = c->s;
    if (bytes < sizeof status || s->threads >= THREADS_MOST)
        return;
    memcpy(&status, data, sizeof status);
    memcpy(&regs, &status.pr_reg, sizeof regs);
    struct seen_thread t = {.tid = status.pr_pid,
                            .inner_tid = status.pr_pid,
                            .idle_ns = -1,
                            .began = status.pr_pid == status.pr_pgrp ? 0 : 1};
    snapshot_registers(&t, &regs);
    s->thread = mem_grow(s->thread, s->threads, sizeof *s->thread);
    s->thread[s->threads++] = t;
}

static void take_files(struct core *c, const unsigned char *data, size_t bytes)
{
    uint64_t count, page;
    if (bytes < 16)
        return;
    memcpy(&count, data, 8);
    memcpy(&page, data + 8, 8);
    if (count > FILES_MOST || count * 24 > bytes - 16)
        return;
    const char *name = (const char *)data + 16 + count * 24, *end = (const char *)data + bytes;
    c->file = mem_resize(c->file, (c->files + count + 1) * sizeof *c->file);
    for (uint64_t i = 0; i < count && name < end && memchr(name, 0, (size_t)(end - name)); i++) {
        uint64_t row[3];
        memcpy(row, data + 16 + i * 24, sizeof row);
        c->file[c->files++] = (struct file_range){row[0], row[1], row[2] * page, name};
        name += strlen(name) + 1;
    }
}

static void take_vector(struct core *c, const unsigned char *data, size_t bytes)
{
    for (size_t at = 0; at + 16 <= bytes; at += 16) {
        uint64_t row[2];
        memcpy(row, data + at, sizeof row);
        if (row[0] == AT_PHDR)
            c->program_headers = row[1];
    }
}

static void take_process(struct core *c, const unsigned char *data, size_t bytes)
{
    struct elf_prpsinfo info;
    if (bytes < sizeof info)
        return;
    memcpy(&info, data, sizeof info);
    for (size_t i = 0; i < c->s->threads; i++)
        if (c->s->thread[i].tid == info.pr_pid)
            c->s->thread[i].began = 0;
    if (!c->s->program)
        c->s->program = mem_format("%.*s", (int)sizeof info.pr_fname, info.pr_fname);
}

static void take_notes(struct core *c, const Elf64_Phdr *p, int pass)
{
    const unsigned char *at = part(c, p->p_offset, p->p_filesz);
    for (uint64_t left = at ? p->p_filesz : 0; left >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr n;
        memcpy(&n, at, sizeof n);
        uint64_t name = ((uint64_t)n.n_namesz + 3) & ~(uint64_t)3;
        uint64_t data = ((uint64_t)n.n_descsz + 3) & ~(uint64_t)3;
        uint64_t all = sizeof n + name + data;
        if (sizeof n + name + n.n_descsz > left)
            return;
        const unsigned char *text = at + sizeof n + name;
        bool is_core = n.n_namesz == 5 && memcmp(at + sizeof n, "CORE", 5) == 0;
        if (is_core && pass == 0 && n.n_type == NT_PRSTATUS)
            take_thread(c, text, n.n_descsz);
        if (is_core && pass == 0 && n.n_type == NT_FILE)
            take_files(c, text, n.n_descsz);
        if (is_core && pass == 0 && n.n_type == NT_AUXV)
            take_vector(c, text, n.n_descsz);
        if (is_core && pass == 1 && n.n_type == NT_PRPSINFO)
            take_process(c, text, n.n_descsz);
        if (all > left)
            return;
        at += all;
        left -= all;
    }
}

/* ---- memory ---- */

static const struct file_range *file_at(const struct core *c, uint64_t addr)
{
    for (size_t i = 0; i < c->files; i++)
        if (addr >= c->file[i].low && addr < c->file[i].high)
            return &c->file[i];
    return NULL;
}

static const char *name_of(const struct core *c, const struct file_range *f, const char *program)
{
    const struct file_range *own = file_at(c, c->program_headers);
    return program && own && strcmp(own->name, f->name) == 0 ? program : f->name;
}

/* A number for each file: neighbours of one number are one file. */
static unsigned inode_of(const struct core *c, const struct file_range *f)
{
    for (size_t i = 0; i < c->files; i++)
        if (strcmp(c->file[i].name, f->name) == 0)
            return (unsigned)i + 1;
    return 0;
}

/* As /proc/PID/maps would have it. */
static void write_maps(struct core *c, const char *program)
{
    size_t bytes = 0;
    FILE *out = open_memstream(&c->s->maps, &bytes);
    if (!out)
        return;
    for (size_t i = 0; i < c->heads; i++) {
        const Elf64_Phdr *p = &c->head[i];
        if (p->p_type != PT_LOAD || !p->p_memsz || p->p_vaddr + p->p_memsz < p->p_vaddr)
            continue;
        const struct file_range *f = file_at(c, p->p_vaddr);
        fprintf(out, "%llx-%llx %c%c%cp %llx 00:%02x %u %s\n", (unsigned long long)p->p_vaddr,
                (unsigned long long)(p->p_vaddr + p->p_memsz), p->p_flags & PF_R ? 'r' : '-',
                p->p_flags & PF_W ? 'w' : '-', p->p_flags & PF_X ? 'x' : '-',
                f ? (unsigned long long)(f->offset + p->p_vaddr - f->low) : 0, f ? 1 : 0,
                f ? inode_of(c, f) : 0, f ? name_of(c, f, program) : "");
    }
    fclose(out);
}

static void take_memory(struct core *c)
{
    uint64_t cut = 0;
    for (size_t i = 0; i < c->heads; i++) {
        const Elf64_Phdr *p = &c->head[i];
        if (p->p_type != PT_LOAD || !p->p_filesz)
            continue;
        uint64_t have = p->p_offset >= c->bytes                ? 0
                        : p->p_filesz > c->bytes - p->p_offset ? c->bytes - p->p_offset
                                                               : p->p_filesz;
        cut += p->p_filesz - have;
        if (have)
            snapshot_keep(c->s, p->p_vaddr, (unsigned char *)c->s->core + p->p_offset, have);
    }
    if (cut)
        snapshot_lacks(c->s, "the core is cut short: %llu MiB of memory are not in it",
                       (unsigned long long)((cut >> 20) + 1));
}

/* By what a file begins with; NULL: it is not packed. */
static const char *unpacker(const struct core *c)
{
    static const struct {
        const char *magic, *command;
    } table[] = {{"\x1f\x8b", "gunzip"},
                 {"\x28\xb5\x2f\xfd", "unzstd"},
                 {"\xfd\x37zXZ", "unxz"},
                 {"\x04\x22\x4d\x18", "unlz4"},
                 {"BZh", "bunzip2"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = strlen(table[i].magic);
        if (c->bytes > n && memcmp(c->data, table[i].magic, n) == 0)
            return table[i].command;
    }
    return NULL;
}

static bool has_all_notes(const struct core *c)
{
    for (size_t i = 0; i < c->heads; i++)
        if (c->head[i].p_type == PT_NOTE && !part(c, c->head[i].p_offset, c->head[i].p_filesz))
            return false;
    return true;
}

static char *take(struct core *c, const char *path, const char *program)
{
    const Elf64_Ehdr *e = part(c, 0, sizeof *e);
    const char *unpack = unpacker(c);
    if (unpack)
        return mem_format("%s is compressed: unpack it first (%s)", path, unpack);
    if (!e || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_type != ET_CORE)
        return mem_format("%s is no core file", path);
    if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_ident[EI_DATA] != ELFDATA2LSB ||
        e->e_machine != EM_X86_64)
        return mem_format("%s is the core of another kind of machine: only x86-64 is read", path);
    c->heads = e->e_phnum;
    if (e->e_phnum == PN_XNUM) {
        const Elf64_Shdr *first = part(c, e->e_shoff, sizeof *first);
        c->heads = first && e->e_shoff % 8 == 0 ? first->sh_info : 0;
    }
    c->head = e->e_phoff % 8 == 0 ? part(c, e->e_phoff, c->heads * sizeof *c->head) : NULL;
    if (!c->head)
        return mem_format("%s is cut short: not even its table of memory is whole", path);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < c->heads; i++)
            if (c->head[i].p_type == PT_NOTE)
                take_notes(c, &c->head[i], pass);
    if (!c->s->threads)
        return has_all_notes(c)
                   ? mem_format("%s names no threads", path)
                   : mem_format("%s is cut short: its list of threads is not whole", path);
    take_memory(c);
    write_maps(c, program);
    c->s->may_be_called = true; /* it does not say */
    const struct file_range *own = file_at(c, c->program_headers);
    if (program || own) {
        free(c->s->program);
        c->s->program = mem_copy(program ? program : own->name);
    }
    if (!own)
        snapshot_lacks(c->s, "the core does not name the files that were mapped: without them "
                             "there are no stacks");
    return NULL;
}

struct snapshot *core_open(const char *path, const char *program, char **why)
{
    struct core c = {.s = snapshot_new(0)};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no wait for a pipe */
    *why = NULL;
    if (fd < 0 || fstat(fd, &st) != 0)
        *why = mem_format("cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode) || st.st_size == 0)
        *why = mem_format("%s is no core file", path);
    if (!*why) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            *why = mem_format("cannot read %s: %s", path, strerror(errno));
        } else {
            c.s->core = data;
            c.s->core_bytes = c.bytes = (size_t)st.st_size;
            c.data = data;
            *why = take(&c, path, program);
        }
    }
    if (fd >= 0)
        close(fd);
    free(c.file);
    if (*why) {
        snapshot_free(c.s);
        return NULL;
    }
    snapshot_ready(c.s);
    fibres_locate(c.s);
    fibres_take(c.s, NULL, NULL);
    snapshot_ready(c.s);
    return c.s;
}
