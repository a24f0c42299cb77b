#!/usr/bin/env bash
# test_worth.sh HEDDLE KNOWN - what "nothing found" is worth, and how much is tried when nobody says how much, of
# programs whose interleavings can be counted.
set -u
heddle=$1 known=$2
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $1"; tail -30 out.txt | sed 's/^/    /'; failed=1; }
run() { "$heddle" run -q "$@" >out.txt 2>&1; }
json() { jq -e ".statistics | $1" out.txt >/dev/null || fail "$1 of $(jq -c '.statistics | [.schedules, .interleavings, .unseen, .pct]' out.txt)"; }

# All of 2 threads with 2 sections each are seen, 6 = 4! / (2! 2!); the same of 3 threads with one, and 20 of 2 with 3.
for of in '2 2 6' '3 1 6' '2 3 20'; do
    # shellcheck disable=SC2086 # words
    set -- $of
    run --json --until-saturated -- "$known" "$1" "$2" || fail "$of"
    json ".interleavings == $3 and .unseen.share < 0.005 and .unseen.saturated and .schedules < 2000"
    # What chance alone comes to is met more than once; the portfolio seeks what it has not met.
    run --json --strategy=random --until-saturated -- "$known" "$1" "$2" || fail "$of"
    json ".interleavings == $3 and .unseen.once == 0 and .unseen.share == 0 and .unseen.saturated and .schedules < 2000"
done
run --strategy=random --until-saturated -- "$known" 2 2
grep -q '^nothing found in .*, saturated$' out.txt && grep -q '^  unseen: the last .* showed no new interleaving; each was met more than once' out.txt || fail 'in words'
# 756,756 of 3 threads with 5 sections each: nearly all are unseen, and it does not stop.
run --json -n 1500 --until-saturated -- "$known" 3 5
json '.schedules >= 1500 and .unseen.share > 0.3 and .unseen.interleavings_at_least > 10000 and .unseen.interleavings_at_least < 1000000 and (.unseen.saturated | not)'
# It is where it stops that the estimate is what was asked for; the same whatever -j, and in place.
run --json -j1 --until-saturated=5 -- "$known" 3 2
json '.unseen.share <= 0.05 and .unseen.saturated and .interleavings <= 90'
jq -c '.statistics | [.schedules, .interleavings, .unseen]' out.txt >one
for how in -j2 -j3 '-j2 --engine=in-place'; do
    # shellcheck disable=SC2086 # words
    run --json $how --until-saturated=5 -- "$known" 3 2
    jq -c '.statistics | [.schedules, .interleavings, .unseen]' out.txt | cmp -s one - || fail "$how: $(cat one)"
done
# Nobody says how many: until hardly any is new, or the time is up, which it is on a machine that has none.
run -j1 -- "$known" 2 2
grep -Eq '^nothing found in [0-9]+,?[0-9]{3} schedules .*, (saturated|time is up: --seed=1 -n [0-9]+ for as many again)$' out.txt || fail 'by default'
run --json -- "$known" 2 2
json '.schedules > 500 and (.unseen.saturated or .schedules < 3200)'
# Interleavings that are not all seen soon: 10 seconds, and no more than what ends then.
SECONDS=0
run --engine=fork -- "$known" 3 5
[ $SECONDS -ge 10 ] || fail "over after $SECONDS s"
grep -Eq '^nothing found in .*, time is up: --seed=1 -n [0-9]+ for as many again$' out.txt || fail 'the time'
# Each schedule takes long: 500 nevertheless, and not many more.
run --json -j1 --seed=7 --oracle='sleep 0.03' -- "$known" 3 5
json '.schedules >= 500 and .schedules <= 510'
# pct: of 2 threads besides main, n = 3.
run --json --strategy=pct --depth=2 -n 300 -- "$known" 2 2
json '.pct | length == 1 and .[0].depth == 2 and .[0].threads == 3 and .[0].schedules > 250 and .[0].probability > 0.5 and .[0].probability < 1'
run --strategy=pct --depth=2 -n 300 -- "$known" 2 2
grep -Eq '^  pct: a bug that needs 2 ordered events, among 3 threads and [0-9]+ decisions, was met with a probability of at least [0-9]+ % ' out.txt || fail 'pct in words'
# Shards do not know what the others saw.
for i in 1 2; do "$heddle" run -q --strategy=pct -n 4500 --shard=$i/2 -o shard.$i -- "$known" 2 2 >out.txt 2>&1; done
"$heddle" merge shard.1 shard.2 -o merged >out.txt 2>&1
jq '.tests[0].report' merged/report.json >out.txt
json '.unseen == null and (.pct | length == 1) and .pct[0].schedules > 4300 and .pct[0].probability > 0.2'
expect() { "$@" >out.txt 2>&1; [ $? -eq 2 ] || fail "$*"; }
expect "$heddle" run --until-saturated=0 -- "$known"
expect "$heddle" run --until-saturated=x -- "$known"
expect "$heddle" run --until-saturated --shard=1/2 -n 5000 -- "$known"
expect "$heddle" run --until-saturated --schedule=native -- "$known"
exit $failed
