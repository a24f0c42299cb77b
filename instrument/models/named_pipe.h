/* named_pipe.h - the opening of a named pipe, which waits for the other end to be opened.
 *
 * Who comes first waits in the kernel, outside of control. Who opens the other end finds it there:
 * both come back, and in one order, not as the kernel has it.
 *
 *   threads    any, with the turn
 *   ownership  nothing is kept behind the end
 */
#ifndef HEDDLE_NAMED_PIPE_H
#define HEDDLE_NAMED_PIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hdi_named_pipe {
    enum { HDI_NOT_NAMED_PIPE, HDI_OPENED_FIRST, HDI_OPENED_SECOND } how;
    dev_t device;
    ino_t file;
    bool reads;
    uint32_t at; /* in the table of those that wait */
};

/* Around a call that opens `name`, relative to the descriptor `at`, with the flags of open(). errno is
 * kept. */
void hdi_named_pipe_begin(struct hdi_named_pipe *p, int at, const char *name, int flags,
                          uint64_t site);
void hdi_named_pipe_end(const struct hdi_named_pipe *p);

#endif /* HEDDLE_NAMED_PIPE_H */
