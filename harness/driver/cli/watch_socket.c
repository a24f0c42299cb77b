/* watch_socket.c - see watch_socket.h */
#include "watch_socket.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/read_file.h"

#define PATIENCE_S 10

static socklen_t name_of(pid_t program, struct sockaddr_un *name)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n =
        snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "heddle-watch-%d", (int)program);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static void be_patient(int fd, int option)
{
    struct timeval most = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, option, &most, sizeof most);
}

int watch_socket_listen(pid_t program)
{
    struct sockaddr_un name;
    socklen_t bytes = name_of(program, &name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&name, bytes) != 0 || listen(fd, 4) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool peer_of(int fd, struct ucred *peer)
{
    socklen_t bytes = sizeof *peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &bytes) == 0;
}

int watch_socket_accept(int listener)
{
    struct ucred peer;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || (peer_of(fd, &peer) && (peer.uid == 0 || peer.uid == geteuid())))
        return fd;
    close(fd);
    return -1;
}

struct answer {
    int connection;
    char *text;
};

static void *send_answer(void *arg)
{
    struct answer *a = arg;
    be_patient(a->connection, SO_SNDTIMEO);
    const char *at = a->text;
    for (size_t left = strlen(at); left;) {
        ssize_t n = send(a->connection, at, left, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
        left -= (size_t)n;
    }
    close(a->connection);
    free(a->text);
    free(a);
    return NULL;
}

void watch_socket_answer(int connection, char *text)
{
    struct answer *a = mem_zeroed(1, sizeof *a);
    pthread_t thread;
    *a = (struct answer){connection, text};
    if (pthread_create(&thread, NULL, send_answer, a) == 0) {
        pthread_detach(thread);
        return;
    }
    close(connection);
    free(text);
    free(a);
}

/* Anybody may have taken the name: only the program's parent follows it. */
static bool is_parent(pid_t who, pid_t program)
{
    size_t bytes;
    char *path = mem_format("/proc/%d/status", (int)program);
    char *status = read_file(path, 1u << 16, &bytes),
         *at = status ? strstr(status, "\nPPid:") : NULL;
    bool is = at && strtol(at + 6, NULL, 10) == who;
    free(path);
    free(status);
    return is;
}

/* Up to its end; NULL: it did not come in time. */
static char *read_answer(int fd)
{
    char *text = NULL, part[4096];
    size_t bytes = 0;
    ssize_t n;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    be_patient(fd, SO_RCVTIMEO);
    while ((n = recv(fd, part, sizeof part, 0)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            fwrite(part, 1, (size_t)n, out);
    fclose(out);
    if (n == 0 && bytes)
        return text;
    free(text);
    return NULL;
}

char *watch_socket_ask(pid_t program, char **why)
{
    struct sockaddr_un name;
    socklen_t bytes = name_of(program, &name);
    struct ucred peer;
    char *text = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *why = NULL;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&name, bytes) == 0 && peer_of(fd, &peer) &&
        is_parent(peer.pid, program)) {
        text = read_answer(fd);
        if (!text)
            *why = mem_format("heddle watch follows process %d, but did not give its dump "
                              "(another user's? stopped?)",
                              (int)program);
    }
    if (fd >= 0)
        close(fd);
    return text;
}
