/* The checks of this folder: see check.h. */
#include "check.h"

static struct check *first, **last = &first;

void check_add(struct check *check)
{
    *last = check;
    last = &check->next;
}

_Noreturn void check_failed(const char *file, int line, const char *check, const char *condition)
{
    fprintf(stderr, "%s:%d: %s: not so: %s\n", file, line, check, condition);
    abort();
}

bool panics(void (*fn)(void *arg), void *arg, const char *message)
{
    hd_err err = hd_recover(fn, arg);
    bool as_said = err && strcmp(hd_err_message(err), message) == 0;

    if (err && !as_said)
        fprintf(stderr, "it panics with: %s\n", hd_err_message(err));
    hd_err_unref(err);
    return as_said;
}

struct attempt {
    void (*fn)(void *arg);
    void *arg;
    struct hd_atomic_bool returned;
};

static void try_it(void *arg)
{
    struct attempt *attempt = arg;

    hd_expect_leak();
    attempt->fn(attempt->arg);
    hd_bool_store(&attempt->returned, true);
}

bool blocks(void (*fn)(void *arg), void *arg)
{
    static struct attempt kept[64]; /* those that are blocked for ever look at them */
    static int used;
    struct attempt *attempt = &kept[used++];

    *attempt = (struct attempt){.fn = fn, .arg = arg};
    HD_GO(try_it, attempt);
    hd_sleep(5 * MS);
    return !hd_bool_load(&attempt->returned);
}

int times(int natively)
{
    return hdi_watchers & 1u ? 2 : hdi_watchers ? natively / 10 + 1 : natively;
}

/* chan of "…/chan.c" */
static bool is_in(const struct check *check, const char *file)
{
    const char *slash = strrchr(check->file, '/'), *base = slash ? slash + 1 : check->file;

    return strncmp(base, file, strlen(file)) == 0 && strcmp(base + strlen(file), ".c") == 0;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (const struct check *check = first; check; check = check->next)
        if ((argc < 2 || is_in(check, argv[1])) && (argc < 3 || !strcmp(check->name, argv[2]))) {
            check->run();
            count++;
        }
    printf("%d checks\n", count);
    return count == 0 ? 2 : 0;
}
