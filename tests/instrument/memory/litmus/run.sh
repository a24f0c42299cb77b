#!/usr/bin/env bash
# Generated programs under heddle run: nothing that the model does not allow, in any schedule; and what another
# model does not allow, but this one does, is shown, and replayed.
#   tests/instrument/memory/litmus/run.sh BUILD [PROGRAMS]
set -u
build=$(cd "$1" && pwd) programs=${2:-3} failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

under() { # MEMORY-MODEL MODEL shape|random NUMBER
    "$build/harness/driver/heddle" run -q -n 200 --stop-at-first "--memory-model=$1" -o "$work/out" -- \
        "$build/tests/instrument/memory/litmus_run" "$2" "$3" "$4" >"$work/report" 2>&1
}

impossible() {
    echo "$*: $(cat "$work/report" "$work"/out/*.stderr)"
    failed=1
}

for ((number = 0; number < programs; number++)); do
    for model in sc tso c11; do
        under $model $model random $number || impossible $model random $number
    done
done
# store buffering, R, message passing, S and 2+2W, relaxed
while read -r model stronger number; do
    under "$model" "$stronger" shape "$number"
    grep -q 'SIGABRT.*' "$work/report" && grep -q 'reproduced 3 of 3' "$work/report" || {
        echo "$model, ring $number: not shown, or not replayed"
        failed=1
    }
done <<'RINGS'
tso sc 432
tso sc 456
c11 sc 432
c11 tso 216
c11 tso 336
c11 tso 576
RINGS
exit $failed
