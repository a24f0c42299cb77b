#!/bin/bash
# test_words.sh BUILD - what reports call things: whose fault it is in the first line, in names and places of the user's.
build=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

# report COMPILER PROGRAM [ARGUMENT...]: into out
report() {
    : >out
    local compiler=$1 name=$2
    shift 2
    # shellcheck disable=SC2086 # words
    $compiler -g -O1 -w -D_GNU_SOURCE -I"$here/../../../lib/include" "$here/words/$name.c" -o "$name" -L"$build/lib" -Wl,-rpath,"$build/lib" \
        -lheddle -pthread || { echo "FAILED: $name does not compile"; failed=1; return; }
    timeout 60 "$heddle" run -q -n 100 --time=20s -o "out_$name" -- "./$name" "$@" >out 2>&1 </dev/null
}

says() { # PATTERN (grep -E)
    grep -Eq -- "$1" out || { echo "FAILED: nowhere /$1/"; sed 's/^/    /' out; failed=1; }
}

never() { # PATTERN
    ! grep -E -- "$1" out || { echo "FAILED: there is /$1/"; sed 's/^/    /' out; failed=1; }
}

report cc inline_locks
says '^deadlock-1  deadlock: T[01] and T[01] wait for each other, for hd_mutex [ab] and hd_mutex [ab]$'
says '^ +lock HM[12] +inline_locks\.c:(9|21)$|lock HM[12] .*inline_locks\.c:[0-9]+$'
never 'mutex\.h|hd_mutex_lock '

report cc typed_channel
says '^ +main +.*typed_channel\.c:17'
never '^ +ints_(send|close)  |typed_channel\.c:3$'

report cc crash_in_libc
says '^crash-1  crash: SIGSEGV: write through a null pointer in memset\(\), called by worker\(\) at crash_in_libc\.c:10$'
says '^  T1 \(two\?lines\) crashed'

for argument in '' main; do
    # shellcheck disable=SC2086 # none, or one
    report cc deep $argument
    says '^crash-1  crash: SIGSEGV: stack overflow in (odd|even)\(\) at deep\.c:[0-9]+$'
    says '^  (T1 \(worker\)|T0 \(main\)) crashed'
    says '^ +\.\.\. the last 2 lines [0-9]+ times more$'
    says 'Usually fixed so: Recursion that does not end'
done

report cc one_place_two_kinds
says 'waits for hd_mutex HM[0-9]+'
says 'waits until waitgroup WG[0-9]+ .*is done'
never 'waitgroup HM|hd_mutex WG'

report cc read_again
says '^self-deadlock-1  self-deadlock: T0 \(main\) read-locks rwlock table again, behind T1 \(write_once\), which waits to write'
never 'opposite orders.*one order|Take these locks in one order'

report cc early_signal
says '^lost-wakeup-1  lost wakeup: T1 \(produce\) signalled condition variable changed before T0 \(main\) waited for that$'
report cc early_signal none
says '^lost-wakeup-1  all threads wait: nobody is left to wake T0 \(main\), which waits for a signal to condition variable changed$'
never 'lost wakeup:'

# circle KIND WAIT WOULD: the headline and the drawing of a circle that a missing partner closes, and its right twin
circle() {
    report cc circle "$1" wrong
    says "^deadlock-1  deadlock: T1 \(taker\) holds mutex table and $2; T2 \(giver\), who would $3, waits for mutex table$"
    says '^    \+-> T1 \(taker\) waits .* needs T2 \(giver\)$'
    says '^    \|   T2 \(giver\) waits for mutex M1 \(table\) .*held by T1 \(taker\)  --\+$'
    says 'T2 \(giver\) waits for mutex M1'
    never '^lost-wakeup|in one order'
    report cc circle "$1" right
    says '^nothing found'
}
circle cond 'waits for a signal to condition variable filled' 'signal it'
circle sem 'waits for a post to semaphore ready' 'post it'
circle barrier 'waits at barrier phase for the others' 'come there'
circle pipe 'waits for file descriptor FD1' 'write there'
circle channel 'waits to receive from channel "answers"' 'send'
circle group 'waits until waitgroup members is done' 'say done'
report cc circle missed wrong
says '^deadlock-1  deadlock: T1 \(taker\) holds mutex table and waits for a signal to condition variable filled; T2 \(giver\), who signalled it when nobody waited, waits for mutex table$'
never 'who would'

