/* The program ends with a code that says failure: exit_code WHEN HOW TWIN. */
#include "case.h"

static atomic_int done;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int first;

static void *work(void *arg)
{
    done = 1;
    return arg;
}

static int code_always(void)
{
    finish(start(work, NULL));
    return done ? 7 : 0;
}

static void *comes(void *number)
{
    pthread_mutex_lock(&m);
    if (!first)
        first = *(int *)number;
    pthread_mutex_unlock(&m);
    return number;
}

static int race(int one, int other)
{
    int numbers[] = {1, 2};
    pthread_t t = start(comes, &numbers[0]), u = start(comes, &numbers[1]);

    finish(t);
    finish(u);
    return first == 1 ? one : other;
}

static int code_some(void)
{
    return race(0, 7);
}

/* Two ways to fail. */
static int code_either(void)
{
    return race(3, 7);
}

static const struct {
    const char *name;
    int (*code)(void);
} whens[] = {{"always", code_always}, {"some", code_some}, {"either", code_either}};

static int code;

static void *exits(void *arg)
{
    exit(code);
    return arg;
}

static void end_return(void)
{
}

static void end_exit(void)
{
    exit(code);
}

static void end_underscore(void)
{
    _exit(code);
}

static void end_quick_exit(void)
{
    quick_exit(code);
}

static void end_thread(void)
{
    finish(start(exits, NULL));
}

static const struct variant hows[] = {VARIANT(end, return ), VARIANT(end, exit),
                                      VARIANT(end, underscore), VARIANT(end, quick_exit),
                                      VARIANT(end, thread)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 2);
    code = -1;
    for (size_t i = 0; i < sizeof whens / sizeof *whens; i++)
        if (strcmp(whens[i].name, argv[1]) == 0)
            code = whens[i].code();
    if (code == -1)
        return 2;
    if (!wrong)
        code = 0;
    PICK(hows, argv[2])->run();
    return code;
}
