#!/usr/bin/env bash
# Random programs: is each race that a schedule predicts shown by the first schedule that is computed for it?
#   stress/predict/generated.sh [-b BUILD] [-n PROGRAMS] [-s SEED]
# BUILD is the build folder (build), PROGRAMS 300, SEED 1. Each program runs two schedules, which predict. Exits 1
# when a prediction was not shown.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build programs=300 seed=1
while getopts b:n:s: option; do
    case $option in
    b) build=$OPTARG ;;
    n) programs=$OPTARG ;;
    s) seed=$OPTARG ;;
    *) exit 2 ;;
    esac
done
build=$(cd "$build" && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cc -o "$work/generate" "$here/generate.c" && "$work/generate" "$programs" "$seed" >"$work/all.c" &&
    "$build/bin/heddle-cc" -g -O0 -w "$work/all.c" -o "$work/all" -pthread || exit 2
for ((i = 0; i < programs; i++)); do
    "$build/harness/driver/heddle" run -q --json -j1 -n 2 --replays=1 --seed=$((seed + i)) -o "$work/out" -- "$work/all" $i \
        >"$work/json" 2>"$work/err" || [ $? -eq 1 ] || { echo "program $i: $(head -c 200 "$work/err")" >&2; exit 2; }
    jq -r --arg i "$i" '.statistics.predicted + {program: $i,
        found: ([.findings[] | select(.kind == "data-race")] | length),
        doubtful: ([.findings[] | select(.doubtful != null)] | length)}
        | [.program, .races, .shown, .at_once, .guesses, .guesses_shown, .found, .doubtful, .cut] | @tsv' "$work/json"
done | awk '
    { races += $2; shown += $3; once += $4; guesses += $5; right += $6; found += $7; doubtful += $8; cut += $9; n++ }
    $2 != $3 || $8 { print "program " $1 ": predicted " $2 ", shown " $3 ", doubtful " $8 }
    END {
        printf "%d programs, %d races found\n", n, found
        printf "predicted %d, shown %d, by the first try %d; guesses %d, shown %d; doubtful %d, cut %d\n",
            races, shown, once, guesses, right, doubtful, cut
        exit n == 0 || races != shown || doubtful
    }'