# classic NAME: the wrong program of a pair of stress/classics, into out
classic() {
    timeout 60 "$heddle" run -q -n 80 --time=20s -o "out_$1" -- "$build/stress/classics/$1_wrong" >out 2>&1 </dev/null
}

# one mistake, one block: what the misuse leads to is told with it
for name in cond_not_locked use_after_destroy signal_after_unlock thread_local_late timedlock_ignored use_after_join; do
    [ -x "$build/stress/classics/${name}_wrong" ] || continue
    classic $name
    says '^1 finding in '
    says '^  Seen also as:$'
    says '^ +seen also as [0-9]+ more findings?$'
done

# what the absent partner did: which case its select took, whom a signal woke, who posted
report cc select_left wrong
says 'waits to receive from channel "answer"$'
says ' has room for 1, 0 in it; nobody sent, received or closed; '
tr -s '\n ' ' ' <out >joined && mv joined out
says 'T1 \(server\) has ended, before that its select took channel CH[0-9] \("quit"\), which was closed \(select_left\.c:12\); T2 \(quitter\) has ended'
report cc select_left right
says '^nothing found'
classic missed_broadcast
says '      T0 signalled C1 \(missed_broadcast\.c:26\) and woke T[12]; T[12] \(visitor\) has ended$'
classic event_reset
says ' and woke nobody'
classic missing_post
says '      S1 began with 1; T[123] posted \(missing_post\.c:19\)'
never 'select O[0-9]'

# how it crashed, who ended the program, who closed the channel
classic crash_before_init
says '^crash-1  crash: SIGSEGV: write through a null pointer in worker\(\) at crash_before_init\.c:10$'
says '      write through a null pointer, at address 0x[0-9a-f]+$'
classic exit_in_worker
says '^exit-code-1  failure: exit code 3, but 0 in other schedules: T1 \(clean\) ended the program$'
report cc typed_close wrong
says '^panic-1  panic: send on closed channel in produce\(\) at typed_close\.c:9, closed by T0 \(main\)$'
says '  T0 \(main\) had closed channel CH1 \("words"\) before, at$'
says '      main  .*typed_close\.c:19$'
report cc typed_close right
says '^nothing found'

for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    report "env HEDDLE_CC=$compiler $build/bin/heddle-cc" no_line
    says '^data-race-1  data race'
    never 'no_line\.c:0'
    says '^      with (no lock|mutex M1 \(lock\)) held'
done

report "$build/bin/heddle-cc" one_line
says 'data race on late: '
says 'data race on kept: '
says '(read|write) late or kept '
report "$build/bin/heddle-cc" one_line parts
says 'data race on counts'
says '(read|write) counts '
never ' or counts'
# what was not looked at: modules without hooks by name, in text and JSON; none when all have them
modules() { # COMPILER of the library
    $1 -g -O1 -shared -fPIC "$here/words/plain_part.c" -o libplain.so &&
        "$build/bin/heddle-cc" -g -O1 "$here/words/hooked_part.c" -o hooked_part -L. -lplain -Wl,-rpath,"$PWD" -pthread || failed=1
    timeout 60 "$heddle" run -q -n 20 -o out_modules -- ./hooked_part >out 2>&1 </dev/null
    timeout 60 "$heddle" run -q -n 20 --json -o out_modules -- ./hooked_part 2>&1 </dev/null | jq -c '.statistics |
        [.modules_watched, .modules_not_watched]' >>out
}
modules cc
says '^  note: 1 of 2 modules were built with heddle-cc; accesses of the others were not watched: libplain\.so$'
says '^\[\["hooked_part"\],\["libplain\.so"\]\]$'
modules "$build/bin/heddle-cc"
never 'modules were built'
says '^\[\["hooked_part","libplain\.so"\],\[\]\]$'
exit $failed
