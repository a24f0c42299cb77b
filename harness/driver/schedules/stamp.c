/* stamp.c - see stamp.h */
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/whole_file.h"

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], int count)
{
    while (count--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    size_t left = bytes;

    for (;;) {
        uint64_t word = 0;
        size_t n = left < 8 ? left : 8;
        for (size_t i = 0; i < n; i++)
            word |= (uint64_t)at[i] << 8 * i;
        if (n < 8)
            word |= (uint64_t)(bytes & 0xff) << 56;
        v[3] ^= word;
        rounds(v, 2);
        v[0] ^= word;
        if (n < 8)
            break;
        at += 8;
        left -= 8;
    }
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* "~/.local/state/heddle", made when it is not there; a descriptor or -1. */
static int state_folder(bool make)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = base && *base == '/'   ? mem_format("%s/heddle", base)
                 : home && *home == '/' ? mem_format("%s/.local/state/heddle", home)
                                        : NULL;
    int fd = -1;

    for (char *slash = path ? strchr(path + 1, '/') : NULL; make && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    if (path && make)
        mkdir(path, 0700);
    if (path)
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(path);
    return fd;
}

static bool read_key(int folder, struct stamp_key *key)
{
    struct stat st;
    int fd = openat(folder, "key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    bool fine = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
                !(st.st_mode & 077) &&
                read(fd, key->half, sizeof key->half) == (ssize_t)sizeof key->half;

    if (fd >= 0)
        close(fd);
    return fine;
}

struct stamp_key stamp_key(bool make)
{
    struct stamp_key key = {.known = false};
    int folder = state_folder(make);

    if (folder < 0)
        return key;
    key.known = read_key(folder, &key);
    if (!key.known && make && getrandom(key.half, sizeof key.half, 0) == (ssize_t)sizeof key.half) {
        int error = whole_file_write(folder, "key", 0600, false, key.half, sizeof key.half);
        key.known = error == 0 || (error == EEXIST && read_key(folder, &key));
    }
    close(folder);
    return key;
}

/* A home may be on several machines, which do not run each other's programs. */
static uint64_t machine(const uint64_t key[2])
{
    char id[64];
    int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, id, sizeof id) : 0;

    if (fd >= 0)
        close(fd);
    return siphash(key, id, n > 0 ? (size_t)n : 0);
}

uint64_t stamp(const struct stamp_key *key, const char *text, size_t bytes)
{
    const uint64_t half[2] = {key->half[0], key->half[1] ^ machine(key->half)};
    uint64_t h = siphash(half, text, bytes);

    return h ? h : 1;
}
