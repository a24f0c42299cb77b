/* once.c - one-time initialisation: a real SQLite database, a singleton, a client whose dial fails.
 */
#include "suite/suite.h"

#include <sqlite3.h>

#include <heddle/once.h>
#include <heddle/waitgroup.h>

/* 000:8 */
struct database {
    struct hd_once once;
    struct hd_wg wg;
    sqlite3 *conn;
    struct gauge opened;
    int visitors;
};

static void open_database(void *arg)
{
    struct database *d = arg;
    sqlite3 *conn;
    int opened;

    gauge_enter(&d->opened);
    /* no name: a private file, deleted by SQLite when it is closed */
    opened = sqlite3_open_v2(
        "", &conn, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
    d->conn = conn;
    if (opened != SQLITE_OK ||
        sqlite3_exec(d->conn, "CREATE TABLE visits (who INTEGER)", NULL, NULL, NULL) != SQLITE_OK)
        assert(false && "the database could not be opened"); /* log.Fatal */
}

static sqlite3 *get_database(struct database *d)
{
    hd_once_do(&d->once, open_database, d);
    return d->conn;
}

static int visits(sqlite3 *conn)
{
    sqlite3_stmt *statement;
    int count;

    assert(sqlite3_prepare_v2(conn, "SELECT count(*) FROM visits", -1, &statement, NULL) ==
           SQLITE_OK);
    assert(sqlite3_step(statement) == SQLITE_ROW);
    count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

static void visit(void *arg)
{
    struct database *d = arg;
    sqlite3 *conn = get_database(d);

    assert(sqlite3_exec(conn, "INSERT INTO visits VALUES (1)", NULL, NULL, NULL) == SQLITE_OK);
    assert(visits(conn) >= 1);
    hd_wg_done(&d->wg);
}

static struct database *visit_database(void (*visitor)(void *))
{
    struct database *d = KEEP(struct database);

    d->visitors = draw(2, 3);
    hd_wg_add(&d->wg, d->visitors);
    for (int i = 0; i < d->visitors; i++)
        GO(visitor, d);
    hd_wg_wait(&d->wg);
    return d;
}

void once_database(void)
{
    struct database *d = visit_database(visit);

    assert(d->opened.now == 1 && "opened more than once");
    assert(visits(d->conn) == d->visitors);
    sqlite3_close(d->conn);
    all_gone();
}

static void visit_unguarded(void *arg)
{
    struct database *d = arg;

    if (!d->conn)
        open_database(d);
    sqlite3_exec(d->conn, "INSERT INTO visits VALUES (1)", NULL, NULL, NULL);
    hd_wg_done(&d->wg);
}

void once_left_out(void)
{
    visit_database(visit_unguarded);
}

/* 001:13 */
struct singleton {
    int ready;
};

struct single {
    struct hd_once once;
    struct hd_wg wg;
    struct singleton *instance, *seen[4];
    struct gauge made;
    int next;
};

static void make_singleton(void *arg)
{
    struct single *s = arg;

    gauge_enter(&s->made);
    s->instance = KEEP(struct singleton);
    hd_go_yield();
    s->instance->ready = 1;
}

static void get_instance(void *arg)
{
    struct single *s = arg;

    hd_once_do(&s->once, make_singleton, s);
    assert(s->instance->ready == 1);
    hd_wg_done(&s->wg);
}

void once_singleton(void)
{
    struct single *s = KEEP(struct single);
    int callers = draw(1, 4);

    hd_wg_add(&s->wg, callers);
    for (int i = 0; i < callers; i++)
        GO(get_instance, s);
    hd_wg_wait(&s->wg);
    assert(s->made.now == 1);
    all_gone();
}

/* 003:7 */
struct conn {
    bool open;
};

struct client {
    struct hd_once init_once;
    struct conn *conn;
    hd_err init_err;
    struct hd_wg wg;
    bool unreachable;
    struct gauge dialled;
};

static void dial(void *arg)
{
    struct client *c = arg;

    gauge_enter(&c->dialled);
    hd_sleep(span(HD_SECOND));
    if (c->unreachable) {
        c->init_err = hd_errorf(HD_ERR_USER, "dial: unreachable");
        return;
    }
    c->conn = KEEP(struct conn);
    c->conn->open = true;
}

static struct conn *get_conn(struct client *c, hd_err *err)
{
    hd_once_do(&c->init_once, dial, c);
    *err = c->init_err;
    return c->conn;
}

static void use_client(void *arg)
{
    struct client *c = arg;
    hd_err err;
    struct conn *conn = get_conn(c, &err);

    assert(c->unreachable ? !conn && hd_err_code(err) == HD_ERR_USER : conn->open && !err);
    hd_wg_done(&c->wg);
}

void once_client_dials(void)
{
    struct client *c = KEEP(struct client);
    int users = draw(1, 4);
    int64_t start = hd_now();

    c->unreachable = draw(0, 1);
    hd_wg_add(&c->wg, users);
    for (int i = 0; i < users; i++)
        GO(use_client, c);
    hd_wg_wait(&c->wg);
    assert(c->dialled.now == 1 && hd_now() - start >= span(HD_SECOND));
    hd_err_unref(c->init_err);
    all_gone();
}

/* An error is as final as a value: who wants to try again must not use a once. */
static void use_client_twice(void *arg)
{
    struct client *c = arg;
    hd_err err;

    get_conn(c, &err);
    __atomic_store_n(&c->unreachable, false, __ATOMIC_SEQ_CST);
    assert(get_conn(c, &err) && "the network is back, but the error stays for ever");
    hd_wg_done(&c->wg);
}

void once_error_is_final(void)
{
    struct client *c = KEEP(struct client);

    c->unreachable = true;
    hd_wg_add(&c->wg, 1);
    GO(use_client_twice, c);
    hd_wg_wait(&c->wg);
    hd_err_unref(c->init_err);
}
