/* running_stacks.c - where the threads of a running process are: for what hangs outside our
 * calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol_inside.h"
#include "util/alloc.h"
#include "util/read_file.h"

#define FRAMES 64
#define THREADS 256

struct look {
    struct symbols *symbols;
    pid_t pid;
    struct running_thread *list;
    size_t count;
};

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

static void read_name(pid_t pid, pid_t tid, char *name, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)pid, (int)tid);
    FILE *in = fopen(path, "re");
    name[0] = '\0';
    if (in && fgets(name, (int)bytes, in))
        name[strcspn(name, "\n")] = '\0';
    if (in)
        fclose(in);
}

static int on_thread(Dwfl_Thread *thread, void *arg)
{
    struct look *l = arg;
    struct walk *w = mem_zeroed(1, sizeof *w);
    if (l->count == THREADS) {
        free(w);
        return DWARF_CB_ABORT;
    }
    l->list = mem_grow(l->list, l->count, sizeof *l->list);
    struct running_thread *t = &l->list[l->count++];
    *t = (struct running_thread){.tid = dwfl_thread_tid(thread)};
    read_name(l->pid, t->tid, t->name, sizeof t->name);
    dwfl_thread_getframes(thread, on_frame, w);
    for (size_t i = 0; i < w->count; i++)
        symbols_frames(l->symbols, w->pc[i], w->is_return[i], &t->stack);
    stack_tidy(&t->stack, 0);
    free(w);
    return DWARF_CB_OK;
}

size_t running_stacks(pid_t pid, const char *runtime, struct running_thread **threads)
{
    struct look l = {.symbols = symbols_new(), .pid = pid};
    symbols_hide(l.symbols, runtime);
    char *maps = read_maps(pid);
    if (maps) {
        symbols_map(l.symbols, maps);
        if (l.symbols->dwfl && dwfl_linux_proc_attach(l.symbols->dwfl, pid, false) == 0)
            dwfl_getthreads(l.symbols->dwfl, on_thread, &l);
    }
    free(maps);
    symbols_free(l.symbols);
    *threads = l.list;
    return l.count;
}
