/* image.c - the memory of the process: what it was, what was written, how it is put back.
 *
 * All private writable memory is write-protected asynchronously (userfaultfd, WP_ASYNC): the kernel
 * takes the protection away from a page that is written, and PAGEMAP_SCAN names those. A page that was
 * found once is hot: it is never protected again, and is copied back after each schedule. So a look is
 * needed only to see that no other page was written; it costs more than a schedule, and is taken after
 * several (engine.c).
 *
 *   1 nothing of the engine's lies in this memory: it would be put back, too
 *   2 a page that is not hot is protected, or not there, and as it was before the first schedule,
 *     unless it was written since the last look
 */
#include "engine.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "core/proc.h"
#include "core/real.h"
#include "reach/snapshot.h"

/* Of newer kernel headers than some systems have. */
#define WP_ASYNC (1 << 15)
#define WP_UNPOPULATED (1 << 13)
#define USER_MODE_ONLY 1
struct scan_region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, any_of,
        returned;
};
#define SCAN _IOWR('f', 16, struct scan)
enum { IS_PROTECTABLE = 1, IS_WRITTEN = 2, IS_PRESENT = 8, IS_SWAPPED = 16 };
enum { PROTECT_MATCHING = 1 };

#define MOST_BYTES (256ul << 20)   /* of a copy */
#define SPARE_BYTES (64 * RT_PAGE) /* for pages that are written between counting and copying */
#define VECTOR 512u
#define END_OF_MEMORY 0x7ffffffff000ul

static long scan(struct scan *s, struct scan_region *to, uint32_t room)
{
    s->size = sizeof *s;
    s->vec = (uintptr_t)to;
    s->vec_len = room;
    return hdi_passed_call(SYS_ioctl, rt_engine->image.pagemap, (long)SCAN, (long)s, 0, 0, 0);
}

/* f for each span of pages with these categories; false: the kernel does not say. */
static bool each(uintptr_t low, uintptr_t high, struct scan what,
                 bool (*f)(uintptr_t low, uintptr_t high))
{
    struct scan_region found[VECTOR];

    what.start = low;
    what.end = high;
    while (what.start < high) {
        long n = scan(&what, found, VECTOR);
        if (n < 0)
            return false;
        for (long i = 0; i < n; i++)
            if (!f(found[i].start, found[i].end))
                return false;
        if (what.walk_end <= what.start)
            return false;
        what.start = what.walk_end;
    }
    return true;
}

int rt_descriptor_away(long fd)
{
    long moved = -1;

    for (int from = 900; fd >= 0 && moved < 0 && from > 2; from /= 2)
        moved = hdi_real.syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);
    if (fd >= 0)
        hdi_real.syscall(SYS_close, fd);
    return (int)moved;
}

