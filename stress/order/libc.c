/* What the C library reads and writes for the program: a call in one thread, and beside it another
 * thread that writes a byte which the call comes to. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "twin.h"

char buf[512] = "12 words, in a line\n", other[512] = "a text of some length";
wchar_t wide_buf[64] = L"wide";
int fds[2], number;
FILE *stream;
void *volatile sink;

static void *run_call(void *call)
{
    ((const struct variant *)call)->run();
    return NULL;
}

/* The byte at `p` is written beside the call, or behind it. */
static void beside(void (*call)(void), volatile void *p)
{
    struct variant v = {"", call};
    pthread_t t;

    pthread_create(&t, NULL, run_call, &v);
    if (!wrong)
        pthread_join(t, NULL);
    *(volatile char *)p = 'z';
    if (wrong)
        pthread_join(t, NULL);
}

static int by_byte(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* A variant: the call, and the byte that it accesses. */
#define CALLS(name, byte, ...)                                                                     \
    static void call_##name(void)                                                                  \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }                                                                                              \
    static void name##_(void)                                                                      \
    {                                                                                              \
        beside(call_##name, byte);                                                                 \
    }

static char *volatile at_buf = buf; /* not to be seen through */
static volatile size_t some = 6;

CALLS(strncpy, buf + 3, strncpy(at_buf, other, some))
CALLS(strncpy_padding, buf + 30, strncpy(at_buf, "short", some * 10))
CALLS(strncpy_reads, other + 3, strncpy(at_buf, other, some))
CALLS(stpcpy, buf + 2, sink = stpcpy(at_buf, other))
CALLS(strcat, buf + 20, strcat(at_buf, other))
CALLS(strncat, buf + 20, strncat(at_buf, other, some))
CALLS(strncmp, other + 1, number = strncmp(other, "a text", some))
CALLS(strcasecmp, other + 1, number = strcasecmp(other, "A TEXT"))
CALLS(strchr, other + 3, sink = strchr(other, 'x'))
CALLS(strrchr, other + 20, sink = strrchr(other, 'x'))
CALLS(strstr, other + 3, sink = strstr(other, "some"))
CALLS(strspn, other + 1, number = (int)strspn(other, " aetx"))
CALLS(strpbrk, other + 3, sink = strpbrk(other, "xyz"))
CALLS(strnlen, other + 3, number = (int)strnlen(other, some))
CALLS(strdup, other + 3, sink = strdup(other))
CALLS(strtok, buf + 2, sink = strtok(at_buf, " "))
CALLS(strtok_r, buf + 2, char *rest; sink = strtok_r(at_buf, " ", &rest))
CALLS(strsep, buf + 2, char *rest = at_buf; sink = strsep(&rest, " "))
CALLS(memchr, other + 3, sink = memchr(other, 'x', some))
CALLS(mempcpy, buf + 3, sink = mempcpy(at_buf, other, some))
CALLS(memmem, other + 3, sink = memmem(other, some * 3, "some", 4))
CALLS(qsort, buf + 3, qsort(at_buf, some, 1, by_byte))
CALLS(wcscpy, wide_buf + 1, wcscpy(wide_buf, L"other"))
CALLS(wcslen, wide_buf + 1, number = (int)wcslen(wide_buf))
CALLS(mbstowcs, wide_buf + 1, mbstowcs(wide_buf, "abc", 64))
CALLS(atoi, buf + 1, number = atoi(at_buf))
CALLS(strtol, buf + 1, number = (int)strtol(at_buf, NULL, 10))
CALLS(strtod, buf + 1, number = (int)strtod(at_buf, NULL))
CALLS(snprintf, buf + 1, snprintf(at_buf, sizeof buf, "%d", 42 + (int)some))
CALLS(snprintf_argument, other + 2, snprintf(at_buf, sizeof buf, "%5.*s|%d", 4, other, 7))
CALLS(sprintf, buf + 1, sprintf(at_buf, "%d", 42 + (int)some))
CALLS(asprintf, other + 2, char *made; number = asprintf(&made, "%s!", other))
CALLS(sscanf, buf + 1, sscanf("abc 7", "%3s", at_buf))
CALLS(sscanf_number, &number, sscanf("x 7", "%*s %d", &number))
CALLS(sscanf_reads, buf + 1, sscanf(at_buf, "%d", (int *)fds))
CALLS(fprintf, other + 2, fprintf(stream, "%s %d\n", other, 1))
CALLS(fputs, other + 2, fputs(other, stream))
CALLS(puts, other + 2, puts(other))
CALLS(fwrite, other + 2, fwrite(other, 1, some, stream))
CALLS(fread, buf + 2, fread(at_buf, 1, some, stream))
CALLS(fgets, buf + 2, sink = fgets(at_buf, sizeof buf, stream))
CALLS(fscanf, buf + 2, number = fscanf(stream, "%4c", at_buf))
CALLS(getline, &sink, char **line = (char **)&sink; size_t room = 0;
      number = (int)getline(line, &room, stream))
CALLS(read, buf + 2, number = (int)read(fds[0], at_buf, some))
CALLS(readv, buf + 2, struct iovec v[2] = {{other, 2}, {buf, 4}}; number = (int)readv(fds[0], v, 2))
CALLS(pread, buf + 2, number = (int)pread(fds[0], at_buf, some, 0))
CALLS(write, other + 2, number = (int)write(fds[1], other, some))
CALLS(writev, other + 2, struct iovec v[2] = {{buf, 2}, {other, 4}};
      number = (int)writev(fds[1], v, 2))
CALLS(send, other + 2, number = (int)send(fds[1], other, some, 0))
CALLS(recv, buf + 2, number = (int)recv(fds[0], at_buf, some, 0))
CALLS(recvmsg, buf + 2, struct iovec v = {buf, 4};
      struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1}; number = (int)recvmsg(fds[0], &m, 0))
CALLS(fstat, buf + 8, number = fstat(fds[0], (struct stat *)buf))
CALLS(uname, buf + 2, number = uname((struct utsname *)buf))
CALLS(getcwd, buf, sink = getcwd(at_buf, sizeof buf))
CALLS(gmtime_r, buf + 4, time_t t = (time_t)some; sink = gmtime_r(&t, (struct tm *)buf))
CALLS(localtime, localtime(&(time_t){0}), time_t t = (time_t)some; sink = localtime(&t))
CALLS(asctime_r, buf + 2, struct tm t = {.tm_mday = 1}; sink = asctime_r(&t, at_buf))
CALLS(strftime, buf + 2, struct tm t = {.tm_mday = 1};
      number = (int)strftime(at_buf, 64, "%Y-%m", &t))
CALLS(mktime, buf + 4, ((struct tm *)buf)->tm_mday = 1; number = (int)mktime((struct tm *)buf))
CALLS(inet_pton, buf + 2, number = inet_pton(AF_INET, "1.2.3.4", at_buf))
CALLS(inet_ntop, buf + 2, sink = (void *)inet_ntop(AF_INET, other, at_buf, 64))
CALLS(strerror_r, buf + 0, sink = strerror_r(4711, at_buf, 64))
/* setenv moves what getenv walks. */
static void *sets(void *arg)
{
    setenv("HEDDLE_ORDER", "1", 1);
    return arg;
}

static void getenv_beside_setenv(void)
{
    pthread_t t;

    pthread_create(&t, NULL, sets, NULL);
    if (!wrong)
        pthread_join(t, NULL);
    sink = getenv("HOME");
    if (wrong)
        pthread_join(t, NULL);
}

static void *tokens(void *text)
{
    sink = strtok(text, " ");
    return text;
}

/* Each its own text, and yet one state. */
static void strtok_twice(void)
{
    pthread_t t;

    pthread_create(&t, NULL, tokens, buf);
    if (!wrong)
        pthread_join(t, NULL);
    tokens(other);
    if (wrong)
        pthread_join(t, NULL);
}

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, name##_                                                                             \
    }

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        ROW(strncpy),
        ROW(strncpy_padding),
        ROW(strncpy_reads),
        ROW(stpcpy),
        ROW(strcat),
        ROW(strncat),
        ROW(strncmp),
        ROW(strcasecmp),
        ROW(strchr),
        ROW(strrchr),
        ROW(strstr),
        ROW(strspn),
        ROW(strpbrk),
        ROW(strnlen),
        ROW(strdup),
        ROW(strtok),
        ROW(strtok_r),
        ROW(strsep),
        ROW(memchr),
        ROW(mempcpy),
        ROW(memmem),
        ROW(qsort),
        ROW(wcscpy),
        ROW(wcslen),
        ROW(mbstowcs),
        ROW(atoi),
        ROW(strtol),
        ROW(strtod),
        ROW(snprintf),
        ROW(snprintf_argument),
        ROW(sprintf),
        ROW(asprintf),
        ROW(sscanf),
        ROW(sscanf_number),
        ROW(sscanf_reads),
        ROW(fprintf),
        ROW(fputs),
        ROW(puts),
        ROW(fwrite),
        ROW(fread),
        ROW(fgets),
        ROW(fscanf),
        ROW(getline),
        ROW(read),
        ROW(readv),
        ROW(pread),
        ROW(write),
        ROW(writev),
        ROW(send),
        ROW(recv),
        ROW(recvmsg),
        ROW(fstat),
        ROW(uname),
        ROW(getcwd),
        ROW(gmtime_r),
        ROW(localtime),
        ROW(asctime_r),
        ROW(strftime),
        ROW(mktime),
        ROW(inet_pton),
        ROW(inet_ntop),
        ROW(strerror_r),
        VARIANT(getenv_beside_setenv),
        VARIANT(strtok_twice),
    };

    if (argc == 3) { /* what they read from: a file for those that need one, else a socket */
        const char *name = argv[1];
        int file = strcmp(name, "pread") == 0 || strcmp(name, "fstat") == 0;
        stream = tmpfile();
        fputs("a line of text\nand another one\n", stream);
        rewind(stream);
        if (file)
            fds[0] = fileno(stream);
        else if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 &&
                 send(fds[1], "sixteen letters.", 16, 0) < 0)
            return 1;
    }
    return RUN_VARIANT(table, argc, argv);
}
