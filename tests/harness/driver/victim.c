/* victim.c - a program that misbehaves as its first argument says; the driver's tests run it. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *idle(void *arg)
{
    return arg;
}

static void one_thread(void)
{
    pthread_t t;
    pthread_create(&t, NULL, idle, NULL);
    pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    if (strcmp(how, "nothread") == 0) {
        fputs("usage: victim FILE\n", stderr);
        return 7;
    }
    if (strcmp(how, "early") == 0)
        abort();
    if (strcmp(how, "sleeper") == 0)
        sleep(100);
    printf("prefix\n");
    fflush(stdout);
    one_thread();
    if (strcmp(how, "crash") == 0)
        raise(SIGSEGV);
    if (strcmp(how, "asserts") == 0) {
        fputs("victim: victim.c:1: main: Assertion `held' failed.\n", stderr);
        abort();
    }
    if (strcmp(how, "hang") == 0)
        sleep(100);
    if (strcmp(how, "parent") == 0)
        kill(getppid(), SIGKILL);
    if (strcmp(how, "closer") == 0)
        for (int i = 0; i < 1024; i++)
            close(i);
    if (strcmp(how, "printer") == 0)
        for (;;)
            if (puts("a line that is printed again and again, until somebody stops it") < 0)
                break;
    if (strcmp(how, "forker") == 0) /* each child goes on as its parent does */
        for (;;)
            if (fork() < 0)
                pause();
    if (strcmp(how, "cloner") ==
        0) { /* past all that counts calls of fork(); bounded, should it fail */
        struct timespec second = {1, 0};
        for (int i = 0; i < 150; i++)
            if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
                for (;;)
                    pause();
        syscall(SYS_nanosleep, &second, NULL); /* of real time: for whoever counts them */
    }
    if (strcmp(how, "daemon") == 0 && fork() == 0) {
        setsid();
        sleep(100);
    }
    if (strcmp(how, "cat") == 0) {
        int c;
        while ((c = getchar()) != EOF)
            putchar(c);
    }
    if (strcmp(how, "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(how, "clock") == 0) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        printf("%ld\n", t.tv_nsec);
        return t.tv_nsec % 2 ? 5 : 0;
    }
    return 0;
}
