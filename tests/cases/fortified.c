/* A thread reads what another writes, by calls that the headers of an optimised and fortified build give other
 * names to: fortified CALL TWIN. In a wrong one nothing is written. */
#include "case.h"
#include <poll.h>
#include <sys/socket.h>

#define BYTES 16

static int ends[2];
static FILE *in, *out;
static char taken[BYTES];
static volatile size_t room =
    BYTES; /* not known before it runs: so the headers have it looked at */

static void fortified_read(void)
{
    assert(read(ends[0], taken, room) == 2);
}

static void fortified_recv(void)
{
    assert(recv(ends[0], taken, room, 0) == 2);
}

static void fortified_recvfrom(void)
{
    assert(recvfrom(ends[0], taken, room, 0, NULL, NULL) == 2);
}

static void fortified_poll(void)
{
    struct pollfd ready[2] = {{ends[0], POLLIN, 0}, {-1, 0, 0}};

    assert(poll(ready, room / BYTES, -1) == 1);
}

static void fortified_ppoll(void)
{
    struct pollfd ready[2] = {{ends[0], POLLIN, 0}, {-1, 0, 0}};

    assert(ppoll(ready, room / BYTES, NULL, NULL) == 1);
}

static void fortified_fgets(void)
{
    assert(fgets(taken, (int)room, in));
}

static void fortified_fgets_unlocked(void)
{
    assert(fgets_unlocked(taken, (int)room, in));
}

static void fortified_fread(void)
{
    assert(fread(taken, 1, room / 8, in) == 2);
}

static void fortified_fread_unlocked(void)
{
    assert((fread_unlocked)(taken, 1, room / 8, in) == 2);
}

static void fortified_getline(void)
{
    char *line = NULL;
    size_t bytes = 0;

    assert(getline(&line, &bytes, in) == 2);
    free(line);
}

static void fortified_getdelim(void)
{
    char *word = NULL;
    size_t bytes = 0;

    assert(getdelim(&word, &bytes, '\n', in) == 2);
    free(word);
}

static void fortified_getc_unlocked(void)
{
    assert(getc_unlocked(in) == '7');
}

static void fortified_fgetc_unlocked(void)
{
    assert(fgetc_unlocked(in) == '7');
}

static void fortified_fscanf(void)
{
    int n = 0;

    assert(fscanf(in, "%d", &n) == 1 && n == 7);
}

static void fortified_scanf(void)
{
    int n = 0;

    assert(scanf("%d", &n) == 1 && n == 7);
}

static void fortified_getchar(void)
{
    assert(getchar() == '7');
}

static void fortified_getchar_unlocked(void)
{
    assert(getchar_unlocked() == '7');
}

static const struct variant all[] = {
    VARIANT(fortified, read),
    VARIANT(fortified, recv),
    VARIANT(fortified, recvfrom),
    VARIANT(fortified, poll),
    VARIANT(fortified, ppoll),
    VARIANT(fortified, fgets),
    VARIANT(fortified, fgets_unlocked),
    VARIANT(fortified, fread),
    VARIANT(fortified, fread_unlocked),
    VARIANT(fortified, getline),
    VARIANT(fortified, getdelim),
    VARIANT(fortified, getc_unlocked),
    VARIANT(fortified, fgetc_unlocked),
    VARIANT(fortified, fscanf),
    VARIANT(fortified, scanf),
    VARIANT(fortified, getchar),
    VARIANT(fortified, getchar_unlocked),
};

static void give(void)
{
    if (wrong)
        return;
    fprintf(out, "%zu\n", room - BYTES + 7);
    fflush(out);
}

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 1);
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    assert(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    in = fdopen(ends[0], "r");
    out = fdopen(ends[1], "w");
    t = start(run, PICK(all, argv[1]));
    give();
    finish(t);
    return 0;
}
