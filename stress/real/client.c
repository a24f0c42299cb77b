/* client.c - a client for a server under heddle: a thread in the server's own process, so that one
 * process is explored and each schedule has a client of its own. Loaded by LD_PRELOAD.
 *
 *   CLIENT_OF      the name of the server's program; in any other program nothing happens
 *   CLIENT_SOCKET  the Unix socket that the server listens on
 *   CLIENT_SCRIPT  a file: a line to send, a line that the answer must contain (empty: no answer), and so on
 *
 * When the script is done the server is sent SIGTERM. An answer that does not come: exit code 9.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what, const char *about)
{
    fprintf(stderr, "client: %s %s\n", what, about);
    _exit(9);
}

static int dial(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    for (useconds_t pause = 10000; pause < 900000000; pause += pause / 4) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd < 0)
            break;
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            return fd;
        close(fd);
        usleep(pause);
    }
    give_up("cannot connect to", path);
}

static void send_line(int fd, const char *line)
{
    char out[514];
    size_t n = (size_t)snprintf(out, sizeof out, "%s\r\n", line), at = 0;

    while (at < n) {
        ssize_t sent = write(fd, out + at, n - at);
        if (sent <= 0)
            give_up("cannot send", line);
        at += (size_t)sent;
    }
}

static void await_answer(int fd, const char *want)
{
    char got[8192];
    size_t n = 0;

    do {
        ssize_t more = read(fd, got + n, sizeof got - 1 - n);
        if (more <= 0)
            give_up("no answer with", want);
        n += (size_t)more;
        got[n] = '\0';
        if (strstr(got, "ERR"))
            give_up("the server said", got);
    } while (!strstr(got, want) || got[n - 1] != '\n');
}

static void *client(void *script)
{
    char line[512], want[512];
    FILE *from = fopen(script, "r");

    if (!from)
        give_up("cannot read", script);
    int fd = dial(getenv("CLIENT_SOCKET"));
    while (fgets(line, sizeof line, from) && fgets(want, sizeof want, from)) {
        line[strcspn(line, "\n")] = want[strcspn(want, "\n")] = '\0';
        send_line(fd, line);
        if (want[0])
            await_answer(fd, want);
    }
    fclose(from);
    close(fd);
    kill(getpid(), SIGTERM);
    return NULL;
}

__attribute__((constructor)) static void start(void)
{
    const char *of = getenv("CLIENT_OF");
    pthread_t thread;

    if (!of || strcmp(of, program_invocation_short_name) != 0)
        return;
    if (pthread_create(&thread, NULL, client, getenv("CLIENT_SCRIPT")))
        give_up("no thread", "");
    pthread_detach(thread);
}
