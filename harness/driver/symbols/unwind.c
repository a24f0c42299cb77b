/* unwind.c - a stack slice that the runtime copied, unwound by call frame information.
 *
 * The program goes on while we look, so nothing is read from its memory: the slice gives the stack,
 * the files give the rest (tables and code do not change).
 */
#include <stdlib.h>
#include <string.h>

#include "symbol_inside.h"
#include "util/alloc.h"

#define FRAMES 128

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

static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *arg)
{
    struct symbols *s = arg;
    uint64_t low = s->slice.taken->registers.sp;
    if (s->slice.bytes >= sizeof *result && addr >= low &&
        addr - low <= s->slice.bytes - sizeof *result) {
        memcpy(result, s->slice.data + (addr - low), sizeof *result);
        return true;
    }
    return read_from_file(dwfl, addr, result);
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    struct symbols *s = arg;
    const struct hdp_registers *r = &s->slice.taken->registers;
    /* DWARF numbers of x86-64: 3 rbx, 6 rbp, 7 rsp, 12-15, 16 the return address. */
    const Dwarf_Word frame[2] = {r->kept[0], r->sp};
    const Dwarf_Word saved[5] = {r->kept[2], r->kept[3], r->kept[4], r->kept[5], r->pc};
    return dwfl_thread_state_registers(thread, 3, 1, &(Dwarf_Word){r->kept[1]}) &&
           dwfl_thread_state_registers(thread, 6, 2, frame) &&
           dwfl_thread_state_registers(thread, 12, 5, saved);
}

struct walk {
    uint64_t pc[FRAMES];
    bool is_return[FRAMES];
    size_t count;
};

static int on_frame(Dwfl_Frame *frame, void *arg)
{
    struct walk *w = arg;
    bool activation = false;
    if (w->count == FRAMES || !dwfl_frame_pc(frame, &w->pc[w->count], &activation))
        return DWARF_CB_ABORT;
    w->is_return[w->count++] = !activation;
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

/* Index of the frame of the user's call: what lies further in is a library on the way to us. */
static size_t outermost_call(const struct walk *w, uint64_t site)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->pc[i] == site)
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
    if (taken->form != HDP_STACK_SLICE || !s->dwfl || !attach(s))
        return;
    s->slice.taken = taken;
    s->slice.data = data;
    s->slice.bytes = bytes;
    struct walk *w = mem_zeroed(1, sizeof *w);
    dwfl_getthread_frames(s->dwfl, 1, on_frame, w);
    size_t from = to->count;
    for (size_t i = outermost_call(w, site); i < w->count; i++)
        symbols_frames(s, w->pc[i], w->is_return[i], to);
    stack_tidy(to, from);
    free(w);
}
