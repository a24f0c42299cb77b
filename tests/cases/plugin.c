/* Threads that are made in the middle of something: plugin WHERE TWIN. A wrong one fails after that. */
#include "case.h"
#include <dlfcn.h>
#include <link.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void *work(void *arg)
{
    pthread_mutex_lock(&lock);
    done++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static int count_modules(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)info;
    (void)size;
    ++*(int *)count;
    return 0;
}

/* Wants the dynamic linker's locks, which main has as it makes this thread. */
static void *looks_at_modules(void *arg)
{
    int modules = 0;

    dl_iterate_phdr(count_modules, &modules);
    assert(modules > 1);
    return work(arg);
}

/* By the plugin's own constructor; its destructor joins it. */
static void made_constructor(void)
{
    void *plugin = dlopen("$ORIGIN/plugin_thread.so", RTLD_NOW);

    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    assert(dlclose(plugin) == 0);
    done = 1;
}

static void *loads(void *arg)
{
    made_constructor();
    return arg;
}

static void made_constructor_in_thread(void)
{
    finish(start(loads, NULL));
}

/* By nobody in particular: the plugin makes none, and is loaded by two threads. */
static void *loads_quiet(void *arg)
{
    void *quiet = dlopen("$ORIGIN/plugin_quiet.so", RTLD_NOW);
    int *answer = dlsym(quiet, "plugin_answer");

    assert(answer && *answer == 42);
    dlclose(quiet);
    return arg;
}

static void made_before_load(void)
{
    pthread_t t = start(loads_quiet, NULL), u = start(loads_quiet, NULL);

    finish(t);
    finish(u);
    done = 1;
}

static pthread_t made;

static int makes(struct dl_phdr_info *info, size_t size, void *body)
{
    (void)info;
    (void)size;
    made = start((void *(*)(void *))(uintptr_t)body, NULL);
    return 1;
}

static int makes_and_joins(struct dl_phdr_info *info, size_t size, void *body)
{
    makes(info, size, body);
    finish(made);
    return 1;
}

/* By a function that the dynamic linker calls. */
static void made_iterate(void)
{
    dl_iterate_phdr(makes, (void *)(uintptr_t)looks_at_modules);
    finish(made);
}

static void made_iterate_join(void)
{
    dl_iterate_phdr(makes_and_joins, (void *)(uintptr_t)work);
}

/* By a stream's own function, under the lock of the stream. */
static ssize_t makes_one(void *stream, const char *bytes, size_t n)
{
    (void)stream;
    (void)bytes;
    if (!made)
        made = start(work, NULL);
    return (ssize_t)n;
}

static void made_stdio(void)
{
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = makes_one});

    setvbuf(stream, NULL, _IONBF, 0);
    assert(fputs("a", stream) >= 0);
    finish(made);
    assert(fclose(stream) == 0);
}

static void made_flockfile(void)
{
    flockfile(stdout);
    finish(start(work, NULL));
    funlockfile(stdout);
    puts("end");
}

/* By a function that libc calls. */
static int compare(const void *a, const void *b)
{
    finish(start(work, NULL));
    return *(const int *)a - *(const int *)b;
}

static void made_sorting(void)
{
    int numbers[] = {2, 1};

    qsort(numbers, 2, sizeof *numbers, compare);
    assert(numbers[0] == 1);
}

static void makes_once(void)
{
    finish(start(work, NULL));
}

static void made_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, makes_once);
}

/* After main. */
static void made_at_exit(void)
{
    atexit(makes_once);
    done = 1;
    if (!wrong)
        exit(0);
}

/* By a constructor of the program: before main. */
__attribute__((constructor)) static void before_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "program") == 0)
        made = start(work, NULL);
}

static void made_program(void)
{
    finish(made);
}

static const struct variant mades[] = {
    VARIANT(made, constructor),  VARIANT(made, constructor_in_thread),
    VARIANT(made, before_load),  VARIANT(made, iterate),
    VARIANT(made, iterate_join), VARIANT(made, stdio),
    VARIANT(made, flockfile),    VARIANT(made, sorting),
    VARIANT(made, once),         VARIANT(made, at_exit),
    VARIANT(made, program)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(mades, argv[1])->run();
    assert(done == 1);
    if (wrong)
        abort();
    return 0;
}
