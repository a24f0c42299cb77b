#!/usr/bin/env bash
# heddle stress: verdicts and bad input.  test_stress.sh HEDDLE BUGS (the built bug corpus)
set -u
heddle=$1 bugs=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# expect CODE TEXT ARGUMENT...: the exit code, and TEXT somewhere in what it says
expect() {
    local code=$1 text=$2
    shift 2
    "$heddle" stress "$@" >out 2>&1 </dev/null
    local got=$?
    if [ $got -ne "$code" ] || ! grep -qF -- "$text" out; then
        echo "heddle stress $*: exit code $got, wanted $code with \"$text\"" >&2
        cat out >&2
        failed=1
    fi
}

pair='send_to_oneself'
native() { # TOOL PATTERN: the line of the table is there
    grep -qE -- "$2" out || { echo "heddle stress --tool=$1: no line '$2'" >&2; cat out >&2; failed=1; }
}

expect 0 "2 scenarios, 2 as expected" --suite=bugs --filter=/$pair -n 20
# a suite of one's own is told what it expects wrongly
cp "$bugs" own
expect 0 "1 as expected" --suite=./own --filter=${pair}_wrong -n 5
printf '#!/bin/sh\nprintf "%%s\\t" one family library clean - -\necho\n' >script && chmod +x script
expect 1 "expected clean" --suite=./script # Heddle cannot control a script: not the verdict
expect 3 "No such file" --suite=./none
printf '#!/bin/sh\nexit 0\n' >empty && chmod +x empty
expect 3 "did not print a list" --suite=./empty
printf '#!/bin/sh\necho one field\n' >short && chmod +x short
expect 3 "line 1 is not" --suite=./short
# natively, in both vehicles: a mistake that shows, one that does not, one that shows where none should
for tool in threads fibres; do
    expect 0 "2 scenarios, 2 as expected" --suite=bugs --filter=/$pair --tool=$tool -o native
    native $tool "^bugs/${pair}_wrong +$tool +deadlock +1 +1$"
    native $tool "^bugs/${pair}_right +$tool +clean +1 *$"
    grep -q "all goroutines are asleep" native/${pair}_wrong.$tool.txt && [ ! -e native/${pair}_right.$tool.txt ] ||
        { echo "heddle stress --tool=$tool did not keep what the wrong one printed, and that alone" >&2; failed=1; }
    cat >alone <<'END'
#!/bin/sh
case $1 in
--list) for s in ends:clean dies:clean fails:clean hides:panic asserts:assertion asserts_not:panic races:data-race vehicle:panic; do
            printf '%s\tfamily\tlibrary\t%s\t-\t-\n' "${s%:*}" "${s#*:}"
        done ;;
dies) kill -SEGV $$ ;;
fails) exit 7 ;;
asserts*) echo 'x: Assertion `y'"' failed"; kill -ABRT $$ ;;
races) kill -SEGV $$ ;;
vehicle) echo "panic: $HEDDLE_LIB"; kill -ABRT $$ ;;
esac
END
    chmod +x alone
    expect 1 "8 scenarios, 5 as expected" --suite=./alone --tool=$tool -n 3 -o native
    native $tool "^alone/ends +$tool +clean +1 *$"
    native $tool "^alone/dies +$tool +crash +3 +3   <-- expected clean"
    native $tool "^alone/fails +$tool +exit-code +3 +3   <-- expected clean"
    native $tool "^alone/hides +$tool +clean +3 *$"
    native $tool "^alone/asserts +$tool +assertion +1 +1$"
    native $tool "^alone/asserts_not +$tool +assertion +1 +1   <-- expected panic"
    native $tool "^alone/races +$tool +crash +1 +1$"
    grep -qx "panic: $tool" native/vehicle.$tool.txt || { echo "HEDDLE_LIB was not $tool" >&2; failed=1; }
done
expect 2 'there is no suite "nonsense"' --suite=nonsense
expect 2 'there is no tool' --tool=nonsense
expect 2 'wants a time' --budget=soon
expect 2 'wants a whole number' -n 0
expect 2 'no scenario has "zzz"' --suite=bugs --filter=zzz
expect 2 'takes options only' bugs
touch file
expect 2 'Not a directory' --suite=bugs --filter=/$pair -o file/below
expect 2 'file: Not a directory' --suite=bugs --filter=/$pair -o file
[ -d "heddle-out/stress/${pair}_wrong" ] && [ "$(ls heddle-out)" = stress ] ||
    { echo "heddle stress did not write below heddle-out/stress" >&2; failed=1; }
exit $failed
