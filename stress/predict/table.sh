#!/usr/bin/env bash
# Races that one order of the locks hides: schedules to the first finding with prediction and without.
#   stress/predict/table.sh [-b BUILD] [-m RIGHT] [-s SEEDS] [-l LIMIT] [NAME...]
# BUILD is the build folder (build). Of each program the wrong version is run with SEEDS seeds (5), up to LIMIT
# schedules (500): with prediction, with `auto` alone, with `random` alone; mean, and how many seeds found
# nothing. The right version must be silent in RIGHT schedules (2000). Exits 1 when prediction does not find one
# within four schedules, or a right version is reported.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build right=2000 seeds=5 limit=500
while getopts b:m:s:l: option; do
    case $option in
    b) build=$OPTARG ;;
    m) right=$OPTARG ;;
    s) seeds=$OPTARG ;;
    l) limit=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
build=$(cd "$build" && pwd) || exit 2
heddle=$build/harness/driver/heddle
[ -x "$heddle" ] || { echo "table.sh: no heddle in $build: build the project first" >&2; exit 2; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# mean of the schedules needed, and seeds that found nothing; the worst in $worst
first() { # PROGRAM OPTIONS...
    local program=$1 sum=0 found=0 none=0 at seed
    shift
    worst=0
    for seed in $(seq "$seeds"); do
        at=$("$heddle" run -q --json -j1 -n "$limit" --stop-at-first --replays=1 --seed="$seed" -o "$work/out" "$@" \
            -- "$program" 2>/dev/null | jq '[.findings[] | select(.doubtful == null) | .first_schedule] | min // 0')
        if [ "${at:-0}" -gt 0 ]; then
            sum=$((sum + at)) found=$((found + 1))
            [ "$at" -le "$worst" ] || worst=$at
        else
            none=$((none + 1)) worst=$limit
        fi
    done
    if [ $found -eq 0 ]; then
        cell="none in $limit"
    else
        cell=$(awk "BEGIN { printf \"%.1f\", $sum / $found }")
        [ $none -eq 0 ] || cell="$cell (none: $none of $seeds)"
    fi
}

failed=0 pairs=0
printf '%-18s %-12s %-22s %-22s %s\n' program prediction auto random "right, $right"
for source in "$here"/*.c; do
    name=$(basename "$source" .c)
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    grep -q pattern.h "$source" || continue # the generator of generated.sh
    pairs=$((pairs + 1))
    for version in 0 1; do # -O0: the accesses stay where the source has them
        "$build/bin/heddle-cc" -g -O0 -w -I"$here/.." -DRIGHT=$version "$source" -o "$work/$name.$version" -pthread || exit 2
    done
    first "$work/$name.0"
    with=$cell
    [ "$worst" -le 4 ] || { with="$cell <--" failed=1; }
    first "$work/$name.0" --predict=off
    auto=$cell
    first "$work/$name.0" --predict=off --strategy=random
    random=$cell
    twin=$("$heddle" run -q -n "$right" -o "$work/out" -- "$work/$name.1" 2>&1)
    if [ $? -eq 0 ] && ! grep -q DOUBTFUL <<<"$twin"; then
        twin=silent
    else
        twin="REPORTED: $(tail -n 1 <<<"$twin")" failed=1
    fi
    printf '%-18s %-12s %-22s %-22s %s\n' "$name" "$with" "$auto" "$random" "$twin"
done
[ $pairs -gt 0 ] || { echo "table.sh: no such program: $*" >&2; exit 2; }
exit $failed
