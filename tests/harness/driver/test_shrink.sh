#!/bin/bash
# test_shrink.sh HEDDLE PROGRAM - schedules are shrunk to what their finding needs, and no finding is lost by it.
heddle=$1 program=$2
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}
run() { # OUT OPTIONS... -- PROGRAM: the report in json
    local out=$1
    shift
    "$heddle" run -q --json -n 300 -o "$out" "$@" >json 2>err </dev/null
}

# So many preemptions are needed, and are what is left.
while read -r word needed; do
    run "$word" -- "$program" "$word"
    code=$?
    [ $code -eq 1 ] || { fail "$word: exit $code: $(cat err)" && continue; }
    jq -e --argjson needed "$needed" '.findings | length == 1 and all(.reproduced == .replays
        and .shrunk.preemptions == $needed and .shrunk.preemptions_found > $needed and .shrunk.tries <= 100
        and (.interleaving | length) <= 15)' json >/dev/null ||
        fail "$word: not $needed preemptions: $(jq -c '.findings[] | [.name, .reproduced, .shrunk]' json)"
    for file in "$word"/assertion-1.schedule "$word"/assertion-1.min.schedule; do
        said=$("$heddle" replay -n 3 "$file" 2>&1 </dev/null)
        [ $? -eq 1 ] && grep -q 'reproduced 3 of 3 times, each with the same decisions' <<<"$said" ||
            fail "$file does not replay: $said"
    done
    runs=$(grep -c '^run' "$word"/assertion-1.schedule) less=$(grep -c '^run' "$word"/assertion-1.min.schedule)
    [ "$less" -lt "$runs" ] || fail "$word: $less turns instead of $runs"
    grep -q "Shrunk:  heddle replay $word/assertion-1.min.schedule ($needed preemption" "$word"/assertion-1.txt ||
        fail "$word: the report does not name the schedule: $(tail -3 "$word"/assertion-1.txt)"
done <<'END'
ABA 1
ABAB 2
BABA 2
ABABA 3
ABABAB 4
END

# What needs none.
run right -- "$program" ABA kept
[ $? -eq 0 ] && jq -e '.findings == [] and .statistics.shrink.tries == 0' json >/dev/null ||
    fail "the right twin: $(jq -c '.findings' json)"

# The same, whatever -j is.
for j in 1 2; do
    run "jobs$j" -j $j -- "$program" ABAB
    grep -v '^end' "jobs$j/assertion-1.min.schedule" >"jobs$j.min"
done
cmp -s jobs1.min jobs2.min || fail "-j changes what schedules are shrunk to: $(diff jobs1.min jobs2.min)"

# Not at all, or with too few tries: what was found is there all the same.
run none --shrink=no -- "$program" ABAB
[ $? -eq 1 ] && jq -e '.findings | length == 1 and all(.shrunk == null)' json >/dev/null || fail "--shrink=no"
run few --shrink=2 -- "$program" ABAB
[ $? -eq 1 ] && jq -e '.findings | length == 1 and all(.shrunk.tries <= 2)' json >/dev/null || fail "--shrink=2"
[ -e none/assertion-1.schedule ] && [ -e few/assertion-1.schedule ] || fail "a schedule is missing"
[ ! -e none/assertion-1.min.schedule ] || fail "--shrink=no shrinks"
"$heddle" run --shrink=much -- "$program" ABA >out 2>&1
[ $? -eq 2 ] && grep -q -- --shrink out || fail "--shrink=much: $(cat out)"

# Whether there was time for all tries is told.
jq -e '.statistics.shrink.time_up == false and (.summary | test("time for making") | not)' json >/dev/null || fail "there was time"
SLOW=400000 run slow -j 1 --strategy=random --stop-at-first -- "$program" ABA
jq -e '.statistics.shrink.time_up and (.summary | test("time for making schedules plainer was up"))' json >/dev/null ||
    fail "there was no time: $(jq -c .statistics.shrink json) $(cat err)"
jq -e '.findings[0].shrunk | .preemptions < .preemptions_found' json >/dev/null || fail "what was plainer by then is lost"

# Stopped in the middle of it.
SLOW=30000 "$heddle" run -j 1 -n 100 --strategy=random -o stopped -- "$program" ABA >out 2>err </dev/null &
pid=$!
for _ in $(seq 600); do
    grep -q 'assertion-1 in schedule' err && break
    sleep 0.1
done
sleep 1
kill -INT $pid 2>/dev/null
wait $pid
code=$?
[ $code -eq 1 ] && grep -q '^assertion-1 ' out && [ -e stopped/assertion-1.schedule ] ||
    fail "stopped: exit $code: $(cat out err)"

exit $failed
