#!/usr/bin/env bash
# What a program says of itself is heard: check.sh HEDDLE PLAIN MEMORY [THREAD]
# Each bug is found when the program is silent and not when it has told; twins of one program.
set -u
heddle=$1 plain=$2 memory=$3 thread=${4:-} failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { # CODE NAME OPTIONS... -- PROGRAM ARGUMENTS: the exit code is CODE
    local code=$1 name=$2
    shift 2
    "$heddle" run -q --replays=1 -o "$work/out" "$@" >"$work/said" 2>&1
    local got=$?
    [ $got -eq "$code" ] && return
    echo "FAILED: $name: exit code $got, not $code"
    head -30 "$work/said"
    failed=1
}
pair() { # NAME OPTIONS... -- PROGRAM WHAT
    local name=$1
    shift
    run 1 "$name, silent" "$@" silent
    run 0 "$name, told" "$@" told
}

"$plain" race told || { echo 'FAILED: alone'; failed=1; }
pair 'heddle: race' -n 30 -- "$memory" race
pair 'heddle: heap' -n 30 -- "$memory" heap
run 1 'heddle: beside' -n 30 -- "$memory" beside told
run 1 'heddle: again' -n 30 -- "$memory" again told
pair 'heddle: order' -n 20 --strict -- "$plain" order # a prediction, which nothing brings about
pair 'heddle: leak' -n 20 -- "$plain" leak
if [ -n "$thread" ]; then
    pair 'tsan: race' --tool=tsan -n 5 -- "$thread" race
    pair 'tsan, native: race' --tool=tsan --schedule=native -n 5 -- "$thread" race
    run 1 'tsan: beside' --tool=tsan -n 5 -- "$thread" beside told
fi
if command -v valgrind >/dev/null; then
    for tool in helgrind drd; do
        pair "$tool: race" --tool=$tool -n 3 -- "$plain" race
        pair "$tool, native: race" --tool=$tool --schedule=native -n 3 -- "$plain" race
        run 1 "$tool: beside" --tool=$tool -n 3 -- "$plain" beside told
    done
fi
exit $failed
