#!/usr/bin/env bash
# test_coverage.sh HEDDLE COVERED POLICIES - which ways synchronisation went: a program of which that is known, in words and in the
# document, the same whatever -j and engine, in shards, and compared.
set -u
heddle=$1 covered=$2 policies=$3
export LC_ALL=C
source=$(realpath "$(dirname "$0")")/covered.c
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $1"; sed 's/^/    /' out.txt; failed=1; }
has() { jq -e ".coverage | $1" out.json >/dev/null || { fail "$1"; jq -c .coverage out.json; }; }
line() { grep -n "$1" "$source" | head -1 | cut -d: -f1; }

"$heddle" run -q -n 300 --json -- "$covered" >out.json 2>out.txt || fail 'the program'
has '.whole'
has '.locks | map({key: .lock, value: .contended}) | from_entries == {"apart": false, "busy": true, "shared": true}'
has "[.waits[] | select(.place | startswith(\"covered.c:$(line 'return pthread_cond_timedwait')\"))] | length == 1 and .[0].timed_out and .[0].woken"
has '.tries | length == 1 and .[0].got and .[0].missed'
has '[.pairs[] | select((.first + .second) | test("early") and test("late"))] | length == 1 and (.[0] | (.first | test("early")) and (.reversed | not) and (.overlapped | not))'
has '[.pairs[] | select(.first + .second | test("one.*two|two.*one"))] | length > 0 and any(.reversed and .overlapped)'
has '[.pairs[] | select(.first + .second | test("main"))] | length == 0'
jq -c .coverage out.json >one
for how in -j1 -j3 '-j2 --engine=in-place'; do
    # shellcheck disable=SC2086 # words
    "$heddle" run -q -n 300 --json $how -- "$covered" 2>out.txt | jq -c .coverage | cmp -s one - || fail "$how is not the same"
done

# What schedules in place did that were run again, having seen what others left: here they try a lock.
"$heddle" run -q -n 200 --json --engine=in-place -- "$policies" in_place_page_of_few >out.json 2>out.txt || fail 'pages of few'
jq -e '.statistics.in_place.run_again > 0' out.json >/dev/null || fail 'none was run again'
has '.tries == []'

# How many tries there are to make a finding's schedule plainer is a matter of time: they do not count.
for tries in no 100; do
    "$heddle" run -q -n 1 --seed=2 --json --shrink=$tries -- "$covered" turned fails >out.json 2>out.txt
    jq -c .coverage out.json >tries.$tries
done
jq -e '.statistics.shrink.tries > 3' out.json >out.txt || fail 'nothing was shrunk'
cmp -s tries.no tries.100 || { diff tries.no tries.100 >out.txt; fail 'tries count'; }

"$heddle" run -q -n 300 --report=json:before.json -- "$covered" >out.txt 2>&1
grep -q '^  never contended, 1 of 3 locks that several threads took: apart$' out.txt || fail 'in words'
grep -Eq '^  never the other way round, .*early.* before .*late' out.txt || fail 'orders in words'
grep -q '^  never timed out' out.txt && fail 'what timed out never did'
# Turned, the same places come in the other order too.
"$heddle" run -q -n 300 --name=covered --report=json:after.json -- "$covered" turned >out.txt 2>&1
"$heddle" coverage before.json after.json >out.txt 2>&1
[ $? -eq 0 ] || fail 'nothing was lost'
grep -q '^+ contended: apart$' out.txt && grep -Eq '^\+ in this order: .*late.* before .*early' out.txt && ! grep -q '^-' out.txt || fail 'what came'
"$heddle" coverage after.json before.json >out.txt 2>&1
[ $? -eq 1 ] && grep -q '^- contended: apart$' out.txt && ! grep -q '^+' out.txt || fail 'what went'
"$heddle" coverage before.json before.json >out.txt 2>&1
[ $? -eq 0 ] && [ "$(cat out.txt)" = covered ] || fail 'the same'
"$heddle" coverage before.json >out.txt 2>&1
[ $? -eq 0 ] && grep -q 'never contended.*: apart$' out.txt || fail 'one alone'
# Each shard has a part of what all have.
for i in 1 2; do "$heddle" run -q -n 4200 --engine=fork --shard=$i/2 -o shard.$i -- "$covered" >out.txt 2>&1; done
"$heddle" merge shard.1 shard.2 -o merged >out.txt 2>&1
jq -c '.tests[0].report.coverage | .pairs |= length' merged/report.json >out.txt
jq -c '.pairs |= length' one | cmp -s - out.txt || fail 'merged'
expect() { local code=$1; shift; "$@" >out.txt 2>&1; [ $? -eq "$code" ] || fail "$*"; }
expect 2 "$heddle" coverage
expect 2 "$heddle" coverage absent
expect 2 "$heddle" coverage before.json before.json before.json
"$heddle" run -q -n 3 --schedule=native --report=json:native.json -- "$covered" >out.txt 2>&1
expect 3 "$heddle" coverage before.json native.json
expect 3 "$heddle" coverage native.json
# A test that is there no more is lost, and one that came is not.
jq '.tests += [.tests[0] | .name = "more"]' before.json >two.json
expect 1 "$heddle" coverage two.json before.json
grep -q '^heddle: before.json: more has no coverage' out.txt || fail 'which test is lost'
expect 0 "$heddle" coverage before.json two.json
# All that was met went each way: that is said, and of others it is not.
jq '.tests[0].report.coverage |= with_entries(if (.value | type) == "array" then .value = [] else . end)' before.json >whole.json
"$heddle" coverage whole.json >out.txt 2>&1
grep -q 'nothing is missing' out.txt || fail 'nothing missing is not said'
"$heddle" coverage before.json >out.txt 2>&1
grep -q 'nothing is missing' out.txt && fail 'nothing missing is said where something is'
exit $failed
