/* input.c - see input.h */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/complain.h"

#define INPUT_BOUND (1ll << 30)

static int keep(int from, char **why)
{
    char chunk[65536];
    long long total = 0;
    int to = memfd_create("heddle-stdin", MFD_CLOEXEC);
    if (to < 0) {
        *why = mem_format("standard input cannot be kept: %s", strerror(errno));
        return -1;
    }
    struct pollfd ready = {.fd = from, .events = POLLIN};
    if (poll(&ready, 1, 1000) == 0)
        complain("reading standard input; give < /dev/null if the program needs none");
    for (;;) {
        ssize_t n = read(from, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            break;
        total += n;
        if (n < 0 || total > INPUT_BOUND || write(to, chunk, (size_t)n) != n) {
            *why = n < 0 || total <= INPUT_BOUND
                       ? mem_format("standard input cannot be kept: %s", strerror(errno))
                       : mem_copy("standard input is larger than 1 GiB: give a file");
            close(to);
            return -1;
        }
    }
    if (total == 0) {
        close(to);
        return -1;
    }
    return to;
}

int input_open(char **why)
{
    struct stat st;
    *why = NULL;
    if (isatty(STDIN_FILENO) || fstat(STDIN_FILENO, &st) != 0 || S_ISCHR(st.st_mode))
        return -1;
    if (S_ISREG(st.st_mode)) {
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
        if (fd < 0)
            *why = mem_format("standard input cannot be kept: %s", strerror(errno));
        return fd;
    }
    return keep(STDIN_FILENO, why);
}

int input_open_file(const char *path, char **why)
{
    *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        *why = mem_format("%s, the recorded standard input: %s", path, strerror(errno));
    return fd;
}
