/* cmd_doctor.c - heddle doctor: what works on this machine, what does not, how to mend it. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/userfaultfd.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "program/worker.h"
#include "selftest.h"
#include "util/alloc.h"
#include "util/exit_code.h"
#include "util/options.h"

/* What a check says. Only MISSING makes the command fail: without it nothing works. */
enum verdict { FINE, WEAKER, MISSING };

struct checkup {
    bool missing;
    bool bold;
};

static void say(struct checkup *c, enum verdict v, const char *what, const char *detail,
                const char *mend)
{
    static const char *const words[] = {"ok", "--", "NO"};
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    c->missing |= v == MISSING;
    printf("  %s%s%s  %-22s %s\n", c->bold ? colours[v] : "", words[v], c->bold ? "\033[0m" : "",
           what, detail);
    if (mend && v != FINE)
        printf("      %-22s to mend: %s\n", "", mend);
}

/* First line that a command prints, or NULL when it does not work. free() it. */
static char *first_line(const char *command)
{
    char *text = NULL;
    size_t room = 0;
    FILE *in = popen(command, "re");
    if (!in)
        return NULL;
    ssize_t n = getline(&text, &room, in);
    int status = pclose(in);
    if (n <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127) {
        free(text);
        return NULL;
    }
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static long number_in(const char *path)
{
    char text[64];
    long n = -1;
    FILE *in = fopen(path, "re");
    if (in && fgets(text, sizeof text, in))
        n = strtol(text, NULL, 10);
    if (in)
        fclose(in);
    return n;
}

static void check_machine(struct checkup *c)
{
    struct utsname u;
    char *text = uname(&u) == 0 ? mem_format("%s %s, %s", u.sysname, u.release, u.machine)
                                : mem_copy("unknown");
    say(c, strstr(text, "x86_64") ? FINE : MISSING, "machine", text,
        "Heddle controls x86-64 programs only");
    free(text);
    cpu_set_t set;
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    text = mem_format("%d usable", cpus);
    say(c, cpus > 0 && sched_setaffinity(0, sizeof set, &set) == 0 ? FINE : WEAKER, "CPUs", text,
        "pinning is not permitted here: schedules run slower");
    free(text);
}

static void check_runtime(struct checkup *c)
{
    char *runtime = runtime_find();
    say(c, runtime ? FINE : MISSING, "runtime library", runtime ? runtime : "not found",
        "install Heddle again, or say where libheddle-rt.so is with HEDDLE_RUNTIME=PATH");
    free(runtime);
    int fd = memfd_create("heddle-doctor", MFD_CLOEXEC);
    say(c, fd >= 0 ? FINE : MISSING, "memory files",
        fd >= 0 ? "memfd_create works" : strerror(errno),
        "a kernel from 3.17 on, and a sandbox that permits memfd_create");
    if (fd >= 0)
        close(fd);
}

static void check_addresses(struct checkup *c)
{
    int now = personality(0xffffffff);
    bool pinned = false;
    pid_t pid = fork();
    if (pid == 0)
        _exit(now != -1 && personality((unsigned)now | ADDR_NO_RANDOMIZE) != -1 ? 0 : 1);
    int status = 1;
    if (pid > 0 && waitpid(pid, &status, 0) == pid)
        pinned = status == 0;
    say(c, pinned ? FINE : WEAKER, "pinned addresses",
        pinned ? "address randomisation can be turned off"
               : "address randomisation cannot be turned off",
        "in a container: --security-opt seccomp=unconfined; programs whose behaviour depends on "
        "addresses may not replay without it");
    long bits = number_in("/proc/sys/vm/mmap_rnd_bits");
    char *text = bits < 0 ? mem_copy("unknown") : mem_format("vm.mmap_rnd_bits = %ld", bits);
    say(c, bits > 28 && !pinned ? WEAKER : FINE, "address entropy", text,
        "ThreadSanitizer of clang before 18 wants at most 28: sysctl vm.mmap_rnd_bits=28");
    free(text);
}

/* What the in-place engine needs of the kernel, tried in a child. */
static const char *lacks_for_in_place(void)
{
    struct uffdio_api api = {.api = UFFD_API, .features = 1ull << 15 | 1ull << 13};
    struct {
        uint64_t size, flags, start, end, walk_end, vec, vec_len, rest[5];
    } scan = {.size = sizeof scan, .start = 0, .end = 4096};
    char selector = 0;
    int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1);
    int pages = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    if (!(getauxval(AT_HWCAP2) & 2))
        return "FSGSBASE (Linux 5.9, not switched off)";
    if (prctl(59, 1, 0, 1, &selector) != 0) /* PR_SET_SYSCALL_USER_DISPATCH */
        return "syscall user dispatch (Linux 5.11)";
    if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) != 0)
        return "userfaultfd with asynchronous write protection (Linux 6.7, permitted by the "
               "sandbox)";
    if (pages < 0 || ioctl(pages, _IOC(_IOC_READ | _IOC_WRITE, 'f', 16, 96), &scan) < 0)
        return "PAGEMAP_SCAN (Linux 6.7)";
    return NULL;
}

