#!/bin/sh
# bench_race.sh BUILD: what watching memory costs.
#
# CPU-bound kernels: plain, clang's TSan, heddle-cc by itself, under heddle before the first thread,
# under heddle in a thread (every access checked; schedules that keep a tape for predictions, 1, 2,
# 4 ... 4096 of a campaign, cost more); peak memory; schedules a second of the three-thread program.
set -u
build=$(cd "${1:?usage: bench_race.sh BUILD}" && pwd) || exit 2
here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

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
