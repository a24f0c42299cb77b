/* misuse.c - the program that gave the logs of this folder: one mistake a word.
 *
 * clang-*.txt: clang 14 -g -O0 -fsanitize=thread, TSAN_OPTIONS=second_deadlock_stack=1; raw-*.txt:
 * the same with the options of tool_tsan.c; gcc-*.txt: gcc 12; *.xml: valgrind 3.19 of gcc -g -O0.
 * The folder in file names was replaced by /src.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
#include <errno.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       c = PTHREAD_MUTEX_INITIALIZER;
static void *ab(void *x)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    return x;
}
static void *ba(void *x)
{
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return x;
}
static void *bc(void *x)
{
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&c);
    pthread_mutex_unlock(&c);
    pthread_mutex_unlock(&b);
    return x;
}
static void *ca(void *x)
{
    pthread_mutex_lock(&c);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&c);
    return x;
}
static void seq(void *(*f)(void *))
{
    pthread_t t;
    pthread_create(&t, 0, f, 0);
    pthread_join(t, 0);
}
static void *nop(void *x)
{
    return x;
}
static void handler(int s)
{
    (void)s;
    free(malloc(10));
}
static void spoil(int s)
{
    (void)s;
    errno = 77;
}
static char *blk;
static void *touch(void *x)
{
    blk[1] = 1;
    return x;
}
static void *held(void *x)
{
    pthread_mutex_lock(&a);
    (*(int *)x)++;
    pthread_mutex_unlock(&a);
    return x;
}
static void *heldb(void *x)
{
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&c);
    (*(int *)x)++;
    pthread_mutex_unlock(&c);
    pthread_mutex_unlock(&b);
    return x;
}
int main(int n, char **v)
{
    const char *w = v[1];
    (void)n;
    if (!strcmp(w, "abba")) {
        seq(ab);
        seq(ba);
    }
    if (!strcmp(w, "three")) {
        seq(ab);
        seq(bc);
        seq(ca);
    }
    if (!strcmp(w, "leak")) {
        pthread_t t;
        pthread_create(&t, 0, nop, 0);
        pthread_setname_np(t, "worker bee");
        usleep(50000);
    }
    if (!strcmp(w, "unlock")) {
        pthread_mutex_unlock(&a);
    }
    if (!strcmp(w, "destroy")) {
        pthread_mutex_lock(&a);
        pthread_mutex_destroy(&a);
    }
    if (!strcmp(w, "invalid")) {
        pthread_mutex_t *m = malloc(sizeof *m);
        pthread_mutex_init(m, 0);
        pthread_mutex_lock(m);
        pthread_mutex_unlock(m);
        pthread_mutex_destroy(m);
        pthread_mutex_lock(m);
    }
    if (!strcmp(w, "rdunlock")) {
        pthread_rwlock_t r;
        pthread_rwlock_init(&r, 0);
        pthread_rwlock_rdlock(&r);
        pthread_rwlock_unlock(&r);
        pthread_rwlock_unlock(&r);
    }
    if (!strcmp(w, "signal")) {
        signal(SIGUSR1, handler);
        raise(SIGUSR1);
        kill(getpid(), SIGUSR1);
        usleep(1000);
    }
    if (!strcmp(w, "errno")) {
        signal(SIGUSR1, spoil);
        kill(getpid(), SIGUSR1);
        usleep(1000);
    }
    if (!strcmp(w, "uaf")) {
        blk = malloc(24);
        blk[0] = 1;
        free(blk);
        pthread_t t;
        pthread_create(&t, 0, touch, 0);
        pthread_join(t, 0);
    }
    if (!strcmp(w, "heap")) {
        int *x = malloc(40);
        pthread_t t, u;
        pthread_create(&t, 0, held, x + 2);
        pthread_create(&u, 0, heldb, x + 2);
        pthread_join(t, 0);
        pthread_join(u, 0);
    }
    if (!strcmp(w, "stack")) {
        int x = 0;
        pthread_t t, u;
        pthread_create(&t, 0, held, &x);
        pthread_create(&u, 0, heldb, &x);
        pthread_join(t, 0);
        pthread_join(u, 0);
        return x == 7;
    }
    if (!strcmp(w, "segv")) {
        *(volatile int *)8 = 1;
    }
    if (!strcmp(w, "abort")) {
        abort();
    }
    if (!strcmp(w, "fd")) {
        int p[2];
        pipe(p);
        pthread_t t;
        pthread_create(&t, 0, nop, 0);
        close(p[0]);
        pthread_join(t, 0);
    }
    if (!strcmp(w, "dbl")) {
        char *p = malloc(3);
        free(p);
        free(p);
    }
    if (!strcmp(w, "memcpy")) {
        static char d[64];
        extern void *cp(void *);
        pthread_t t;
        pthread_create(&t, 0, cp, d);
        memset(d, n, 64);
        pthread_join(t, 0);
    }
    return 0;
}
void *cp(void *x)
{
    char s[64];
    memset(s, *(volatile char *)"a", 64);
    memcpy(x, s, strlen(s) > 64 ? 64 : 40);
    return x;
}
