#!/usr/bin/env bash
# heddle watch: every way to wait has its name in a dump, and a hang says who could wake whom.
# test_waits.sh HEDDLE WAITS
set -u
heddle=$1 waits=$2 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

says() { # NAME PATTERN
    grep -qE -- "$2" "$work/err" && return
    echo "FAILED: $1: \"$2\" was not said"
    sed 's/^/    /' "$work/err" | head -70
    failed=1
}
watch() { # CODE NAME
    timeout -s KILL 60 "$heddle" watch --usr1 --leaks=off -- "$waits" "$2" >"$work/out" 2>"$work/err" </dev/null
    local code=$?
    [ $code -eq "$1" ] || { echo "FAILED: $2: exit code $code"; sed 's/^/    /' "$work/err" | head -20; failed=1; }
}

watch 0 c11
grep -q 'went on' "$work/out" || { echo 'FAILED: c11 did not go on'; failed=1; }
says c11 '^1 thread \[locking mutex lock.*\]: T1'
says c11 '^ +takes_lock .*waits.c:[0-9]+'
says c11 '^1 thread \[waiting for a signal condition variable changed.*\]: T2'
says c11 '^1 thread \[waiting for a post semaphore never.*\]: T3'
says c11 '^1 thread \[waiting for an initialiser once control flag.*\]: T4'
says c11 'created by T0 at c11 .*waits.c:[0-9]+'

watch 1 c11_order
says c11_order '^heddle: lock-order: '
says c11_order 'held lock lock, taken at nested .*waits.c:[0-9]+'

watch 0 library
grep -q 'went on' "$work/out" || { echo 'FAILED: library did not go on'; failed=1; }
says library '^1 goroutine "receiver" \[chan receive channel .*\]: T1'
says library '^1 goroutine \[hd_mutex lock mutex.*\]: T2'
says library '^1 goroutine \[waitgroup wait waitgroup group.*\]: T3'
says library '^1 goroutine \[chan send channel .*\]: T4'
says library '^1 goroutine \[select.*\]: T5'
says library '^ +receives .*waits.c:[0-9]+'
grep -qE 'catch|carry' "$work/err" && { echo 'FAILED: frames of our own'; failed=1; }
says library 'started at library .*waits.c:[0-9]+'

# By hand, without a driver: the words are there, and the program goes on.
library=$(dirname "$(dirname "$(dirname "$heddle")")")/harness/rt/libheddle-watch.so
[ -e "$library" ] || library=$(dirname "$heddle")/../rt/libheddle-watch.so
HEDDLE=dump,usr1 HEDDLE_LOG=$work/log LD_PRELOAD=$library "$waits" library >"$work/out" 2>"$work/err"
[ $? -eq 0 ] || { echo 'FAILED: by hand'; failed=1; }
says 'by hand' '"receiver" \[chan receive channel .*\]: T1'
grep -q 'waitgroup wait' "$work/log" || { echo 'FAILED: by hand: nothing in HEDDLE_LOG'; failed=1; }

# HEDDLE= alone: the program is linked with lib/, and begins anew with the library loaded, once.
HEDDLE_RUNTIME=$(dirname "$library")/libheddle-rt.so HEDDLE=dump,usr1 "$waits" library >"$work/out" 2>"$work/err"
[ $? -eq 0 ] || { echo 'FAILED: HEDDLE= alone'; failed=1; }
says 'HEDDLE= alone' '"receiver" \[chan receive channel .*\]: T1'
HEDDLE_RUNTIME=$(dirname "$library")/libheddle-rt.so HEDDLE=lockorder,leaks "$waits" c11_order >"$work/out" 2>"$work/err"
says 'HEDDLE= alone' '^heddle: lock-order: '
HEDDLE=leak "$waits" c11_order >"$work/out" 2>"$work/err"
says 'HEDDLE=leak' '^heddle: HEDDLE=leak has no effect: it is a list of leaks, lockorder, dump and usr1$'
HEDDLE_RUNTIME=/nowhere/libheddle-rt.so HEDDLE=leaks LD_PRELOAD=libheddle-watch.so "$waits" c11_order >"$work/out" 2>"$work/err"
says 'no library' 'HEDDLE=leaks has no effect: libheddle-watch.so could not be loaded'

"$heddle" watch -- "$waits" hang >"$work/out" 2>"$work/err" </dev/null &
pid=$!
for ((i = 0; i < 300; i++)); do
    grep -q 'nobody is known' "$work/err" && break
    sleep 0.1
done
kill -QUIT $pid
wait $pid
says hang '^heddle: hang: every thread waits'
says hang 'T1 "consumer" waits, waiting for a signal condition variable ready, at waits_for_ready '
says hang 'could be woken by T2, which was signalling it at says_ready '
says hang 'T2 waits, waiting at a barrier barrier both, at says_ready'
says hang 'nobody is known who could wake it'
says hang 'last: waiting for a signal condition variable ready at waits_for_ready'
exit $failed
