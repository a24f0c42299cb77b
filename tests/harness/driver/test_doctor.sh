#!/usr/bin/env bash
# heddle doctor in a sandbox that ends what tries userfaultfd: nothing is said to work that could not be tried.
# test_doctor.sh HEDDLE
set -u
heddle=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/sandbox.c" <<'END'
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(argv[1]), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog all = {sizeof code / sizeof *code, code};
    if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &all))
        return 77;
    execv(argv[2], argv + 2);
    return 77;
}
END
cc -o "$work/sandbox" "$work/sandbox.c" || exit 1
line() { grep 'schedules in place' "$work/out"; }
doctor() { "$@" "$heddle" doctor >"$work/out" 2>&1 || { echo 'FAILED: heddle doctor'; cat "$work/out"; exit 1; }; }
doctor env
plain=$(line)
doctor "$work/sandbox" 323 # userfaultfd
line | grep -q -- '--  schedules in place *not here: what tries it did not come to its end' || { echo "FAILED: $(line)"; exit 1; }
doctor "$work/sandbox" 32 # dup, which nothing here needs
[ "$(line)" = "$plain" ] || { echo "FAILED: $(line), without the sandbox $plain"; exit 1; }
