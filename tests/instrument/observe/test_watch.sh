#!/usr/bin/env bash
# heddle watch on programs with known answers: test_watch.sh HEDDLE VICTIM
set -u
heddle=$1 victim=$2 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1"
    sed 's/^/    /' "$work/err" | head -40
    failed=1
}
watch() { # SECONDS ARGUMENTS... : exit code in $code, what was said in $work/err
    local seconds=$1
    shift
    timeout -s KILL "$seconds" "$heddle" watch "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
}
says() {
    grep -q -- "$1" "$work/err" || fail "$2: \"$1\" was not said"
}
silent() {
    [ -s "$work/err" ] && fail "$1: something was said"
}

watch 20 -- "$victim" right 5
[ $code -eq 5 ] || fail "right: exit code $code, not the program's own"
silent right

watch 20 -- "$victim" gated
[ $code -eq 0 ] || fail "gated: exit code $code"
silent gated

watch 20 -o "$work/log" -- "$victim" inversion
[ $code -eq 1 ] || fail "inversion: exit code $code"
says 'lock-order: ' inversion
says 'pair .*victim.c:1' inversion
grep -q 'lock-order: ' "$work/log" || fail 'inversion: nothing in the file'
[ "$(grep -c lock-order "$work/err")" -eq 1 ] || fail 'inversion: said more than once'

watch 20 -- "$victim" left
[ $code -eq 1 ] || fail "left: exit code $code"
says '1 thread is left' left
says 'waiting for a post semaphore never' left
says 'created by T0 at main' left

# Suppressions: by function, by variable, by kind; what was for nothing is said.
printf 'lock-order:fun:pair\nleak-blocked:var:never\ndeadlock:fun:nobody\n' >"$work/supp"
watch 20 --suppressions "$work/supp" -- "$victim" inversion
[ $code -eq 0 ] || fail "suppressed inversion: exit code $code"
says '1 finding was suppressed' 'suppressed inversion'
says 'supp:2: "leak-blocked:var:never" suppressed nothing' 'suppressed inversion'
grep -q 'opposite orders' "$work/err" && fail 'suppressed inversion: it was said all the same'
watch 20 --suppressions "$work/supp" -- "$victim" left
[ $code -eq 0 ] || fail "suppressed leak: exit code $code"
printf '*:nobody_at_all\n' >"$work/supp"
watch 20 --suppressions "$work/supp" -- "$victim" inversion
[ $code -eq 1 ] || fail "another suppression: exit code $code"
printf 'no-such-kind:x\n' >"$work/supp"
watch 20 --suppressions "$work/supp" -- "$victim" right
[ $code -eq 2 ] || fail "bad suppressions: exit code $code"
says 'supp:1:1: there is no such kind of finding' 'bad suppressions'

# A hang is told while it lasts: wait for the words, then dump and end it.
hung() { # NAME WORDS
    "$heddle" watch -- "$victim" "$1" >"$work/out" 2>"$work/err" </dev/null &
    local pid=$!
    for ((i = 0; i < 200; i++)); do
        grep -q "$2" "$work/err" && break
        sleep 0.1
    done
    says "$2" "$1"
    kill -QUIT $pid
    wait $pid
    code=$?
    [ $code -eq 1 ] || fail "$1: exit code $code"
    says 'heddle: end of the dump' "$1"
}
hung circle 'deadlock: 2 threads wait for each other'
says 'locking mutex b' circle
hung hang 'hang: every thread waits'

"$heddle" watch --usr1 -- "$victim" many >"$work/out" 2>"$work/err" </dev/null &
pid=$!
for ((i = 0; i < 300; i++)); do
    grep -q ready "$work/out" && break
    sleep 0.1
done
start=$(date +%s%N)
kill -USR1 $pid
for ((i = 0; i < 500; i++)); do
    grep -q 'end of the dump' "$work/err" && break
    sleep 0.01
done
echo "dump of 1,001 threads: $((($(date +%s%N) - start) / 1000000)) ms"
says 'dump of 1001 threads' many
says '^1000 threads \[waiting for a post semaphore never.*\]: T1-T1000' many
kill -0 $pid 2>/dev/null || fail 'many: the program did not go on after SIGUSR1'
kill -TERM $pid
wait $pid 2>/dev/null

