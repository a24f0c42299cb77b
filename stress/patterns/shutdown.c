/* shutdown.c - a real HTTP server on loopback, real requests in flight, a real SIGTERM. */
#include "suite/suite.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <heddle/errgroup.h>
#include <heddle/select.h>
#include <heddle/shutdown.h>
#include <heddle/waitgroup.h>

struct server {
    struct MHD_Daemon *daemon;
    uint16_t port;
    int64_t takes; /* each request */
    struct hd_context *ctx;
    struct hd_drain requests;
    struct hd_chan *queue;
    struct hd_wg clients;
    struct gauge begun, answered, refused;
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *bytes, void **state)
{
    struct server *s = arg;

    (void)url, (void)method, (void)version, (void)data, (void)bytes, (void)state;
    if (!hd_drain_enter(&s->requests))
        return respond(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "closing");
    gauge_enter(&s->begun);
    hd_sleep(s->takes);
    return respond(connection, MHD_HTTP_OK, "done");
}

/* The request is over, answered or not. */
static void completed(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode why)
{
    struct server *s = arg;
    const union MHD_ConnectionInfo *info;

    (void)state, (void)why;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    if (info && info->http_status == MHD_HTTP_OK)
        hd_drain_leave(&s->requests);
}

static struct server *server_new(int64_t takes)
{
    struct server *s = KEEP(struct server);
    const union MHD_DaemonInfo *info;
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    s->takes = span(takes);
    hd_drain_init(&s->requests);
    s->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, NULL,
        NULL, handle, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback,
        MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_END);
    assert(s->daemon && "the server could not listen on loopback");
    info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    s->port = info->port;
    return s;
}

/* Stop listening, let requests under way finish until ctx ends, then stop for good.  Go: Shutdown
 */
static hd_err server_shutdown(struct server *s, struct hd_context *ctx)
{
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    hd_err err = hd_drain_wait(&s->requests, ctx);

    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    MHD_stop_daemon(s->daemon);
    return err;
}

/* GET /; the status, 0 if the connection ended without an answer. Gives up when ctx ends. */
static int fetch(struct hd_context *ctx, uint16_t port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
    char answer[512];
    size_t used = 0;

    assert(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        write(fd, request, sizeof request - 1) == sizeof request - 1) {
        while (used + 1 < sizeof answer && hd_context_err(ctx) == NULL) {
            struct pollfd readable = {.fd = fd, .events = POLLIN};
            ssize_t n;
            if (poll(&readable, 1, span(HD_SECOND) == HD_SECOND ? 2000 : 1) == 0)
                continue;
            n = read(fd, answer + used, sizeof answer - 1 - used);
            if (n <= 0)
                break;
            used += (size_t)n;
        }
        answer[used] = '\0';
        if (sscanf(answer, "HTTP/1.1 %d", &status) != 1)
            status = 0;
    }
    close(fd);
    return status;
}

static void client(void *arg)
{
    struct server *s = arg;

    switch (fetch(hd_context_background(), s->port)) {
    case MHD_HTTP_OK:
        gauge_enter(&s->answered);
        break;
    default:
        gauge_enter(&s->refused);
    }
    hd_wg_done(&s->clients);
}

static void send_requests(struct server *s, int count)
{
    hd_wg_add(&s->clients, count);
    for (int i = 0; i < count; i++)
        GO(client, s);
    while (__atomic_load_n(&s->begun.now, __ATOMIC_RELAXED) == 0)
        hd_sleep(span(10 * HD_MILLISECOND));
}

/* RunServer and main of 000:11. */
void server_graceful_shutdown(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    int requests = draw(1, 3);
    struct server *s = server_new(2 * HD_SECOND);
    struct hd_context *stop;
    struct hd_notify *notify;

    started(hd_notify_start(&notify, hd_context_background(), signals, 2));
    send_requests(s, requests);
    kill(getpid(), SIGTERM);
    hd_chan_recv(hd_context_done(hd_notify_context(notify)), NULL);
    assert(hd_notify_signal(notify) == SIGTERM);
    stop = keep_context(hd_context_with_timeout(hd_context_background(), span(30 * HD_SECOND)));
    assert(server_shutdown(s, stop) == NULL && "graceful shutdown failed");
    hd_context_end(stop);
    hd_wg_wait(&s->clients);
    assert(s->answered.now == s->begun.now && "a request under way was not answered");
    assert(s->answered.now + s->refused.now == requests);
    hd_notify_stop(notify);
    hd_drain_destroy(&s->requests);
    all_gone();
}

/* The deadline of the shutdown passes first. */
void server_shutdown_out_of_time(void)
{
    struct server *s = server_new(60 * HD_SECOND);
    struct hd_context *stop;
    hd_err err;

    send_requests(s, 1);
    stop = keep_context(hd_context_with_timeout(hd_context_background(), span(30 * HD_SECOND)));
    err = server_shutdown(s, stop);
    assert(err == hd_deadline_exceeded);
    hd_context_end(stop);
    hd_wg_wait(&s->clients);
    all_gone();
}

/* 001:10: the request is given up when the context ends. */
void request_cancelled(void)
{
    struct server *s = server_new(20 * HD_SECOND);
    struct hd_context *ctx = keep_context(
        hd_context_with_timeout(hd_context_background(), span(draw(1, 2) * 5 * HD_SECOND)));
    int64_t start = hd_now();
    int status = fetch(ctx, s->port);

    if (span(HD_SECOND) == HD_SECOND)
        assert(status == 0 && hd_now() - start < 13 * HD_SECOND);
    hd_context_end(ctx);
    hd_err_unref(server_shutdown(s, hd_context_background()));
    all_gone();
}

/* 003:1: a server and a queue in one error group. */
static hd_err serve(void *arg)
{
    struct server *s = arg;
    struct hd_context *stop;
    hd_err err;

    hd_chan_recv(hd_context_done(s->ctx), NULL);
    stop = hd_context_with_timeout(hd_context_background(), span(30 * HD_SECOND));
    err = server_shutdown(s, stop);
    hd_context_end(stop);
    return err ? err : hd_context_err(s->ctx);
}

static hd_err process_queue(void *arg)
{
    struct server *s = arg;
    int item;

    while (HD_SELECT(HD_RECV(hd_context_done(s->ctx), NULL), HD_RECV(s->queue, &item)) == 1)
        if (item == 0)
            return hd_errorf(HD_ERR_USER, "bad item");
    return hd_context_err(s->ctx);
}

void server_in_group(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_errgroup *group = KEEP(struct hd_errgroup);
    struct server *s = server_new(HD_SECOND);
    bool fails = draw(0, 1);
    hd_err err;

    s->queue = CHAN(int, 0);
    s->ctx = keep_context(hd_errgroup_with_context(group, ctx));
    hd_errgroup_go(group, serve, s);
    hd_errgroup_go(group, process_queue, s);
    send_requests(s, 1);
    if (fails)
        hd_chan_send(s->queue, &(int){0});
    else
        hd_context_cancel(ctx);
    err = hd_errgroup_wait(group);
    assert(hd_err_code(err) == (fails ? HD_ERR_USER : HD_ERR_CANCELLED));
    hd_err_unref(err);
    hd_wg_wait(&s->clients);
    assert(s->answered.now == 1);
    hd_context_end(ctx);
    all_gone();
}