static void check_in_place(struct checkup *c)
{
    char lacks[128] = "";
    int pipefd[2], status = 0;
    bool piped = pipe(pipefd) == 0;
    pid_t pid = piped ? fork() : -1;
    if (pid == 0) {
        const char *what = lacks_for_in_place();
        _exit(what && write(pipefd[1], what, strlen(what)) < 0);
    }
    if (piped)
        close(pipefd[1]);
    if (pid > 0) {
        ssize_t n = read(pipefd[0], lacks, sizeof lacks - 1);
        lacks[n > 0 ? n : 0] = '\0';
    }
    if (piped)
        close(pipefd[0]);
    bool tried = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    char *text = !tried     ? mem_copy("not here: what tries it did not come to its end")
                 : lacks[0] ? mem_format("not here: %s", lacks)
                            : mem_copy("--engine=in-place works with this kernel");
    say(c, tried && !lacks[0] ? FINE : WEAKER, "schedules in place", text,
        "the fork engine runs instead, and is slower");
    free(text);
}

static void check_debugger(struct checkup *c)
{
    char *gdb = first_line("gdb --version 2>/dev/null");
    say(c, gdb ? FINE : WEAKER, "gdb (replay --gdb)", gdb ? gdb : "not installed",
        "apt-get install gdb");
    free(gdb);
    long scope = number_in("/proc/sys/kernel/yama/ptrace_scope");
    char *text = scope < 0 ? mem_copy("not restricted") : mem_format("ptrace_scope = %ld", scope);
    bool diagnosable = scope <= 0 || (scope < 3 && geteuid() == 0);
    say(c, diagnosable ? FINE : WEAKER, "looking into processes", text,
        "for the stacks of schedules that hang: sysctl kernel.yama.ptrace_scope=0, or be root");
    free(text);
}

static void check_valgrind(struct checkup *c)
{
    char *version = first_line("valgrind --version 2>/dev/null");
    say(c, version ? FINE : WEAKER, "valgrind", version ? version : "not installed",
        "for helgrind and drd: apt-get install valgrind");
    if (version) {
        /* Valgrind replaces functions of the dynamic linker and needs their symbols. */
        char *trial = first_line("valgrind --tool=helgrind -q /bin/true 2>&1; echo done");
        bool works = trial && strcmp(trial, "done") == 0;
        say(c, works ? FINE : WEAKER, "valgrind's debug files",
            works   ? "helgrind starts"
            : trial ? trial
                    : "helgrind does not start",
            "apt-get install libc6-dbg");
        free(trial);
    }
    free(version);
}

static void check_clang(struct checkup *c)
{
    char *version = first_line("clang --version 2>/dev/null");
    say(c, version ? FINE : WEAKER, "clang", version ? version : "not installed",
        "for heddle-cc and ThreadSanitizer: apt-get install clang");
    if (version) {
        char *tsan = first_line("clang -print-file-name=libclang_rt.tsan-x86_64.a 2>/dev/null");
        char *other =
            first_line("clang --print-runtime-dir 2>/dev/null | sed 's|$|/libclang_rt.tsan.a|'");
        const char *found = tsan && access(tsan, R_OK) == 0     ? tsan
                            : other && access(other, R_OK) == 0 ? other
                                                                : NULL;
        say(c, found ? FINE : WEAKER, "ThreadSanitizer",
            found ? found : "clang has no runtime of it",
            "apt-get install libclang-rt-14-dev (the number is clang's)");
        free(tsan);
        free(other);
    }
    free(version);
    char *symbolizer = first_line("command -v llvm-symbolizer || ls /usr/lib/llvm-*/bin/"
                                  "llvm-symbolizer 2>/dev/null");
    say(c, symbolizer ? FINE : WEAKER, "llvm-symbolizer", symbolizer ? symbolizer : "not installed",
        "for lines in ThreadSanitizer's reports: apt-get install llvm");
    free(symbolizer);
}

enum { OPT_SELF_TEST = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != OPT_SELF_TEST)
        return ARGP_ERR_UNKNOWN;
    *(bool *)state->input = true;
    return 0;
}

int cmd_doctor(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"self-test", OPT_SELF_TEST, 0, 0,
         "Plant one bug of every kind and see that each check finds it", 0},
        {0},
    };
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .doc =
            "Say what works on this machine, what does not, and how to mend it."
            "\vExit codes: 0 Heddle works here (perhaps with less than all), 3 it does not; with "
            "--self-test 1 when a check that can work here is dead."};
    struct checkup c = {.bold = cli_bold()};
    bool planted = false;
    options_parse(&argp, "heddle doctor", argc, argv, 0, &planted);
    puts("What every schedule needs");
    check_runtime(&c);
    check_machine(&c);
    check_addresses(&c);
    puts("What some commands need");
    check_in_place(&c);
    check_debugger(&c);
    check_valgrind(&c);
    check_clang(&c);
    puts(c.missing ? "Heddle does not work here: see NO above." : "Heddle works here.");
    if (c.missing)
        return EXIT_CANNOT;
    return planted && !selftest(c.bold) ? EXIT_FOUND : EXIT_NOTHING;
}
