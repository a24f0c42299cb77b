/* unwind.c - a stack that was copied, unwound by call frame information.
 *
 * The program goes on while we look, so nothing is read from its memory: the copy gives the stack,
 * the files give the rest (tables and code do not change).
 */
#include <stdlib.h>
#include <string.h>

#include "symbol_inside.h"
#include "util/alloc.h"

#define FRAMES 128
/* DWARF numbers of x86-64: 3 rbx, 6 rbp, 7 rsp, 12-15, 16 the return address. */
#define STACK_POINTER 7
#define KEPT 0xf048u /* 3, 6, 12-15 */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
    (void)dwfl;
    if (*thread_arg)
        return 0;
    *thread_arg = arg;
    return 1;
}

static bool read_from_file(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result)
{
    Dwfl_Module *mod = dwfl_addrmodule(dwfl, addr);
    Dwarf_Addr bias;
    Elf_Scn *section = mod ? dwfl_module_address_section(mod, &addr, &bias) : NULL;
    GElf_Shdr head;
    if (!section || !gelf_getshdr(section, &head) || head.sh_flags & SHF_WRITE)
        return false;
    Elf_Data *data = elf_getdata(section, NULL);
    if (!data || !data->d_buf || data->d_size < sizeof *result ||
        addr > data->d_size - sizeof *result)
        return false;
    memcpy(result, (const char *)data->d_buf + addr, sizeof *result);
    return true;
}

bool symbols_code(struct symbols *s, uint64_t addr, uint64_t *word)
{
    return s->dwfl && read_from_file(s->dwfl, addr, word);
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *arg)
{
    const struct symbols_thread *t = ((const struct symbols *)arg)->unwound;
    uint64_t word;
    if (t->read(t->arg, addr, &word)) {
        *result = word;
        return true;
    }
    return read_from_file(dwfl, addr, result);
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    const struct symbols_thread *t = ((const struct symbols *)arg)->unwound;
    for (int i = 0; i < 17; i++)
        if (t->known & 1u << i && !dwfl_thread_state_registers(thread, i, 1, &t->reg[i]))
            return false;
    return true;
}

struct walk {
    struct symbols_place *place;
    size_t count, room;
};

static int on_frame(Dwfl_Frame *frame, void *arg)
{
    struct walk *w = arg;
    bool activation = false;
    if (w->count == w->room || !dwfl_frame_pc(frame, &w->place[w->count].pc, &activation))
        return DWARF_CB_ABORT;
    w->place[w->count].is_return = !activation;
    struct symbols_place *p = &w->place[w->count++];
    if (dwfl_frame_reg(frame, STACK_POINTER, &p->sp) != 0)
        p->sp = 0;
    p->known = 0;
    for (unsigned i = 0; i < 16; i++)
        if (KEPT >> i & 1 && dwfl_frame_reg(frame, i, &p->reg[i]) == 0)
            p->known |= 1u << i;
    return DWARF_CB_OK;
}

static bool attach(struct symbols *s)
{
    static const Dwfl_Thread_Callbacks calls = {.next_thread = next_thread,
                                                .memory_read = read_memory,
                                                .set_initial_registers = set_registers};
    if (!s->attached)
        s->attached = dwfl_attach_state(s->dwfl, NULL, 1, &calls, s);
    return s->attached;
}

size_t symbols_walk(struct symbols *s, const struct symbols_thread *thread,
                    struct symbols_place *place, size_t room)
{
    struct walk w = {place, 0, room};
    if (!s->dwfl || !attach(s))
        return 0;
    s->unwound = thread;
    dwfl_getthread_frames(s->dwfl, 1, on_frame, &w);
    return w.count;
}

void symbols_stack(struct symbols *s, const struct symbols_place *place, size_t count,
                   struct stack *to)
{
    size_t from = to->count;
    for (size_t i = 0; i < count; i++)
        symbols_frames(s, place[i].pc, place[i].is_return, to);
    stack_tidy(to, from);
}

/* What the runtime copied of a stack. */
struct slice {
    const unsigned char *data;
    size_t bytes;
    uint64_t low;
};

static bool read_slice(void *arg, uint64_t addr, uint64_t *word)
{
    const struct slice *s = arg;
    if (s->bytes < sizeof *word || addr < s->low || addr - s->low > s->bytes - sizeof *word)
        return false;
    memcpy(word, s->data + (addr - s->low), sizeof *word);
    return true;
}

/* Index of the frame of the user's call: what lies further in is a library on the way to us. */
static size_t outermost_call(const struct symbols_place *place, size_t count, uint64_t site)
{
    for (size_t i = 0; i < count; i++)
        if (place[i].pc == site)
            return i;
    return 0;
}

void symbols_unwind(struct symbols *s, const struct hdp_stack *taken, size_t available,
                    uint64_t site, struct stack *to)
{
    if (available < sizeof *taken)
        return;
    available -= sizeof *taken;
    size_t bytes = taken->bytes < available ? taken->bytes : available;
    const unsigned char *data = (const unsigned char *)(taken + 1);
    if (taken->form == HDP_STACK_PCS) {
        for (size_t i = 0; i < bytes / sizeof(uint64_t) && i < FRAMES; i++) {
            uint64_t pc;
            memcpy(&pc, data + i * sizeof pc, sizeof pc);
            symbols_frames(s, pc, true, to);
        }
        return;
    }
    if (taken->form != HDP_STACK_SLICE)
        return;
    const struct hdp_registers *r = &taken->registers;
    struct slice slice = {data, bytes, r->sp};
    struct symbols_thread thread = {.reg = {[3] = r->kept[1],
                                            [6] = r->kept[0],
                                            [STACK_POINTER] = r->sp,
                                            [12] = r->kept[2],
                                            [13] = r->kept[3],
                                            [14] = r->kept[4],
                                            [15] = r->kept[5],
                                            [16] = r->pc},
                                    .known = 1u << 3 | 1u << 6 | 1u << STACK_POINTER | 0x1fu << 12,
                                    .read = read_slice,
                                    .arg = &slice};
    struct symbols_place *place = mem_zeroed(FRAMES, sizeof *place);
    size_t count = symbols_walk(s, &thread, place, FRAMES);
    size_t from = outermost_call(place, count, site);
    symbols_stack(s, place + from, count - from, to);
    free(place);
}