static void open_facilities(void)
{
    struct rt_image *m = &rt_engine->image;
    struct uffdio_api api = {.api = UFFD_API, .features = WP_ASYNC | WP_UNPOPULATED};

    m->uffd = rt_descriptor_away(hdi_real.syscall(SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY));
    m->pagemap = rt_descriptor_away(
        hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    if (m->uffd < 0 || m->pagemap < 0 ||
        hdi_real.syscall(SYS_ioctl, m->uffd, UFFDIO_API, &api) != 0)
        rt_in_place_refuse("the kernel does not tell which pages are written (Linux 6.7)");
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

static void note_mapping(const char *line, const char *end)
{
    struct rt_image *m = &rt_engine->image;
    struct hdi_maps_line l;

    if (!hdi_maps_line(line, end, &l) || l.shared || strncmp(l.name, "[v", 2) == 0)
        return; /* vdso, vvar, vsyscall: the kernel's */
    if (m->mappings == RT_MAPPINGS)
        rt_in_place_refuse("it has more than 4,096 mappings");
    m->mapping[m->mappings++] = (struct rt_mapping){
        .low = l.low,
        .high = l.high,
        .protection = (l.readable ? PROT_READ : 0) | (l.writable ? PROT_WRITE : 0) |
                      (l.executable ? PROT_EXEC : 0),
        .anonymous = *l.name == '\n' || *l.name == '\0' || *l.name == '['};
}

static void note_mappings(void)
{
    static const size_t room = 1 << 20;
    char *text = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long bytes = text == MAP_FAILED ? -1 : hdi_proc_read("/proc/self/maps", text, room);

    if (bytes <= 0 || (size_t)bytes >= room - 1)
        rt_in_place_refuse("its mappings cannot be read");
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        note_mapping(line, end);
    munmap(text, room);
}

static bool count_present(uintptr_t low, uintptr_t high)
{
    rt_engine->image.present_bytes += high - low;
    return true;
}

static bool copy_present(uintptr_t low, uintptr_t high)
{
    struct rt_image *m = &rt_engine->image;

    if (m->runs == sizeof m->run / sizeof *m->run)
        return false;
    m->run[m->runs].low = low;
    m->run[m->runs].high = high;
    m->run[m->runs++].copy = m->free_copy;
    if (hdi_map_copy(m->free_copy, low, high - low) != (long)(high - low))
        rt_in_place_refuse("some of its memory cannot be read (MADV_GUARD_INSTALL)");
    m->free_copy += high - low;
    return true;
}

static bool nothing(uintptr_t low, uintptr_t high)
{
    return low <= high;
}

static bool is_image(const struct rt_mapping *a)
{
    return (a->protection & (PROT_READ | PROT_WRITE)) == (PROT_READ | PROT_WRITE);
}

static const struct scan present = {.any_of = IS_PRESENT | IS_SWAPPED, .returned = IS_PRESENT};

/* A hash of the list of mappings, whatever their order; without the first stack, which grows. */
uint64_t rt_image_mappings(void)
{
    long n, fd = hdi_passed_call(SYS_openat, AT_FDCWD, (long)"/proc/self/maps",
                                 O_RDONLY | O_CLOEXEC, 0, 0, 0);
    uint64_t all = 0, line = HASH_BASIS, end = 0;
    char text[4096];

    while ((n = hdi_passed_call(SYS_read, fd, (long)text, sizeof text, 0, 0, 0)) > 0)
        for (long i = 0; i < n; i++) {
            if (text[i] != '\n') {
                line = hash_bytes(line, &text[i], 1);
                end = end << 8 | (unsigned char)text[i];
                continue;
            }
            if (end << 8 != 0x5b737461636b5d00) /* "[stack]" */
                all += hash_spread(line);
            line = HASH_BASIS;
            end = 0;
        }
    hdi_passed_call(SYS_close, fd, 0, 0, 0, 0, 0);
    return all;
}

const struct rt_mapping *rt_image_mapping(uintptr_t addr)
{
    const struct rt_image *m = &rt_engine->image;
    uint32_t low = 0, high = m->mappings;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (m->mapping[middle].high <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->mappings && m->mapping[low].low <= addr ? &m->mapping[low] : NULL;
}

/* ---- functions that are looked up at their first call ---- */

static int note_table(struct dl_phdr_info *info, size_t size, void *image)
{
    struct rt_image *m = image;
    const ElfW(Dyn) *d = NULL;
    const ElfW(Rela) *r = NULL;
    size_t bytes = 0;
    bool lazy = true, addends = false;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            d = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    for (; d && d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_JMPREL)
            r = (const void *)d->d_un.d_ptr;
        else if (d->d_tag == DT_PLTRELSZ)
            bytes = d->d_un.d_val;
        else if (d->d_tag == DT_PLTREL)
            addends = d->d_un.d_val == DT_RELA;
        else if ((d->d_tag == DT_FLAGS && d->d_un.d_val & DF_BIND_NOW) ||
                 (d->d_tag == DT_FLAGS_1 && d->d_un.d_val & DF_1_NOW))
            lazy = false;
    }
    if (!r || !bytes || !lazy || !addends || m->tables == RT_TABLES ||
        !rt_image_mapping((uintptr_t)r))
        return 0;
    m->table[m->tables].slot = r;
    m->table[m->tables].slots = bytes / sizeof *r;
    m->table[m->tables++].base = info->dlpi_addr;
    return 0;
}

static unsigned char *copy_of(uintptr_t page)
{
    struct rt_image *m = &rt_engine->image;
    uint32_t low = 0, high = m->runs;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (m->run[middle].high <= page)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->runs && m->run[low].low <= page ? m->run[low].copy + (page - m->run[low].low)
                                                    : NULL;
}

static void keep_bound(uintptr_t at)
{
    uintptr_t page = at & ~(RT_PAGE - 1), now;
    unsigned char *copy = copy_of(page);
    const struct rt_mapping *code;
    uintptr_t *then = (uintptr_t *)(void *)(copy + (at - page));

    if (!copy || (now = *(const uintptr_t *)at) == *then)
        return;
    code = rt_image_mapping(now); /* not in what this schedule alone has loaded */
    if (code && code->protection & PROT_EXEC)
        *then = now;
}

void rt_image_keep_bound(void)
{
    struct rt_image *m = &rt_engine->image;

    for (uint32_t i = 0; i < m->tables; i++)
        for (size_t k = 0; k < m->table[i].slots; k++)
            if (ELF64_R_TYPE(m->table[i].slot[k].r_info) == HDI_JUMP_SLOT)
                keep_bound(m->table[i].base + m->table[i].slot[k].r_offset);
}

static void put_back(uintptr_t page, const unsigned char *copy)
{
    if (copy)
        hdi_copy_raw((void *)page, copy, RT_PAGE);
    else
        hdi_clear_raw((void *)page, RT_PAGE);
}

void rt_image_restore(void)
{
    struct rt_image *m = &rt_engine->image;

    for (uint32_t i = 0; i < m->hots; i++)
        put_back(m->hot[i].page, m->hot[i].copy);
}

/* False: there are too many. */
static bool heat(uintptr_t page)
{
    struct rt_image *m = &rt_engine->image;
    uint32_t mask = sizeof m->known / sizeof *m->known - 1;
    uint32_t at = (uint32_t)hash_next(page) & mask;

    while (m->known[at] && m->hot[m->known[at] - 1].page != page)
        at = (at + 1) & mask;
    if (m->known[at])
        return true;
    if (m->hots == RT_HOT)
        return false;
    m->hot[m->hots].page = page;
    m->hot[m->hots].copy = copy_of(page);
    put_back(page, m->hot[m->hots].copy);
    m->known[at] = ++m->hots;
    m->fresh++;
    return true;
}

static bool note_written(uintptr_t low, uintptr_t high)
{
    for (uintptr_t page = low; page < high; page += RT_PAGE)
        if (!heat(page))
            return false;
    return true;
}

/* Those of the batch before are mostly the same: schedules need not be run again to find them. The
 * program may have written there, so that any page of its memory is as good. */
static void heat_known(void)
{
    struct hdp_batch *b = &rt.region->batch;
    uint32_t pages = b->pages_threads == b->threads ? b->pages : 0;

    for (uint32_t i = 0; i < pages && i < RT_HOT; i++) {
        const struct rt_mapping *m = rt_image_mapping(b->page[i] & ~(RT_PAGE - 1));
        if (m && is_image(m))
            heat(b->page[i] & ~(RT_PAGE - 1));
    }
}

void rt_image_tell(void)
{
    struct hdp_batch *b = &rt.region->batch;

    b->pages_threads = b->threads;
    for (b->pages = 0; b->pages < rt_engine->image.hots; b->pages++)
        b->page[b->pages] = rt_engine->image.hot[b->pages].page;
}

void rt_image_take(void)
{
    struct rt_image *m = &rt_engine->image;
    static const struct scan protect = {
        .flags = PROTECT_MATCHING, .mask = IS_WRITTEN, .returned = IS_WRITTEN};
    void *copies;

    open_facilities();
    note_mappings();
    for (uint32_t i = 0; i < m->mappings; i++) {
        struct rt_mapping *a = &m->mapping[i];
        struct uffdio_register r = {.range = {a->low, a->high - a->low},
                                    .mode = UFFDIO_REGISTER_MODE_WP};
        if (!is_image(a))
            continue;
        if (hdi_real.syscall(SYS_ioctl, m->uffd, UFFDIO_REGISTER, &r) != 0)
            rt_in_place_refuse("the kernel does not watch all of its memory");
        if (!each(a->low, a->high, present, count_present))
            rt_in_place_refuse("the kernel does not tell which pages are written (Linux 6.7)");
    }
    if (m->present_bytes > MOST_BYTES)
        rt_in_place_refuse("it has more than 256 MiB of memory before its first thread");
    copies = mmap(NULL, m->present_bytes + SPARE_BYTES, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (copies == MAP_FAILED)
        rt_in_place_refuse("there is no memory for a copy of its own");
    m->free_copy = copies;
    for (uint32_t i = 0; i < m->mappings; i++)
        if (is_image(&m->mapping[i]) &&
            (!each(m->mapping[i].low, m->mapping[i].high, present, copy_present)))
            rt_in_place_refuse("its memory is in too many pieces");
    for (uint32_t i = 0; i < m->runs; i++) /* a page that was not there is written when it is */
        if (!each(m->run[i].low, m->run[i].high, protect, nothing))
            rt_in_place_refuse("the kernel does not protect all of its memory");
    heat_known();
    dl_iterate_phdr(note_table, m);
}

int rt_image_look(void)
{
    /* For the kernel a page that is not there is written, too, as it is not protected. */
    static const struct scan written = {.mask = IS_PROTECTABLE | IS_WRITTEN,
                                        .any_of = IS_PRESENT | IS_SWAPPED,
                                        .returned = IS_WRITTEN};

    rt_engine->image.fresh = 0;
    return each(0, END_OF_MEMORY, written, note_written) ? rt_engine->image.fresh : -1;
}

static bool compare(uintptr_t low, uintptr_t high)
{
    for (uintptr_t page = low; page < high; page += RT_PAGE) {
        const uint64_t *now = (const uint64_t *)page;
        const uint64_t *then = (const uint64_t *)(const void *)copy_of(page);
        for (uint32_t i = 0; i < RT_PAGE / 8; i++)
            if (now[i] != (then ? then[i] : 0)) {
                rt_engine->image.different = page + i * 8ul;
                return false;
            }
    }
    return true;
}

uintptr_t rt_image_compare(void)
{
    struct rt_image *m = &rt_engine->image;

    static const struct scan there = {.mask = IS_PRESENT, .returned = IS_PRESENT};

    m->different = 0;
    for (uint32_t i = 0; i < m->mappings && !m->different; i++)
        if (is_image(&m->mapping[i]))
            each(m->mapping[i].low, m->mapping[i].high, there, compare);
    return m->different;
}
