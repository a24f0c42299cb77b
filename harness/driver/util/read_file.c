/* read_file.c - see read_file.h */
#include "read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"

#define MAPS_BOUND (64u << 20)

char *read_descriptor(int fd, size_t most, size_t *bytes)
{
    size_t room = 0;
    char *text = NULL;
    *bytes = 0;
    for (;;) {
        if (*bytes == room) {
            room = room ? room * 2 : 4096;
            text = mem_resize(text, room + 1);
        }
        size_t want = room - *bytes < most - *bytes ? room - *bytes : most - *bytes;
        ssize_t n = want ? read(fd, text + *bytes, want) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(text);
            return NULL;
        }
        if (n == 0)
            break;
        *bytes += (size_t)n;
    }
    text[*bytes] = '\0';
    return text;
}

char *read_file(const char *path, size_t most, size_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = read_descriptor(fd, most, bytes);
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

char *read_maps(pid_t pid)
{
    size_t bytes;
    char *path = mem_format("/proc/%d/maps", (int)pid), *text = read_file(path, MAPS_BOUND, &bytes);
    free(path);
    if (text && !bytes) { /* a process that has ended has an empty one */
        free(text);
        text = NULL;
    }
    return text;
}
