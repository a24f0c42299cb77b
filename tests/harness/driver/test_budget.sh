#!/usr/bin/env bash
# test_budget.sh HEDDLE KNOWN - how much is tried when nobody says how much: takes half a minute.
set -u
heddle=$1 known=$2
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $1"; tail -30 out.txt | sed 's/^/    /'; failed=1; }

# Interleavings that are not all seen soon: 10 seconds, and no more than what ends then.
SECONDS=0
"$heddle" run -q --engine=fork -- "$known" 3 5 >out.txt 2>&1
[ $SECONDS -ge 10 ] || fail "over after $SECONDS s"
grep -Eq '^nothing found in .*, time is up: --seed=1 -n [0-9]+ for as many again$' out.txt || fail 'the time'
# Each schedule takes long: 500 nevertheless, and not many more.
"$heddle" run -q --json -j1 --seed=7 --oracle='sleep 0.03' -- "$known" 3 5 >out.txt 2>&1
jq -e '.statistics.schedules | . >= 500 and . <= 510' out.txt >/dev/null || fail "$(jq .statistics.schedules out.txt) slow schedules"
exit $failed
