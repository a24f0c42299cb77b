#!/usr/bin/env bash
# What the lock-order graph costs natively: ns of CPU time of a lock and its unlock, order known, nobody
# else wanting the lock, beside the plain pair, TSan's deadlock detector and Helgrind's lock order.
#   stress/bench/bench_lockgraph.sh [-b BUILD] [-r ROUNDS] [-t TIMES]
# Below: memory of the graph a lock and an edge, and the load average that the times had to live with.
# Every figure is the lowest of TIMES (5) runs of ROUNDS (1,000,000) pairs; the runs take turns, so that
# what else the machine does falls on all alike. Tools that are not installed show "-".
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build rounds=1000000 times=5
while getopts b:r:t: option; do
    case $option in
    b) build=$OPTARG ;;
    r) rounds=$OPTARG ;;
    t) times=$OPTARG ;;
    *) exit 2 ;;
    esac
done
bench=$build/stress/bench/bench_lockgraph library=$build/harness/rt/libheddle-watch.so
for file in "$bench" "${bench}_memory" "$library"; do
    [ -e "$file" ] || { echo "bench_lockgraph: no $file: build the project first" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tsan=
if clang -O2 -fsanitize=thread -pthread -o "$work/tsan" "$here/bench_lockgraph.c" 2>/dev/null; then
    tsan=$work/tsan
fi

lowest() { # FILE
    sort -n "$1" 2>/dev/null | head -n 1
}
row() { # NAME HELD LOCKS THREADS
    local name=$1 held=$2 locks=$3 threads=$4
    local n=$((rounds / threads))
    local few=$((n / 20 > locks ? n / 20 : locks)) fewest=$((n / 200 > locks ? n / 200 : locks))
    rm -f "$work"/*.ns
    for ((i = 0; i < times; i++)); do
        "$bench" "$held" "$locks" "$threads" "$n" >>"$work/plain.ns"
        HEDDLE=lockorder LD_PRELOAD=$library "$bench" "$held" "$locks" "$threads" "$n" >>"$work/heddle.ns"
        if [ -n "$tsan" ] && [ $i -lt 2 ] && [ "$held" -lt 60 ]; then # more than 64 held end TSan
            TSAN_OPTIONS='detect_deadlocks=1 report_bugs=1' setarch -R \
                "$tsan" "$held" "$locks" "$threads" "$few" >>"$work/tsan.ns" 2>/dev/null
        fi
    done
    if command -v valgrind >/dev/null; then
        valgrind -q --tool=helgrind "$bench" "$held" "$locks" "$threads" "$fewest" \
            >>"$work/helgrind.ns" 2>/dev/null
    fi
    local plain heddle ts hg
    plain=$(lowest "$work/plain.ns") heddle=$(lowest "$work/heddle.ns")
    ts=$(lowest "$work/tsan.ns") hg=$(lowest "$work/helgrind.ns")
    printf '%-26s %8s %8s %7s %8s %9s\n' "$name" "$plain" "$heddle" \
        "$(awk "BEGIN { printf \"%.2fx\", $heddle / $plain }")" "${ts:--}" "${hg:--}"
}
printf '%-26s %8s %8s %7s %8s %9s\n' 'ns a pair' plain heddle ratio TSan Helgrind
row 'nothing held' 0 1 1
row '1 held' 1 1 1
row '8 held' 8 1 1
row '200 held' 200 1 1
row '10,000 locks, 1 held' 1 10000 1
row '64 threads, 1 held' 1 1 64
row '64 threads, 100 locks each' 1 100 64
echo
"$build/stress/bench/bench_lockgraph_memory"
echo
echo "load average $(cut -d ' ' -f 1-3 /proc/loadavg); TSan: detect_deadlocks=1, ends itself above 64 locks held"