# Who can never go on, while others do.
"$heddle" watch -- "$victim" behind >"$work/out" 2>"$work/err" </dev/null &
pid=$!
for ((i = 0; i < 200; i++)); do
    grep -q 'behind them' "$work/err" && break
    sleep 0.1
done
says 'deadlock: 2 threads wait for each other' behind
grep -A1 'and behind them' "$work/err" | grep -q 'T3 waits, locking mutex a held by T1' || fail 'behind: who waits behind the circle'
kill -KILL "$(cat /proc/$pid/task/*/children)"
wait $pid 2>/dev/null
watch 20 --leaks=off -- "$victim" abandons
says 'lock-at-exit: a thread waits for a mutex whose owner (thread [0-9]*) ended without unlocking it' abandons
says 'locking mutex a' abandons
[ $code -eq 1 ] || fail "abandons: exit code $code"
watch 20 --leaks=off -- "$victim" gives-back
[ $code -eq 0 ] || fail "gives-back: exit code $code"
silent gives-back

# A program that closes all descriptors, and uses their numbers, loses what was found and nothing else.
watch 20 -- "$victim" closes
[ $code -eq 0 ] || fail "closes: exit code $code"
grep -q 'file is empty' "$work/out" || fail 'closes: we wrote to a file of the program'
watch 20 -- "$victim" keeps-open
[ $code -eq 1 ] || fail "keeps-open: exit code $code"
says 'lock-order: ' keeps-open

# heddle attach asks for the dump, and the program goes on.
"$heddle" watch -- "$victim" asleep >"$work/out" 2>"$work/err" </dev/null &
pid=$!
for ((i = 0; i < 300; i++)); do
    grep -q ready "$work/out" && break
    sleep 0.1
done
sleep 0.3
program=$(cat /proc/$pid/task/*/children)
timeout 30 "$heddle" attach --looks=1 $program >"$work/attached" 2>&1
[ $? -eq 0 ] || fail "attach to a watched program: exit code"
for words in '^no deadlock seen' 'heddle watch follows process' 'dump of 4 threads' '^1 thread \[sleeping\]' 'end of the dump'; do
    grep -q -- "$words" "$work/attached" || fail "attach to a watched program: \"$words\" was not said: $(cat "$work/attached")"
done
says 'heddle: end of the dump' 'attach to a watched program'
kill -0 $program || fail 'attach to a watched program: it is gone'
timeout 30 "$heddle" attach --looks=1 --json $program | grep -q 'dump of' && fail 'attach --json to a watched program: not only a document'
kill -KILL $program
wait $pid 2>/dev/null

# dumped NAME: the dump of a program that says when it stands as it should
dumped() {
    "$heddle" watch -- "$victim" "$1" >"$work/out" 2>"$work/err" </dev/null &
    local pid=$!
    for ((i = 0; i < 300; i++)); do
        grep -q ready "$work/out" && break
        sleep 0.1
    done
    sleep 0.3
    kill -QUIT $pid
    wait $pid
    says 'heddle: end of the dump' "$1"
}
dumped asleep
says '^1 thread \[sleeping\]' asleep
says '^1 thread \[in a system call\]' asleep
says '^1 thread \[running\]' asleep
dumped alone
says 'dump of 1 thread (' alone

watch 60 --usr1 -- "$victim" storm
[ $code -eq 0 ] || fail "storm: exit code $code"
grep -q 'storm over' "$work/out" || fail 'storm: the program did not end'

for ((i = 0; i < 5; i++)); do
    watch 60 --usr1 -- "$victim" hail
    [ $code -eq 3 ] || fail "hail: exit code $code"
    grep -q 'hail over' "$work/out" || fail 'hail: the program did not end'
    says 'heddle: end of the dump' hail
done

watch 60 --usr1 -- "$victim" child
[ $code -eq 4 ] || fail "child: exit code $code"
grep -q 'still there' "$work/out" || fail "child: its parent is gone"
silent child
exit $failed
