/* test_target.c - programs that cannot be controlled are refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "program/target.h"
#include "temporary.h"

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = temporary("heddle-target-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    return temporary_remove(folder);
}

static char *file(const char *name, const void *data, size_t bytes, mode_t mode)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fwrite(data, 1, bytes, out);
    fclose(out);
    chmod(path, mode);
    return path;
}

/* Our own program with some bytes changed. */
static char *altered(const char *name, size_t at, const void *data, size_t bytes, mode_t mode)
{
    FILE *in = fopen("/proc/self/exe", "r");
    char *all = malloc(16 << 20);
    size_t n = fread(all, 1, 16 << 20, in);
    fclose(in);
    memcpy(all + at, data, bytes);
    char *path = file(name, all, n, mode);
    free(all);
    return path;
}

static void refused(const char *program, const char *wanted)
{
    struct target t;
    char *why = target_open(program, &t);
    if (!why)
        fail_msg("%s was accepted", program);
    if (!strstr(why, wanted))
        fail_msg("\"%s\" does not say \"%s\"", why, wanted);
    free(why);
    target_free(&t);
}

static void good_programs(void **state)
{
    (void)state;
    struct target t;
    assert_null(target_open("/proc/self/exe", &t));
    assert_true(t.path[0] == '/' && strlen(t.build_id) >= 16);
    assert_false(t.tsan);
    target_free(&t);
    assert_null(target_open("sh", &t)); /* from PATH */
    target_free(&t);
}

static void wrong_files(void **state)
{
    (void)state;
    refused("", "empty");
    refused("/nonexistent/prog", "no such file");
    refused("no-such-program-anywhere", "no such program in PATH");
    refused("/tmp", "is a folder");
    refused("/dev/null", "is not a regular file");
    refused(file("plain", "hello", 5, 0644), "is not executable");
    refused(file("text", "hello", 5, 0755), "no ELF file");
    refused(file("void", "", 0, 0755), "no ELF file");
    refused(file("script", "#!/bin/sh -e\ntrue\n", 18, 0755), "is a script for /bin/sh: ");
    refused(file("half", "\177ELF\2\1\1", 7, 0755), "no ELF file");
}

static void wrong_machines(void **state)
{
    (void)state;
    const unsigned char class32[1] = {1}, arm64[2] = {183, 0}, object[2] = {1, 0}, core[2] = {4, 0};
    refused(altered("m32", 4, class32, 1, 0755), "is a 32-bit program");
    refused(altered("arm", 18, arm64, 2, 0755), "is a program for AArch64");
    refused(altered("obj", 16, object, 2, 0755), "is an object file");
    refused(altered("core", 16, core, 2, 0755), "is a core dump");
    refused(altered("suid", 0, "\177", 1, 04755), "is a set-user-ID program");
}

static void truncated_programs_never_crash_us(void **state)
{
    (void)state;
    static char all[4096];
    FILE *in = fopen("/proc/self/exe", "r");
    assert_int_equal(fread(all, 1, sizeof all, in), sizeof all);
    fclose(in);
    for (size_t n = 1; n < sizeof all; n += 61) {
        struct target t;
        char *why = target_open(file("cut", all, n, 0755), &t);
        free(why);
        target_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_programs),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(wrong_machines),
        cmocka_unit_test(truncated_programs_never_crash_us),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
