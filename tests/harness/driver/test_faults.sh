#!/bin/bash
# test_faults.sh HEDDLE CASES - what heddle run --faults says besides its findings, and what it does not go with.
heddle=$1 cases=$2
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

run() { # OPTION... -- PROGRAM...: into out, $code
    rm -rf out_dir
    timeout 60 "$heddle" run -q -j 1 -o out_dir "$@" >out 2>&1 </dev/null
    code=$?
}

says() { # PATTERN (grep -E)
    grep -Eq -- "$1" out || { echo "FAILED: nowhere /$1/"; sed 's/^/    /' out; failed=1; }
}

never() { # PATTERN
    ! grep -E -- "$1" out || { echo "FAILED: there is /$1/"; sed 's/^/    /' out; failed=1; }
}

ends() { # CODE
    [ $code -eq "$1" ] || { echo "FAILED: exit code $code, not $1"; sed 's/^/    /' out; failed=1; }
}

# Each point is tried, and counted once.
run -n 40 --faults=malloc -- "$cases/faults_plain" the_seventeenth right
ends 0
says '^  faults: malloc 20 of 20 points tried; some in [0-9]+ schedules$'
never 'had no effect|did not come to'
run -n 1 --faults=malloc -- "$cases/faults_plain" the_seventeenth right
says '^  faults: malloc 0 of 20 points tried; some in 0 schedules$'

# The fault is the second line, and stands in the story.
run -n 40 --faults=malloc -- "$cases/faults_plain" the_seventeenth wrong
ends 1
[ "$(sed -n 2p out)" = "$(grep -E '^  with a fault: malloc returned NULL in T1 at faults.c:[0-9]+: chosen by --faults=malloc$' out)" ] ||
    { echo 'FAILED: the second line does not name the fault'; failed=1; }
says '^ +[0-9]+ .*fault: malloc returned NULL +faults.c:[0-9]+'
says 'may fail so in any program'
grep -q '^fault T1 malloc 17 ' out_dir/crash-1.schedule || { echo 'FAILED: the file does not have the fault'; failed=1; }
timeout 60 "$heddle" replay -n 3 out_dir/crash-1.schedule >out 2>&1
says '^reproduced 3 of 3 times, each with the same decisions$'
says 'with a fault: malloc returned NULL'
sed -i -e 's/malloc 17/malloc 15/' -e 's/^end .*/end/' out_dir/crash-1.schedule
timeout 60 "$heddle" replay --trust out_dir/crash-1.schedule >out 2>&1
says '^not reproduced: this schedule passes now'

# What is found without, too, does not need it: the plainest schedule has none.
run -n 100 --faults=malloc -- "$cases/faults_plain" beside_another_bug wrong
never 'with a fault'
grep -q '^fault T1 malloc 1 ' out_dir/crash-1.schedule || { echo 'FAILED: the schedule had a fault'; failed=1; }
! grep '^fault' out_dir/crash-1.min.schedule || { echo 'FAILED: the shrunk one has one'; failed=1; }
run -n 100 --shrink=no --faults=malloc -- "$cases/faults_plain" beside_another_bug wrong
says '^  with a fault: .*; it needs none: [0-9]+ of the schedules that showed it had none$'

# Of two faults one is enough, and is left.
run -n 100 --seed=3 --faults=all -- "$cases/faults_plain" cancelled wrong
for f in out_dir/*.min.schedule; do
    [ ! -e "$f" ] || [ "$(grep -c '^fault' "$f")" -eq 1 ] || { echo "FAILED: $f has not one fault"; failed=1; }
done

# What had no effect.
run -n 20 --faults=short,cancel -- "$cases/faults_plain" malloc right
says '^  note: --faults=short had no effect: nothing was read by read\(\), recv\(\) or the like, or written so, in more than one byte while threads ran$'
says '^  note: --faults=cancel had no effect: no thread but main came to a cancellation point while threads ran$'
run -n 20 --faults=cas -- "$cases/faults_plain" weak_exchange wrong
says '^  note: --faults=cas had no effect: no weak compare-exchange of code that heddle-cc built could succeed while threads ran$'
run -n 20 --faults=eintr -- "$cases/faults_plain" whole_line right
says '^  note: --faults=eintr had no effect: no thread waited in a call that a signal can interrupt while threads ran$'
run -n 20 --faults=short -- "$cases/faults_plain" whole_write right
says '^  note: --faults=short had no effect'
run -n 20 --faults=cancel -- "$cases/faults_plain" not_cancelled right
says '^  note: --faults=cancel had no effect'
run -n 20 -- "$cases/faults_plain" malloc wrong
ends 0
never 'fault'

# Not in place, which is said.
run -n 20 --faults=malloc --engine=in-place -- "$cases/faults_plain" malloc wrong
ends 1
says '^  engine: a process for each schedule: faults are asked for$'

# The same whatever runs side by side.
for jobs in 1 3; do
    rm -rf out_dir
    timeout 60 "$heddle" run -q -n 150 -j $jobs --faults=all -o out_dir -- "$cases/faults_plain" short_write wrong 2>&1 |
        sed 's/ in [0-9.e+]* m\?s, .*//' >$jobs
done
cmp -s 1 3 || { echo 'FAILED: -j 1 and -j 3 differ'; diff 1 3; failed=1; }
grep -q 'with a fault' 1 || { echo 'FAILED: nothing was found'; failed=1; }

run -n 20 --faults=luck -- "$cases/faults_plain" malloc right
ends 2
says '--faults takes malloc, pthread_create, short, eintr, cas and cancel, with commas between, or all, not "luck"'
run -n 20 --faults=malloc --schedule=native -- "$cases/faults_plain" malloc right
ends 2
says '--faults does not go with --schedule=native'
# Not before the first thread is made, nor in what starts a program.
run -n 20 --fresh --faults=malloc -- "$cases/faults_plain" before_threads right
ends 0
says '^  faults: malloc 1 of 1 point tried; some in [0-9]+ schedules$'

run --exhaustive --faults=malloc -- "$cases/faults_plain" malloc right
ends 2
says '--faults does not go with --exhaustive'

# What libc cannot do without is not denied: a thread_local object of C++ is noted on the heap.
cat >local.cc <<'PROGRAM'
#include <pthread.h>
struct guard { int n; guard() : n(1) {} ~guard() { n = 0; } };
static thread_local guard g;
static void *use(void *arg) { g.n++; return arg; }
int main() { pthread_t t; if (pthread_create(&t, 0, use, 0)) return 0; pthread_join(t, 0); }
PROGRAM
c++ -g local.cc -o local -pthread || exit 99
run -n 30 --faults=malloc -- ./local
ends 0
says '^nothing found'
exit $failed
