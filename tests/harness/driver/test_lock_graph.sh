#!/usr/bin/env bash
# --lock-graph on programs with known answers: test_lock_graph.sh HEDDLE CLASSICS VICTIM CROWD SOURCE
set -u
heddle=$1 classics=$2 victim=$3 crowd=$4 source=$5 failed=0
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1"
    head -30 "$2" | sed 's/^/    /'
    failed=1
}
has() { # FILE PATTERN WHAT
    grep -Eq -- "$2" "$1" || fail "$3: no /$2/ in $1" "$1"
}
lacks() {
    grep -Eq -- "$2" "$1" && fail "$3: /$2/ in $1" "$1"
}
drawn() { # graphviz takes it
    command -v dot >/dev/null || return
    dot -Tsvg -o /dev/null "$1" 2>dot.err || fail "dot does not take $1" dot.err
}
run() { # PROGRAM FILE...: the same campaign, one file each
    local program=$1
    shift
    for file; do
        "$heddle" run -q -n 20 -j 2 -o out --lock-graph="$file" -- "$classics/$program" >run.out 2>&1
        code=$?
    done
}

run abba_wrong wrong.dot wrong.json
[ $code -eq 1 ] || fail "abba_wrong: exit code $code" run.out
drawn wrong.dot
has wrong.dot 'mutex M[0-9]+ \(accounts\)' abba_wrong
has wrong.dot 'abba.c:9.*abba.c:11.*lock-order-1.*color=red' abba_wrong
[ "$(grep -c 'color=red' wrong.dot)" -eq 2 ] || fail 'abba_wrong: not two red edges' wrong.dot
has wrong.json '"lock-order-1"' abba_wrong
has wrong.json '"predicted": true' abba_wrong
cp wrong.json before.json
run abba_wrong wrong.json
cmp -s wrong.json before.json || fail 'the same campaign gave another graph' wrong.json

# What was tried to bring about the deadlock is counted.
"$heddle" run -q -n 20 --json -o out -- "$classics/abba_wrong" >run.out 2>&1
jq -e '.statistics | .predicted.tries > 0 and .schedules == 20 + .predicted.tries' run.out >/dev/null ||
    fail 'abba_wrong: tries are no schedules' run.out

run abba_right right.dot right.json
[ $code -eq 0 ] || fail "abba_right: exit code $code" run.out
drawn right.dot
has right.dot 'n[0-9]+ -> n[0-9]+ .*in 20 schedules' abba_right
lacks right.dot 'color=red' abba_right
lacks right.json '"predicted": true' abba_right

run rwlock_mutex_wrong readers.json
has readers.json '"held_mode": "read"' rwlock_mutex_wrong
run semaphore_inversion_wrong semaphore.dot
has semaphore.dot 'semaphore S' semaphore_inversion_wrong
drawn semaphore.dot

for form in dot json; do
    "$heddle" watch --lock-graph=inversion.$form -- "$victim" inversion 2>watch.err
    "$heddle" watch --lock-graph=gated.$form -- "$victim" gated 2>watch.err
done
drawn inversion.dot
drawn gated.dot
has inversion.dot 'mutex a' watch
[ "$(grep -c 'color=red' inversion.dot)" -eq 2 ] || fail 'watch: not two red edges' inversion.dot
has gated.dot 'while holding mutex gate' watch
lacks gated.dot 'color=red' watch
has gated.json '"source": "watch"' watch

# A hundred thousand locks of one class: right code is right, and one inversion among them is found.
"$heddle" watch --lock-graph=crowd.dot -- "$crowd" 100000 right >watch.out 2>watch.err
[ $? -eq 0 ] && [ ! -s watch.err ] || fail 'crowd: right code' watch.err
has crowd.dot '"[0-9]+ mutexes.*lock_crowd.c:[0-9]+", peripheries=2' 'crowd of right code'
[ "$(grep -c ' -> ' crowd.dot)" -le 8 ] || fail 'crowd: too many edges drawn' crowd.dot
"$heddle" watch --lock-graph=crowd.dot -- "$crowd" 100000 wrong >watch.out 2>watch.err
[ $? -eq 1 ] || fail 'crowd: the inversion was not found' watch.err
[ "$(grep -c 'heddle: lock-order' watch.err)" -eq 1 ] || fail 'crowd: not one finding' watch.err
[ "$(grep -c 'color=red' crowd.dot)" -eq 2 ] || fail 'crowd: not two red edges' crowd.dot
"$heddle" run -q -n 2 --strategy=rr --lock-graph=crowd.json -o out -- "$crowd" 6000 right >run.out 2>&1
[ $? -eq 0 ] || fail 'crowd under control' run.out
has crowd.json '"class": true' 'crowd under control'

expect() { # CODE PATTERN COMMAND...
    local want=$1 pattern=$2
    shift 2
    "$@" >said 2>&1
    local got=$?
    [ $got -eq "$want" ] || fail "exit code $got, not $want: $*" said
    has said "$pattern" "$*"
    [ "$(grep -vc '^Try' said)" -eq 1 ] || fail "more than a sentence: $*" said
}
for command in run watch; do
    expect 2 'ends in .dot or .json, not "x.svg"' "$heddle" $command --lock-graph=x.svg -- "$victim"
    expect 2 'there is no folder absent' "$heddle" $command --lock-graph=absent/x.dot -- "$victim"
    expect 2 'does not go with --lock-order=off' \
        "$heddle" $command --lock-order=off --lock-graph=x.dot -- "$victim"
done
expect 2 'does not go with --schedule=native' \
    "$heddle" run --schedule=native --lock-graph=x.dot -- "$victim"
# Each is as its schema has it.
official=$("$source/ci/schemas") && "$source/tests/schemas/valid" "$official" ./*.json || failed=1
exit $failed
