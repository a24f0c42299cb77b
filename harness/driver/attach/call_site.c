/* call_site.c - see call_site.h
 *
 * A word on the stack is taken for a return address if the instruction before it is a call, and what
 * that calls, directly or through the file's table of addresses, is a function known to wait. What
 * was left there by earlier calls looks the same: but the first from the stack pointer on is the
 * call that has not returned, unless a function in between left room that it did not write to.
 */
#include "call_site.h"

#include <stdlib.h>
#include <string.h>

#include "waits.h"

#define WORDS_MOST 512u
#define LONGEST_CALL 6u

static bool waits(const char *name)
{
    static const char *const calls[] = {"sleep",   "usleep",      "nanosleep",   "clock_nanosleep",
                                        "pause",   "poll",        "select",      "epoll_wait",
                                        "read",    "accept",      "recv",        "waitpid",
                                        "sigwait", "epoll_pwait", "sigwaitinfo", "recvfrom"};
    if (wait_function(name) != HD_EV_NONE)
        return true;
    name += strspn(name, "_");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(name, calls[i]) == 0)
            return true;
    return false;
}

static bool code_at(struct view *v, uint64_t addr, unsigned char *to, size_t bytes)
{
    uint64_t word;
    if (!symbols_code(v->symbols, addr, &word))
        return false;
    memcpy(to, &word, bytes);
    return true;
}

/* Where "displacement(%rip)" behind `next` points. */
static uint64_t relative(const unsigned char *displacement, uint64_t next)
{
    int32_t by;
    memcpy(&by, displacement, sizeof by);
    return next + (uint64_t)(int64_t)by;
}

static uint64_t address_in(const struct view *v, uint64_t slot)
{
    uint64_t to;
    return snapshot_read(v->s, slot, &to, sizeof to) ? to : 0;
}

/* The stub of a function in another file: endbr64, then jmp *slot(%rip). */
static uint64_t behind_stub(struct view *v, uint64_t addr)
{
    static const unsigned char endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
    unsigned char code[8];
    if (!code_at(v, addr, code, 8))
        return addr;
    if (memcmp(code, endbr, sizeof endbr) == 0) {
        addr += sizeof endbr;
        if (!code_at(v, addr, code, 8))
            return addr;
    }
    if (code[0] == 0xf2) { /* bnd */
        addr++;
        if (!code_at(v, addr, code, 8))
            return addr;
    }
    if (code[0] != 0xff || code[1] != 0x25)
        return addr;
    return address_in(v, relative(code + 2, addr + 6));
}

/* What the call before a return address calls; 0: there is none, or it cannot be told. */
static uint64_t called(struct view *v, uint64_t returns)
{
    unsigned char code[LONGEST_CALL];
    if (!symbols_know(v->symbols, returns) ||
        !code_at(v, returns - LONGEST_CALL, code, sizeof code))
        return 0;
    if (code[1] == 0xe8)
        return behind_stub(v, relative(code + 2, returns));
    if (code[0] == 0xff && code[1] == 0x15)
        return address_in(v, relative(code + 2, returns));
    return 0;
}

bool call_site_find(struct view *v, uint64_t sp, uint64_t *function, uint64_t *returns,
                    uint64_t *at)
{
    for (*at = sp; *at < sp + (uint64_t)WORDS_MOST * 8; *at += 8) {
        if (!snapshot_kept(v->s, *at, returns, sizeof *returns))
            return false;
        *function = called(v, *returns);
        char *name = *function ? symbols_function(v->symbols, *function) : NULL;
        char *by = name ? symbols_function(v->symbols, *returns - 1) : NULL;
        bool found = name && waits(name) && !(by && waits(by));
        free(name);
        free(by);
        if (found)
            return true;
    }
    return false;
}
