#!/bin/bash
# test_way_out.sh HEDDLE CASE... - threads that are left: the report names --no-leaks and --reach=off, and prints one
# line, which in a suppression file leaves them out. CASE: a program with its arguments, in one word.
heddle=$1
shift
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

run() { # CODE PROGRAM OPTIONS...: how heddle ends
    local code=$1 got
    # shellcheck disable=SC2206 # its arguments
    local program=($2)
    shift 2
    "$heddle" run -q -j1 -n 20 --lock-order=off -o none "$@" -- "${program[@]}" >report 2>&1 </dev/null
    got=$?
    [ $got -eq "$code" ] && return
    echo "FAILED (exit $got, wanted $code): ${program[*]} with $*"
    sed 's/^/    /' report
    failed=1
}

for program in "$@"; do
    run 1 "$program"
    grep -q -- '--no-leaks .*--reach=off' report || { echo "FAILED: no --no-leaks: $program"; failed=1; }
    sed -n '/^  If it is kept on purpose/,/^  Replay/s/^    \([a-z-]*:.*\)/\1/p' report >lines
    [ -s lines ] || { echo "FAILED: no line to suppress: $program"; failed=1; }
    run 0 "$program" --suppressions=lines
    run 0 "$program" --no-leaks --reach=off
done
exit $failed
