#!/bin/sh
# bench_race.sh BUILD cost|depth [SEEDS]: what watching memory costs, and how soon deep bugs are found.
#
#   cost   CPU-bound kernels: plain, clang's TSan, heddle-cc by itself, under heddle before the first
#          thread, under heddle in a thread (every access checked; schedules that keep a tape for
#          predictions, 1, 2, 4 ... 4096 of a campaign, cost more); peak memory; schedules a second of
#          the three-thread program
#   depth  schedules to the first failure of depth.c, mean over SEEDS (20) seeds, a column a strategy;
#          "-" when a seed did not find it in 5,000 schedules
set -u
build=$(cd "${1:?usage: bench_race.sh BUILD cost|depth [SEEDS]}" && pwd) || exit 2
what=${2:-cost}
seeds=${3:-20}
here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

cost()
{
    clang -O2 "$here/kernels.c" -o "$work/plain" -pthread || exit 2
    clang -O2 -fsanitize=thread "$here/kernels.c" -o "$work/tsan" -pthread || exit 2
    "$build/bin/heddle-cc" -O2 "$here/kernels.c" -o "$work/watched" -pthread || exit 2
    "$work/plain" main >"$work/0"
    "$work/tsan" main >"$work/1"
    "$work/watched" main >"$work/2"
    # one schedule each, its figures in a file: the driver keeps what the program prints
    HEDDLE_KERNELS_OUT=$work/3 "$heddle" run -q -j 1 -n 1 --timeout=60s -o "$work/out" -- "$work/watched" prefix >/dev/null 2>&1
    HEDDLE_KERNELS_OUT=$work/4 "$heddle" run -q -j 1 -n 1 --predict=off --timeout=60s -o "$work/out" -- "$work/watched" watched >/dev/null 2>&1
    "$work/tsan" watched >"$work/5"
    printf '%-10s %12s %20s %20s %20s %20s %20s\n' '' plain TSan 'heddle-cc alone' 'heddle, one thread' 'heddle, watched' 'TSan, second thread'
    while read -r name plain; do
        set -- "$plain"
        line=$(printf '%-10s %12s' "$name" "$plain")
        for i in 1 2 3 4 5; do
            value=$(awk -v n="$name" '$1 == n { print $2 }' "$work/$i" 2>/dev/null)
            line="$line $(printf '%12s (%4sx)' "${value:--}" "$(awk -v a="${value:-0}" -v b="$plain" 'BEGIN { printf "%.1f", b ? a / b : 0 }')")"
        done
        echo "$line"
    done <"$work/0"
    "$build/bin/heddle-cc" -O1 -g "$here/three_threads.c" -o "$work/three" -pthread || exit 2
    echo "three threads, all instrumented: $("$heddle" run -q -n 4000 -o "$work/out" -- "$work/three" 2>/dev/null | tail -n 1)"
}

depth()
{
    "$build/bin/heddle-cc" -O1 -g "$here/depth.c" -o "$work/depth" -pthread || exit 2
    printf '%-14s' bug
    strategies='auto random pct pos burst surw hold'
    for s in $strategies; do printf '%9s' "$s"; done
    echo
    for bug in 'order 3' 'order 5' 'order 10' 'order 20' 'order 50' 'order 100' 'late 3' 'late 20' 'late 100' \
        'atomicity 2' 'atomicity 20' 'atomicity 100' 'twostage 2' 'twostage 20' 'twostage 100' \
        'stack 2' 'stack 3' 'stack 5' 'chain 2' 'chain 3'; do
        printf '%-14s' "$bug"
        for s in $strategies; do
            sum=0 seed=0
            while [ $seed -lt "$seeds" ]; do
                seed=$((seed + 1))
                at=$("$heddle" run -q -n 5000 --strategy=$s --seed=$seed --stop-at-first --replays=1 --no-leaks \
                    -o "$work/out" -- "$work/depth" $bug 2>/dev/null |
                    sed -n 's/^1 finding in \([0-9,]*\) schedule.*/\1/p' | tr -d ,)
                [ -n "$at" ] || { sum=-; break; }
                sum=$((sum + at))
            done
            [ "$sum" = - ] || sum=$(awk -v s=$sum -v n="$seeds" 'BEGIN { printf "%.1f", s / n }')
            printf '%9s' "$sum"
        done
        echo
    done
}

case $what in
cost | depth) $what ;;
*) echo "usage: bench_race.sh BUILD cost|depth [SEEDS]" >&2; exit 2 ;;
esac
