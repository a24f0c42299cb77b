/* sqlite_threads.c - threads that use SQLite as its manual allows, or (nomutex) as it forbids.
 *
 *   connections   two threads with a connection each to one database in memory: transactions
 *   cache         the same over a shared cache, with table locks instead of file locks
 *   serial        two threads with one connection, which is serialised by its mutex
 *   sort          one thread; CREATE INDEX sorts with two worker threads of SQLite's own
 *   nomutex       two threads with one connection opened with SQLITE_OPEN_NOMUTEX: forbidden
 *
 * Prints what the database holds at the end; every schedule must print the same.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define THREADS 2
#define ROUNDS 2

static const char *mode;
static sqlite3 *first; /* keeps the database in memory alive */

static bool is(const char *name)
{
    return strcmp(mode, name) == 0;
}

/* The end of a program that was told something unexpected. */
static void give_up(sqlite3 *db, const char *what)
{
    printf("%s: %s\n", what, sqlite3_errmsg(db));
    exit(2);
}

static sqlite3 *open_database(void)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    flags |= is("nomutex") ? SQLITE_OPEN_NOMUTEX : SQLITE_OPEN_FULLMUTEX;
    const char *name = is("cache")  ? "file:shared?mode=memory&cache=shared"
                       : is("sort") ? ""
                                    : "file:/shared?vfs=memdb";
    if (sqlite3_open_v2(name, &db, flags, NULL) != SQLITE_OK)
        give_up(db, "open");
    sqlite3_busy_timeout(db, 60000);
    return db;
}

/* A shared cache answers at once when a table is locked, whatever the time-out. */
static void run(sqlite3 *db, const char *sql)
{
    int code;
    do {
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
        if (code == SQLITE_LOCKED || code == SQLITE_BUSY)
            sqlite3_sleep(1);
    } while (code == SQLITE_LOCKED || code == SQLITE_BUSY);
    if (code != SQLITE_OK)
        give_up(db, sql);
}

static void *worker(void *name)
{
    bool own = is("connections") || is("cache");
    sqlite3 *db = own ? open_database() : first;
    char sql[160];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO log VALUES(%d, %d)", *(int *)name, i);
        if (own)
            run(db, "BEGIN IMMEDIATE");
        run(db, "UPDATE total SET n = n + 1");
        run(db, sql);
        if (own)
            run(db, "COMMIT");
    }
    if (own)
        sqlite3_close(db);
    return NULL;
}

static void *sorter(void *unused)
{
    sqlite3_limit(first, SQLITE_LIMIT_WORKER_THREADS, 2);
    run(first, "CREATE INDEX by_value ON log(b)");
    return unused;
}

static void prepare(void)
{
    first = open_database();
    run(first, "CREATE TABLE total(n); INSERT INTO total VALUES(0); CREATE TABLE log(a, b)");
    if (is("sort"))
        run(first, "PRAGMA cache_size = 1; WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                   "FROM c LIMIT 600) "
                   "INSERT INTO log SELECT i, printf('%08d%032d', i * 7919 % 601, i) FROM c");
}

static void print_row(const char *sql)
{
    sqlite3_stmt *query;
    if (sqlite3_prepare_v2(first, sql, -1, &query, NULL) != SQLITE_OK ||
        sqlite3_step(query) != SQLITE_ROW)
        give_up(first, sql);
    printf("%s\n", sqlite3_column_text(query, 0));
    sqlite3_finalize(query);
}

int main(int argc, char **argv)
{
    mode = argc > 1 ? argv[1] : "connections";
    sqlite3_config(SQLITE_CONFIG_PMASZ, 1); /* sort in small pieces */
    prepare();
    pthread_t thread[THREADS];
    int name[THREADS];
    int count = is("sort") ? 1 : THREADS;
    for (int i = 0; i < count; i++) {
        name[i] = i;
        pthread_create(&thread[i], NULL, is("sort") ? sorter : worker, &name[i]);
    }
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    print_row("SELECT n || ' ' || (SELECT count(*) FROM log) FROM total");
    if (is("sort"))
        print_row("SELECT group_concat(a) FROM (SELECT a FROM log INDEXED BY by_value WHERE b < "
                  "'00000010' ORDER BY b)");
    print_row("PRAGMA integrity_check");
    sqlite3_close(first);
}
