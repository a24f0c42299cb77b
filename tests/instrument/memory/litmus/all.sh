#!/usr/bin/env bash
# What the memory models show of generated programs, against what the axioms allow: all rings of two to four
# threads, each in its decorations; those of two in every combination of orders, fences and updates; random programs.
#   tests/instrument/memory/litmus/all.sh [-b BUILD] [-n PROGRAMS]
# BUILD is the build folder (build), PROGRAMS the random ones (3000). At most 2,000,000 executions of each, 200,000 in
# c11, 50,000 of those in every combination. Ten minutes. Exits 1 when something impossible was shown, or too little of what is possible.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../../../build programs=3000 failed=0
while getopts b:n: option; do
    case $option in
    b) build=$OPTARG ;;
    n) programs=$OPTARG ;;
    *) exit 2 ;;
    esac
done
compare=$build/tests/instrument/memory/litmus_compare
[ -x "$compare" ] || { echo "all.sh: no $compare: build the project first" >&2; exit 2; }
for model in sc tso c11; do
    executions=2000000
    [ $model != c11 ] || executions=200000
    echo "rings:"
    "$compare" -m $model -s -n 18600 -e "$executions" || failed=1
    echo "rings of two:"
    "$compare" -m $model -x -n 291600 -e 50000 || failed=1
    echo "random:"
    "$compare" -m $model -n "$programs" -e "$executions" || failed=1
done
exit $failed
