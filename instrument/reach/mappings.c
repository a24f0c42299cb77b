/* mappings.c - the mappings of the process, which of them are ours, and what its modules ask
 * for. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "core/proc.h"
#include "core/real.h"
#include "snapshot.h"
#include "reach.h"

#define TEXT_BYTES ((size_t)1 << 20)
#define MOST_MAPPINGS 16384u
#define MOST_OWN 1024u

extern const char __ehdr_start __attribute__((visibility("hidden")));
extern const char _end __attribute__((visibility("hidden")));

struct hdi_modules hdi_modules;
static struct hdi_span own[MOST_OWN];
static uint32_t own_count;

/* ---- spans ---- */

bool hdi_spans_add(struct hdi_spans *s, uintptr_t low, uintptr_t high)
{
    if (s->count == s->room) {
        size_t room = s->room ? 4 * s->room : 1024;
        struct hdi_span *at = hdi_reach_pages(room * sizeof *at);
        if (!at)
            return false;
        if (s->count)
            memcpy(at, s->at, s->count * sizeof *at);
        s->at = at;
        s->room = room;
    }
    s->at[s->count++] = (struct hdi_span){low, high};
    return true;
}

/* Shell sort: few elements, mostly in order, and no memory. */
void hdi_spans_sort(struct hdi_spans *s)
{
    for (size_t gap = s->count / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < s->count; i++) {
            struct hdi_span x = s->at[i];
            size_t k = i;
            for (; k >= gap && s->at[k - gap].low > x.low; k -= gap)
                s->at[k] = s->at[k - gap];
            s->at[k] = x;
        }
}

size_t hdi_spans_above(const struct hdi_spans *s, uintptr_t at)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->at[middle].high > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- ours ---- */

bool hdi_map_is_own(uint64_t pc)
{
    return pc >= (uintptr_t)&__ehdr_start && pc < (uintptr_t)&_end;
}

bool hdi_reach_is_own(void *(*function)(size_t))
{
    return hdi_map_is_own((uintptr_t)function);
}

/* Neighbours are joined: the kernel hands out addresses from above. */
void hdi_map_add_own(uintptr_t low, uintptr_t high)
{
    static bool locked;

    high = (high + 4095) & ~4095ul;
    while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE))
        ;
    for (uint32_t i = 0; i < own_count && low < high; i++) {
        if (own[i].low == high)
            own[i].low = low;
        else if (own[i].high == low)
            own[i].high = high;
        else
            continue;
        low = high;
    }
    if (low < high && own_count < MOST_OWN)
        own[own_count++] = (struct hdi_span){low, high};
    else if (low < high)
        hdi_reach_off();
    __atomic_clear(&locked, __ATOMIC_RELEASE);
}

void hdi_map_not_own(uintptr_t low, uintptr_t high)
{
    for (uint32_t i = 0; i < own_count; i++)
        if (own[i].low < high && low < own[i].high)
            hdi_reach_off();
}

bool hdi_map_own(struct hdi_spans *out)
{
    for (uint32_t i = 0; i < own_count; i++)
        if (!hdi_spans_add(out, own[i].low, own[i].high))
            return false;
    return hdi_spans_add(out, (uintptr_t)&__ehdr_start, ((uintptr_t)&_end + 4095) & ~4095ul);
}

/* ---- /proc/self/maps ---- */

static bool starts_with(const char *name, const char *end, const char *start)
{
    size_t n = strlen(start);

    return (size_t)(end - name) >= n && memcmp(name, start, n) == 0;
}

/* False: not a line of this kind. */
static bool parse(const char *line, const char *end, struct hdi_mapping *m, bool *readable)
{
    struct hdi_maps_line at;

    if (!hdi_maps_line(line, end, &at))
        return false;
    *m = (struct hdi_mapping){.low = at.low,
                              .high = at.high,
                              .writable = at.writable,
                              .shared = at.shared,
                              .file = starts_with(at.name, end, "/"),
                              .heap = starts_with(at.name, end, "[heap]"),
                              .stack = starts_with(at.name, end, "[stack]")};
    *readable = at.readable && !starts_with(at.name, end, "[v"); /* vdso, vvar, vsyscall */
    return true;
}

bool hdi_map_read(struct hdi_map *m)
{
    static char *text;
    long used;

    if (!text)
        text = hdi_reach_pages(TEXT_BYTES);
    if (!m->at)
        m->at = hdi_reach_pages(MOST_MAPPINGS * sizeof *m->at);
    m->count = 0;
    if (!text || !m->at)
        return false;
    used = hdi_proc_read("/proc/self/maps", text, TEXT_BYTES);
    if (used < 0 || used == (long)TEXT_BYTES - 1)
        return false;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        bool readable;
        if (m->count == MOST_MAPPINGS || !parse(line, end, &m->at[m->count], &readable))
            return false;
        m->count += readable;
    }
    return m->count > 0;
}

const struct hdi_mapping *hdi_map_find(const struct hdi_map *m, uintptr_t at)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->at[middle].high > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low < m->count && m->at[low].low <= at ? &m->at[low] : NULL;
}

