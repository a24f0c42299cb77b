/* symbol.h - addresses of the program under test, in words: functions, lines, variables.
 *
 * Works from the text of /proc/PID/maps and the files that it names (libdwfl finds separate debug
 * files by build id and debug link, and debuginfod if the user has set it up).
 *
 *   addresses  those of the process whose map was given last by symbols_map()
 *   ownership  results are the caller's to free unless said otherwise
 *   errors     what cannot be resolved is left out, or given as module and offset
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_SYMBOL_H
#define HEDDLE_DRIVER_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stack.h"
#include "wire/protocol.h"

struct symbols;

/* File name without folder. Points into path. */
const char *base_name(const char *path);

struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);
/* Frames in this file are ours and never shown, as those of libheddle-test.so; borrowed. */
void symbols_hide(struct symbols *s, const char *runtime);

/* The files of the map lie below this folder: the root of another mount namespace; but for those
 * below /proc, which are ours. Borrowed. */
void symbols_root(struct symbols *s, const char *root);

/* Take over a memory map. Costs nothing when the same files lie at the same addresses as before. */
void symbols_map(struct symbols *s, const char *maps);

/* Append the frames of one place: inlined functions first. A return address names the call before
 * it. Our own code and the start-up code of libc give no frame, nor do the insides of the C++
 * library and of abort() where the user's own code is there to be shown. */
void symbols_frames(struct symbols *s, uint64_t pc, bool is_return, struct stack *to);
/* The same with the insides of the C++ library. */
void symbols_frames_all(struct symbols *s, uint64_t pc, bool is_return, struct stack *to);
/* Append the frames of a stack that the runtime took, from the one on that returns to `site` if
 * there is one; `available` bytes from `taken` on are mapped.
 */
void symbols_unwind(struct symbols *s, const struct hdp_stack *taken, size_t available,
                    uint64_t site, struct stack *to);

/* A thread that stands still: its registers as DWARF numbers them, those whose bit is set in `known`,
 * and its memory. */
struct symbols_thread {
    uint64_t reg[17];
    uint32_t known;
    bool (*read)(void *arg, uint64_t addr, uint64_t *word);
    void *arg;
};

/* One of its frames. sp: the stack pointer there, 0 = unknown; registers as above, those that
 * calls keep. */
struct symbols_place {
    uint64_t pc, sp;
    bool is_return;
    uint32_t known;
    uint64_t reg[16];
};

/* Its frames, innermost first; returns how many. What the thread's memory does not give is taken
 * from the files. And the same in words, appended. */
size_t symbols_walk(struct symbols *s, const struct symbols_thread *thread,
                    struct symbols_place *place, size_t room);
void symbols_stack(struct symbols *s, const struct symbols_place *place, size_t count,
                   struct stack *to);

/* 8 bytes of code, or of what else never changes, from the files. */
bool symbols_code(struct symbols *s, uint64_t addr, uint64_t *word);

/* What lies at an address, by the variables of a frame: "account.lock", when one of them is a struct
 * of that name, or points to one, that the address lies in. `above`: the frame that it returns to.
 * NULL = none is known. */
char *symbols_member(struct symbols *s, const struct symbols_thread *thread,
                     const struct symbols_place *place, const struct symbols_place *above,
                     uint64_t addr);

/* The global variable at an address: "table.lock", "forks[2]"; NULL = none known. */
char *symbols_variable(struct symbols *s, uint64_t addr);
/* A number of that variable, whichever part of it is there; the same wherever the file is loaded, and another one for
 * each of those that have one name. 0 = none known. */
uint64_t symbols_variable_number(struct symbols *s, uint64_t addr);
/* The address of a name; 0 = no such variable. */
uint64_t symbols_variable_address(struct symbols *s, const char *name);
/* The function at an address, demangled; NULL = unknown. */
char *symbols_function(struct symbols *s, uint64_t addr);

/* The file that holds an address, without its folder, or NULL; borrowed. */
const char *symbols_module(struct symbols *s, uint64_t addr);
/* Names of the files that are not those that were mapped, as their build ids say; NULL: none. read:
 * the memory of the process. */
char *symbols_replaced(struct symbols *s,
                       bool (*read)(void *arg, uint64_t addr, void *to, size_t bytes), void *arg);

/* A site as a schedule file names it: "prog!transfer+0x2a", or "prog+0x11c4" without symbols;
 * blanks are written %20. NULL for address 0 and addresses outside all files. And back: 0 = no such
 * place. */
char *symbols_site(struct symbols *s, uint64_t addr);
uint64_t symbols_address(struct symbols *s, const char *site);
/* Sites that name the file `from` mean the file `to`: another build of it; borrowed. */
void symbols_alias(struct symbols *s, const char *from, const char *to);
/* A number that is the same wherever the file is loaded. */
uint64_t symbols_stable(struct symbols *s, uint64_t addr);
/* Is the address in a file of the map that was given last? */
bool symbols_know(struct symbols *s, uint64_t addr);

/* A thread of a process that runs. */
struct running_thread {
    pid_t tid;
    char name[32];
    struct stack stack;
};

/* The stacks of all threads of a process, which is stopped for as long as that takes. Needs the
 * right to trace it; without, nothing is returned. Release each stack and the array. `runtime` as
 * in symbols_hide(). */
size_t running_stacks(pid_t pid, const char *runtime, struct running_thread **threads);

#endif /* HEDDLE_DRIVER_SYMBOL_H */
