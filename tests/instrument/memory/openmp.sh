#!/bin/sh
# openmp.sh BUILD SOURCE: what LLVM's OpenMP runtime orders is no race, what it does not order is one; under GCC's,
# which tells nothing, races are said to be off.
set -u
build=$1 program=$2/tests/instrument/memory/openmp.c
heddle=$build/harness/driver/heddle
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

explore() # COMPILER FLAG -> $work/report
{
    HEDDLE_CC=$1 "$build/bin/heddle-cc" -g -O1 $2 -fopenmp "$program" -o "$work/program" || exit 1
    "$heddle" run -q -n "$3" --replays=1 -o "$work/out" -- "$work/program" >"$work/report" 2>&1
}

explore clang "" 60 || { cat "$work/report"; exit 1; }
explore clang -DRACE 60
grep -q '^data-race-1 .*racy_count' "$work/report" || { cat "$work/report"; exit 1; }
explore gcc "" 5
grep -q 'not under control:.*libgomp' "$work/report" || { cat "$work/report"; exit 1; }
! grep -q '^data-race' "$work/report"