long hdi_map_copy(void *to, uintptr_t low, size_t bytes)
{
    struct iovec here = {to, bytes}, there = {(void *)low, bytes};
    int saved = errno;
    long n = hdi_real.syscall(SYS_process_vm_readv, hdi_real.syscall(SYS_getpid), &here, 1, &there,
                              1, 0);
    bool nothing_there = n < 0 && errno == EFAULT;

    errno = saved;
    return nothing_there ? 0 : n;
}

/* ---- modules ---- */

struct dynamic {
    const ElfW(Sym) * symbol;
    const char *names;
    const ElfW(Rela) * relocation[2];
    size_t count[2];
};

static uintptr_t absolute(const struct dl_phdr_info *info, uintptr_t a)
{
    return a < info->dlpi_addr ? a + info->dlpi_addr : a; /* the loader relocates some in place */
}

static void read_dynamic(const struct dl_phdr_info *info, const ElfW(Dyn) * d, struct dynamic *out)
{
    for (; d->d_tag != DT_NULL; d++)
        switch (d->d_tag) {
        case DT_SYMTAB:
            out->symbol = (const void *)absolute(info, d->d_un.d_ptr);
            break;
        case DT_STRTAB:
            out->names = (const void *)absolute(info, d->d_un.d_ptr);
            break;
        case DT_RELA:
            out->relocation[0] = (const void *)absolute(info, d->d_un.d_ptr);
            break;
        case DT_RELASZ:
            out->count[0] = d->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_JMPREL:
            out->relocation[1] = (const void *)absolute(info, d->d_un.d_ptr);
            break;
        case DT_PLTRELSZ:
            out->count[1] = d->d_un.d_val / sizeof(ElfW(Rela));
            break;
        default:
            break;
        }
}

/* What one module asks for by name. */
static void note_imports(const struct dynamic *d)
{
    static const char *const signals[] = {
        "pthread_cancel", "pthread_kill", "pthread_sigqueue",  "tgkill",
        "thrd_cancel",    "dlopen",       "pthread_getattr_np"};
    static const char *const breaks[] = {"sbrk", "brk"};

    for (int r = 0; r < 2; r++)
        for (size_t i = 0; d->symbol && d->names && d->relocation[r] && i < d->count[r]; i++) {
            const ElfW(Sym) *s = &d->symbol[ELF64_R_SYM(d->relocation[r][i].r_info)];
            const char *name = d->names + s->st_name;
            for (size_t k = 0; k < sizeof signals / sizeof signals[0]; k++)
                hdi_modules.may_signal_threads |= strcmp(name, signals[k]) == 0;
            for (size_t k = 0; k < sizeof breaks / sizeof breaks[0]; k++)
                hdi_modules.moves_break |= strcmp(name, breaks[k]) == 0;
        }
}

static bool ends_in(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return strncmp(slash ? slash + 1 : path, name, strlen(name)) == 0;
}

static int note_module(struct dl_phdr_info *info, size_t size, void *self)
{
    bool is_libc = ends_in(info->dlpi_name, "libc.so.6");
    bool loader = ends_in(info->dlpi_name, "ld-linux") || ends_in(info->dlpi_name, "linux-vdso");
    struct dynamic d = {0};
    bool is_own = false;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        uintptr_t low = info->dlpi_addr + ph->p_vaddr;
        if (ph->p_type == PT_LOAD && hdi_map_is_own(low))
            is_own = true;
        if (ph->p_type == PT_LOAD && is_libc && ph->p_flags & PF_W)
            hdi_modules.libc = (struct hdi_span){low, low + ph->p_memsz};
        if (ph->p_type == PT_LOAD && is_libc && ph->p_flags & PF_X)
            hdi_modules.libc_code = (struct hdi_span){low, low + ph->p_memsz};
        if (ph->p_type == PT_DYNAMIC)
            read_dynamic(info, (const void *)low, &d);
        if (ph->p_type == PT_TLS && info->dlpi_tls_data) {
            uintptr_t below = *(const uintptr_t *)self - (uintptr_t)info->dlpi_tls_data;
            if (below < (1u << 20) && hdi_modules.tls < 64) {
                hdi_modules.tls_block[hdi_modules.tls].below = below;
                hdi_modules.tls_block[hdi_modules.tls++].bytes = ph->p_memsz;
            }
        }
    }
    if (!is_libc && !loader && !is_own)
        note_imports(&d);
    return 0;
}

bool hdi_modules_read(void)
{
    uintptr_t self = (uintptr_t)pthread_self();
    const uint32_t *bytes = dlsym(RTLD_DEFAULT, "_thread_db_sizeof_pthread");
    pthread_attr_t attr;

    hdi_modules = (struct hdi_modules){0};
    if (!bytes || pthread_getattr_default_np(&attr) != 0)
        return false;
    hdi_modules.descriptor_bytes = *bytes;
    pthread_attr_getstacksize(&attr, &hdi_modules.stack_bytes);
    pthread_attr_destroy(&attr);
    dl_iterate_phdr(note_module, &self);
    return hdi_modules.libc.high > 0;
}
