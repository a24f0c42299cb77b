#!/bin/bash
# test_replay.sh HEDDLE PROGRAM CHANGED - what comes again when a schedule is run again, and what does not.
heddle=$1 program=$2 changed=$3
. "$(dirname "$0")/expect.bash"

expect 1 'seen in [0-9]+ schedules, reproduced 3 of 3' "$heddle" run -q -n 100 -o out -- "$program"
expect 1 '^reproduced$' "$heddle" replay out/assertion-1.schedule

# The program does more now than the schedule knows of: it is run on to the recorded events.
for extra in 1 2 5; do
    EXTRA=$extra expect 1 '^reproduced$' "$heddle" replay out/assertion-1.schedule
    EXTRA=$extra PLACE=1 expect 1 '^reproduced$' "$heddle" replay out/assertion-1.schedule
done

# One written by hand: T1 has read, then T2 runs, to its end also where the file says no more.
by_hand() { # LINE...
    printf '%s\n' 'heddle schedule 1' "program $program" 'argument replayed' "steps $#" "$@" end >hand.schedule
}
begins=('run T0 1 thread_create - -' 'run T1 1 thread_start - -' 'run T1 1 mutex_lock - -'
    'run T1 1 mutex_unlock - -' 'run T0 1 thread_create - -' 'run T2 1 thread_start - -')
by_hand "${begins[@]}"
expect 1 'assertion failed: count == 2' "$heddle" replay hand.schedule -- "$program"
# The same of this lock: it is run on past another that it takes before.
# A schedule names the lock only where a thread stops at it: not each does.
for ((seed = 1; seed <= 50; seed++)); do
    "$heddle" run -q -n 20 --seed=$seed -o "named$seed" -- "$program" >out.txt 2>&1 </dev/null
    object=$(grep '^object M1 ' "named$seed/assertion-1.schedule") && break
done
by_hand "${begins[@]//lock -/lock M1}"
sed -i "s/^steps/$object\n&/" hand.schedule
EXTRA=1 expect 1 'assertion failed: count == 2' "$heddle" replay hand.schedule -- "$program"

# What cannot be followed is said to.
by_hand "${begins[@]}" 'run T7 1 mutex_lock - -' 'run T1 1 mutex_lock - -'
expect 1 'diverged at step 7: expected T7 mutex_lock, got T2' "$heddle" replay hand.schedule -- "$program"
by_hand "${begins[@]}" 'run T2 1 sem_wait - -'
expect 1 'diverged at step 7: expected T2 sem_wait, got T2' "$heddle" replay hand.schedule -- "$program"

# In gdb, too, which stops at the finding; so does another build, whose events are not the recorded ones.
expect 1 '^reproduced$' "$heddle" replay out/assertion-1.schedule -- "$changed"
if command -v gdb >/dev/null; then
    for p in "$program" "$changed"; do
        expect 0 'received signal SIGTRAP' "$heddle" replay --gdb out/assertion-1.schedule -- "$p"
    done
else
    echo 'not tried: gdb is not installed'
fi

# Before a decision: where each thread stands, and what it holds. In gdb: there, in the user's frame.
step=$("$heddle" replay out/assertion-1.min.schedule 2>&1 </dev/null | awk '/ unlock M1 / && !n++ {print $1}')
expect 0 "^stopped before step $step\$" "$heddle" replay --stop-at="$step" out/assertion-1.min.schedule
for pattern in '^  T[12] \(adds_one\) is next: unlocking mutex M1 \(lock\)$' '^    holds mutex M1 \(lock\), taken at$' \
    '^      copy_locked +.*replayed.c:17$' '^  T0 \(main\) waits, joining T1 \(adds_one\)$'; do
    grep -Eq "$pattern" out.txt || { echo "FAILED: --stop-at does not say $pattern"; sed 's/^/    /' out.txt; failed=1; }
done
expect 3 'the schedule ended before, after [0-9]+ decisions' "$heddle" replay --stop-at=1000 out/assertion-1.min.schedule
expect 2 'stop-at wants a whole number' "$heddle" replay --stop-at=0 out/assertion-1.min.schedule
if command -v gdb >/dev/null; then
    expect 0 'Thread [23] "T[12]" received signal SIGTRAP' "$heddle" replay --gdb --stop-at="$step" out/assertion-1.min.schedule
    for pattern in '^#[0-9]+ .* (copy_locked|adds_one) \(' '"T0"'; do
        grep -Eq "$pattern" out.txt || { echo "FAILED: gdb does not show $pattern"; sed 's/^/    /' out.txt; failed=1; }
    done
fi

# Stopped while ways to follow another build's schedule are tried: it says nothing about the program.
"$heddle" replay --around=1000000 out/assertion-1.schedule -- "$changed" absent >out.txt 2>&1 </dev/null &
sleep 1
kill -INT $!
wait $!
got=$?
[ $got -eq 130 ] && ! grep -Eq 'could not be run|reproduced|passes now' out.txt ||
    { echo "FAILED: Ctrl-C during a replay: exit $got"; sed 's/^/    /' out.txt; failed=1; }
expect 0 'not reproduced: this schedule passes now .* so do 3 near it' "$heddle" replay --around=3 out/assertion-1.schedule -- "$changed" absent
for c in run replay; do expect 0 '128 \+ N' "$heddle" $c --help; done

# What came but once is said to, is no reproduction, and fails no run.
touch file
expect 0 'not reproduced, 0 of 3: more than the schedule decides' "$heddle" run -q -n 20 -o once -- "$program" "$work/file"
grep -q 'DOUBTFUL: no replay of its schedule showed it again' out.txt || { echo "FAILED: it is doubtful"; failed=1; }
touch file
expect 1 'assertion-1 .*doubtful' "$heddle" run -q --strict -n 20 -o strict -- "$program" "$work/file"
expect 0 'not reproduced|passes' "$heddle" replay once/assertion-1.schedule
touch file
expect 1 'reproduced 3 of 3' "$heddle" run -q -n 20 -o twice -- "$program" "$work/file" word
grep -q 'not reproduced, 0 of 3' out.txt || { echo "FAILED: another failure is no reproduction"; failed=1; }

exit $failed
