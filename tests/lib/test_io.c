/* Reading, writing, accepting, connecting: as POSIX has them, and by a goroutine that waits alone. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/heddle.h>

#include "rounds.h"
#include "spawn_test.h"

#define MANY 60

/* In a goroutine, so that it is a fibre where goroutines are. */
static void in_goroutine(void (*fn)(void *arg), void *arg)
{
    struct hd_wg wg = HD_WG_INIT;

    start_in(&wg, fn, arg);
    hd_wg_wait(&wg);
}

static __attribute__((noinline)) int the_errno(void)
{
    __asm__ volatile("" ::: "memory");
    return errno;
}

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* ---- one after the other ---- */

struct echo {
    int from, to;
};

static void echo_until_the_end(void *arg)
{
    const struct echo *echo = arg;
    char byte;

    while (hd_read(echo->from, &byte, 1) == 1)
        assert_int_equal(hd_write(echo->to, &byte, 1), 1);
    close(echo->to);
}

static void ask(void *arg)
{
    const struct echo *echo = arg;
    char byte;

    for (int i = 0; i < rounds(200); i++) {
        char sent = (char)i;
        assert_int_equal(hd_write(echo->to, &sent, 1), 1);
        assert_int_equal(hd_read(echo->from, &byte, 1), 1);
        assert_int_equal(byte, sent);
    }
    close(echo->to);
    assert_int_equal(hd_read(echo->from, &byte, 1), 0);
}

static void two_speak_through_pipes(void **state)
{
    int there[2], back[2];
    struct echo asks, answers;
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    assert_int_equal(pipe(there) | pipe(back), 0);
    asks = (struct echo){back[0], there[1]};
    answers = (struct echo){there[0], back[1]};
    start_in(&wg, echo_until_the_end, &answers);
    start_in(&wg, ask, &asks);
    hd_wg_wait(&wg);
    close(there[0]);
    close(back[0]);
}

/* ---- many at once ---- */

struct reader {
    int ends[2];
    char got;
};

static void read_one(void *arg)
{
    struct reader *reader = arg;

    assert_int_equal(hd_read(reader->ends[0], &reader->got, 1), 1);
}

static int threads_now(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[100];
    int threads = 0;

    while (fgets(line, sizeof line, status))
        (void)sscanf(line, "Threads: %d", &threads);
    fclose(status);
    return threads;
}

static bool are_fibres(void)
{
    const char *vehicle = getenv("HEDDLE_LIB");

    return vehicle && strcmp(vehicle, "fibres") == 0;
}

static void who_waits_for_a_descriptor_keeps_no_thread(void **state)
{
    struct reader readers[MANY];
    struct hd_wg wg = HD_WG_INIT;
    int many = rounds(MANY);

    (void)state;
    for (int i = 0; i < many; i++) {
        assert_int_equal(pipe(readers[i].ends), 0);
        start_in(&wg, read_one, &readers[i]);
    }
    hd_sleep(200 * HD_MILLISECOND);
    if (are_fibres())
        assert_true(threads_now() < sysconf(_SC_NPROCESSORS_ONLN) + MANY / 2);
    for (int i = many - 1; i >= 0; i--) {
        char byte = (char)(i + 1);
        assert_int_equal(write(readers[i].ends[1], &byte, 1), 1);
    }
    hd_wg_wait(&wg);
    for (int i = 0; i < many; i++) {
        assert_int_equal(readers[i].got, i + 1);
        close_both(readers[i].ends);
    }
}

static void many_read_one_descriptor(void **state)
{
    struct reader readers[MANY];
    struct hd_wg wg = HD_WG_INIT;
    int many = rounds(MANY), ends[2], sum = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < many; i++) {
        memcpy(readers[i].ends, ends, sizeof ends);
        start_in(&wg, read_one, &readers[i]);
    }
    for (int i = 0; i < many; i++) {
        char one = 1;
        assert_int_equal(write(ends[1], &one, 1), 1);
        if (i % 8 == 0)
            hd_sleep(HD_MILLISECOND);
    }
    hd_wg_wait(&wg);
    for (int i = 0; i < many; i++)
        sum += readers[i].got;
    assert_int_equal(sum, many);
    close_both(ends);
}

/* ---- more than goes in at once ---- */

#define MUCH ((size_t)1 << 20)

struct transfer {
    int ends[2];
    unsigned char *data;
    size_t bytes;
};

static void write_all(void *arg)
{
    const struct transfer *t = arg;

    assert_int_equal(hd_write(t->ends[1], t->data, t->bytes), t->bytes);
    close(t->ends[1]);
}

