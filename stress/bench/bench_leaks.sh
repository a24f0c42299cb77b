#!/usr/bin/env bash
# What the leak tracker costs natively: ns of CPU time for a goroutine inside a leak check and outside of
# one, and for goroutines and threads of a program that `heddle watch` follows and of one that it does not.
#   stress/bench/bench_leaks.sh [-b BUILD] [-r ROUNDS] [-t TIMES]
# Threads: the lowest of TIMES (10) runs of 20 times 200 threads; the runs take turns.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build rounds=30 times=10
while getopts b:r:t: option; do
    case $option in
    b) build=$OPTARG ;;
    r) rounds=$OPTARG ;;
    t) times=$OPTARG ;;
    *) exit 2 ;;
    esac
done
bench=$build/stress/bench/bench_leaks library=$build/harness/rt/libheddle-watch.so
for file in "$bench" "$library"; do
    [ -e "$file" ] || { echo "bench_leaks: no $file: build the project first" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lowest() { # FILE
    sort -n "$1" | head -n 1
}
"$bench" "$rounds" || exit
printf '\nfollowed by heddle watch:\n'
HEDDLE=leaks LD_PRELOAD=$library "$bench" "$rounds" || exit
printf '\n'
for ((i = 0; i < times; i++)); do
    "$bench" --threads 200 >>"$work/plain"
    HEDDLE=leaks LD_PRELOAD=$library "$bench" --threads 200 >>"$work/followed" 2>/dev/null
done
plain=$(lowest "$work/plain") followed=$(lowest "$work/followed")
printf '%-32s %8s\n' 'ns a thread, create and join' least
printf '%-32s %8d\n' plain "$plain" 'followed (heddle watch)' "$followed"
printf '%-32s %+8d\n' 'following it costs' $((followed - plain))
printf 'load average: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
