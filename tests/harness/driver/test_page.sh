#!/bin/bash
# test_page.sh BUILD - what a report is written on: lines of source, terminals that are narrow, dumb or without colours, and
# that nothing which a program's names or sources hold is a command to the terminal.
build=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle
export LC_ALL=C
unset NO_COLOR
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
escape=$(printf '\033')

says() { # PATTERN (grep -E)
    grep -Eq -- "$1" out || { echo "FAILED: nowhere /$1/"; sed 's/^/    /' out; failed=1; }
}

never() { # PATTERN
    ! grep -E -- "$1" out || { echo "FAILED: there is /$1/"; failed=1; }
}

# terminal COLUMNS TERM OPTION...: what a terminal gets, into out; carriage returns of line ends apart
terminal() {
    local columns=$1 term=$2
    shift 2
    timeout 60 script -qec "stty cols $columns; TERM=$term '$heddle' run -n 60 -j1 $* -o out_t -- ./circle cond wrong" /dev/null \
        </dev/null | sed 's/\r$//' >out
}

cp "$here/words/circle.c" . &&
    cc -g -O1 -w -I"$here/../../../lib/include" circle.c -o circle -L"$build/lib" -Wl,-rpath,"$build/lib" -lheddle -pthread &&
    cc -g -O1 -w -I"$here/../../../lib/include" "$here/words/hostile_names.c" -o hostile -L"$build/lib" -Wl,-rpath,"$build/lib" -lheddle \
        -pthread || exit 1

# in a pipe: plain, a line a thing, the source below its place, with a mark where the call begins
timeout 60 "$heddle" run -q -n 20 -o out_p -- ./circle cond wrong >out 2>&1 </dev/null
says '^deadlock-1  deadlock: .{100}'
says '^           35 \| pthread_cond_wait\(&filled, &inner\);$'
says '^              \| \^$'
says '^           75 \| pthread_mutex_lock\(&table\);$'
[ "$(grep -c '^           75 |' out)" = 1 ] || { echo "FAILED: a place's source twice"; failed=1; }
never "$escape"
mkdir elsewhere && (cd elsewhere && sed 's/pthread_mutex_lock(&table);/pthread_mutex_lock(\&table); /' "$here/words/circle.c" >gone.c &&
    cc -g -O1 -w -I"$here/../../../lib/include" gone.c -o ../gone -L"$build/lib" -Wl,-rpath,"$build/lib" -lheddle -pthread && rm gone.c)
timeout 60 "$heddle" run -q -n 20 -o out_g -- ./gone cond wrong >out 2>&1 </dev/null
says '^deadlock-1  deadlock: '
never '^ +[0-9]+ \| '

for columns in 60 80; do
    terminal $columns xterm -q
    says "^$escape\[1mdeadlock-1  deadlock: "
    says "$escape\[31m\^$escape\[0m$"
    sed "s/$escape\[[0-9]*m//g" out | awk -v n=$columns 'length($0) > n { print "FAILED: wider than " n ": " $0; bad = 1 } END { exit bad }' || failed=1
done
terminal 60 xterm -q
says '^    T1 \(taker\) waits for a signal to condition variable C1$'
NO_COLOR=1 terminal 60 xterm -q
says '^deadlock-1  deadlock: '
never "$escape"
terminal 60 dumb -q
says '^deadlock-1  deadlock: '
never "$escape"

# the line that changes stays one line: no piece of it is as wide as the terminal
terminal 60 xterm --strategy=random
tr '\r' '\n' <out | sed "s/$escape\[K//g" | grep 'schedules, .*/s' >lines || echo none >lines
awk 'length($0) > 59 { print "FAILED: floods: " $0; bad = 1 } END { exit bad }' lines || failed=1

timeout 60 "$heddle" run -q -n 20 -o out_h -- ./hostile >out 2>&1 </dev/null
says '\?\[2Jgone\?\?'
says '\?\]0;owned\?'
says 'hd_chan_recv\(answers, NULL\); /\* \?\[2J \*/'
[ "$(tr -d '\n\t -~' <out | wc -c)" = 0 ] || { echo "FAILED: a control character comes through"; cat -v out; failed=1; }
exit $failed