static void transfer(int ends[2])
{
    struct transfer t = {.ends = {ends[0], ends[1]}, .bytes = hdi_watchers & 1u ? 100000 : MUCH};
    struct hd_wg wg = HD_WG_INIT;
    unsigned char part[30000];
    size_t got = 0;
    ssize_t n;

    t.data = malloc(t.bytes);
    for (size_t i = 0; i < t.bytes; i++)
        t.data[i] = (unsigned char)(i * 7 >> 3);
    start_in(&wg, write_all, &t);
    while ((n = read(ends[0], part, sizeof part)) > 0) {
        assert_true(got + (size_t)n <= t.bytes);
        assert_memory_equal(part, t.data + got, (size_t)n);
        got += (size_t)n;
    }
    assert_int_equal(got, t.bytes);
    hd_wg_wait(&wg);
    close(ends[0]);
    free(t.data);
}

static void a_write_comes_back_when_all_is_written(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    transfer(ends);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    transfer(ends);
}

static volatile sig_atomic_t broken_pipes;

static void count_it(int number)
{
    (void)number;
    broken_pipes = broken_pipes + 1;
}

static void write_to_who_goes(void *arg)
{
    const struct transfer *t = arg;
    ssize_t n = hd_write(t->ends[1], t->data, t->bytes);

    assert_true(n > 0 && n < (ssize_t)t->bytes);
    assert_int_equal(broken_pipes, 0);
    assert_int_equal(hd_write(t->ends[1], t->data, t->bytes), -1);
    assert_int_equal(the_errno(), EPIPE);
    assert_int_equal(broken_pipes, 1);
}

/* What was written is told, and the signal is for a write of which nothing was. */
static void a_write_that_got_part_of_the_way_raises_no_signal(void **state)
{
    struct transfer t = {.bytes = MUCH};
    struct hd_wg wg = HD_WG_INIT;
    char byte;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, t.ends), 0);
    t.data = calloc(1, t.bytes);
    broken_pipes = 0;
    signal(SIGPIPE, count_it);
    start_in(&wg, write_to_who_goes, &t);
    assert_int_equal(read(t.ends[0], &byte, 1), 1);
    hd_sleep(50 * HD_MILLISECOND);
    close(t.ends[0]);
    hd_wg_wait(&wg);
    signal(SIGPIPE, SIG_DFL);
    close(t.ends[1]);
    free(t.data);
}

/* ---- what a descriptor is set to ---- */

static void read_without_waiting(void *fd)
{
    char byte;

    assert_int_equal(hd_read(*(int *)fd, &byte, 1), -1);
    assert_int_equal(the_errno(), EAGAIN);
}

static void write_until_full(void *fd)
{
    static const char data[100000];
    ssize_t n = hd_write(*(int *)fd, data, sizeof data);

    assert_true(n > 0 && n < (ssize_t)sizeof data);
    while (hd_write(*(int *)fd, data, 4096) > 0)
        ;
    assert_int_equal(the_errno(), EAGAIN);
}

static void who_may_not_wait_does_not(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    in_goroutine(read_without_waiting, &ends[0]);
    in_goroutine(write_until_full, &ends[1]);
    close_both(ends);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    in_goroutine(read_without_waiting, &ends[0]);
    close_both(ends);
}

static void a_time_limit_is_heeded(void **state)
{
    struct timeval limit = {.tv_usec = 20000};
    int64_t before = hd_now();
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    in_goroutine(read_without_waiting, &ends[0]);
    assert_true(hd_now() - before >= 19 * HD_MILLISECOND);
    close_both(ends);
}

static void fail_to_use(void *arg)
{
    int *ends = arg, file = open("/dev/null", O_RDWR | O_CLOEXEC);
    char byte = 1;

    assert_int_equal(hd_read(-1, &byte, 1), -1);
    assert_int_equal(the_errno(), EBADF);
    assert_int_equal(hd_write(ends[1], &byte, 1), -1);
    assert_int_equal(the_errno(), EPIPE);
    assert_int_equal(hd_accept(file, NULL, NULL), -1);
    assert_int_equal(the_errno(), ENOTSOCK);
    assert_int_equal(hd_read(file, &byte, 1), 0);
    assert_int_equal(hd_write(file, &byte, 1), 1);
    assert_int_equal(hd_write(file, &byte, 0), 0);
    close(file);
}

static void errors_are_those_of_posix(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    in_goroutine(fail_to_use, ends);
    close(ends[1]);
}

static void write_and_read_back(void *arg)
{
    char data[10000], back[10000];
    int file = fileno(arg);

    memset(data, 'x', sizeof data);
    assert_int_equal(hd_write(file, data, sizeof data), sizeof data);
    lseek(file, 0, SEEK_SET);
    assert_int_equal(hd_read(file, back, sizeof back), sizeof back);
    assert_memory_equal(data, back, sizeof back);
    assert_int_equal(hd_read(file, back, sizeof back), 0);
}

static void a_file_is_read_and_written(void **state)
{
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    in_goroutine(write_and_read_back, file);
    fclose(file);
}

/* ---- connections ---- */

struct server {
    int fd;
    struct sockaddr_in address;
};

static void serve_one(void *arg)
{
    const struct server *server = arg;
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int fd = hd_accept(server->fd, (struct sockaddr *)&peer, &length);
    char byte;

    assert_true(fd >= 0);
    assert_int_equal(peer.sin_family, AF_INET);
    assert_int_equal(hd_read(fd, &byte, 1), 1);
    byte++;
    assert_int_equal(hd_write(fd, &byte, 1), 1);
    close(fd);
}

static void ask_server(void *arg)
{
    const struct server *server = arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte = 7;

    assert_int_equal(
        hd_connect(fd, (const struct sockaddr *)&server->address, sizeof server->address), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(hd_write(fd, &byte, 1), 1);
    assert_int_equal(hd_read(fd, &byte, 1), 1);
    assert_int_equal(byte, 8);
    close(fd);
}

static void be_refused(void *arg)
{
    const struct server *server = arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(
        hd_connect(fd, (const struct sockaddr *)&server->address, sizeof server->address), -1);
    assert_int_equal(the_errno(), ECONNREFUSED);
    close(fd);
}

static void connections_are_made_and_refused(void **state)
{
    struct server server = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    socklen_t length = sizeof server.address;
    struct hd_wg wg = HD_WG_INIT;
    int many = rounds(20);

    (void)state;
    server.address.sin_family = AF_INET;
    server.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&server.address, length), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&server.address, &length), 0);
    assert_int_equal(listen(server.fd, 64), 0);
    for (int i = 0; i < many; i++)
        start_in(&wg, serve_one, &server);
    for (int i = 0; i < many; i++)
        start_in(&wg, ask_server, &server);
    hd_wg_wait(&wg);
    close(server.fd);
    in_goroutine(be_refused, &server);
}

static void be_refused_first(void *arg)
{
    const struct server *server = arg;
    const struct sockaddr *address = (const struct sockaddr *)&server->address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(hd_connect(fd, address, sizeof server->address), -1);
    assert_int_equal(the_errno(), ECONNREFUSED);
    assert_int_equal(listen(server->fd, 4), 0);
    assert_int_equal(hd_connect(fd, address, sizeof server->address), 0);
    assert_int_equal(hd_connect(fd, address, sizeof server->address), -1);
    assert_int_equal(the_errno(), EISCONN);
    close(fd);
}

static void a_refused_socket_can_be_connected_again(void **state)
{
    struct server server = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    socklen_t length = sizeof server.address;

    (void)state;
    server.address.sin_family = AF_INET;
    server.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&server.address, length), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&server.address, &length), 0);
    in_goroutine(be_refused_first, &server);
    close(server.fd);
}

static void connect_to_nothing(void *arg)
{
    int stream = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    const struct sockaddr *nowhere = arg;

    assert_int_equal(hd_connect(stream, nowhere, sizeof(struct sockaddr_in)), -1);
    assert_int_equal(the_errno(), EFAULT);
    assert_int_equal(hd_connect(datagrams, nowhere, sizeof(struct sockaddr_in)), -1);
    assert_int_equal(the_errno(), EFAULT);
    close(stream);
    close(datagrams);
}

static void an_address_that_is_none_is_an_error(void **state)
{
    (void)state;
    in_goroutine(connect_to_nothing, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_speak_through_pipes),
        cmocka_unit_test(who_waits_for_a_descriptor_keeps_no_thread),
        cmocka_unit_test(many_read_one_descriptor),
        cmocka_unit_test(a_write_comes_back_when_all_is_written),
        cmocka_unit_test(a_write_that_got_part_of_the_way_raises_no_signal),
        cmocka_unit_test(who_may_not_wait_does_not),
        cmocka_unit_test(a_time_limit_is_heeded),
        cmocka_unit_test(errors_are_those_of_posix),
        cmocka_unit_test(a_file_is_read_and_written),
        cmocka_unit_test(connections_are_made_and_refused),
        cmocka_unit_test(a_refused_socket_can_be_connected_again),
        cmocka_unit_test(an_address_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
