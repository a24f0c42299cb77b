#!/bin/bash
# test_policy.sh HEDDLE SELFTEST ABBA-WRONG ABBA-RIGHT - what fails a run: baselines, kinds, doubtful ones, no threads, Ctrl-C;
# and options that would do nothing.
heddle=$1 plain=$2 abba=$3 right=$4
. "$(dirname "$0")/expect.bash"
lacks() {
    ! grep -Eq -- "$1" out.txt || { echo "FAILED: said /$1/"; sed 's/^/    /' out.txt; failed=1; }
}
run() { "$heddle" run -q -n 50 "$@"; }

# A baseline: red, written, green, a new one red, the old one gone.
expect 1 'deadlock-1  deadlock: .*wait for each other' run -o first -- "$abba"
"$heddle" baseline first >known || { echo "FAILED: no baseline"; failed=1; }
expect 0 'deadlock-1 .*\(known\)' run --baseline=known -o second -- "$abba"
grep -q '^heddle: [0-9]* findings* \(is\|are\) in the baseline$' out.txt || { echo "FAILED: known ones are not counted"; failed=1; }
lacks 'Who waits for whom'
expect 0 '"known": true' run --baseline=known --json -- "$abba"
expect 1 'self-deadlock-1 ' run --baseline=known -- "$plain" self-deadlock
lacks 'not found any more' # those are another test's
expect 1 'self-deadlock-1 ' run --baseline=known --name=abba_wrong -- "$plain" self-deadlock
grep -q 'in the baseline, but not found any more: abba_wrong, deadlock' out.txt || { echo "FAILED: what is gone is not named"; cat out.txt; failed=1; }
expect 1 'deadlock-1 ' run --seed 9 --strategy=pct -- "$abba"
expect 0 'deadlock-1 .*\(known\)' run --seed 9 --strategy=pct --baseline=known -- "$abba"
# Stop at the first one means the first that counts.
expect 0 ' in 5[0-9] schedules' run --baseline=known --stop-at-first -- "$abba"
expect 2 'cannot read the baseline absent' run --baseline=absent -- "$abba"
echo 'junk' >junk
expect 2 'junk:1: a line is fingerprint' run --baseline=junk -- "$abba"
printf '0123456789abcdef\tdance\tx\ty\n' >junk
expect 2 'junk:1: there is no such kind' run --baseline=junk -- "$abba"
printf '0123\tdeadlock\tx\ty\n' >junk
expect 2 'junk:1: a fingerprint is' run --baseline=junk -- "$abba"
expect 2 'whose findings' "$heddle" baseline
expect 2 'absent/? cannot be read|absent cannot be read' "$heddle" baseline absent
mkdir empty; expect 2 'no report.json in empty' "$heddle" baseline empty
echo '{"schema": "heddle-tests", "tests": [{}]}' >doc.json
expect 2 'doc.json is no heddle-tests document' "$heddle" baseline doc.json
echo '{' >doc.json; expect 2 'doc.json:[0-9]*: ' "$heddle" baseline doc.json

# Kinds.
expect 0 'deadlock-1 ' run --fail-on=data-race,crash --lock-order=off -- "$abba"
expect 1 'deadlock-1 ' run --fail-on=data-race,deadlock -- "$abba"
expect 1 'deadlock-1 ' run --fail-on=all -- "$abba"
expect 2 'there is no kind of finding "dance"' run --fail-on=dance -- "$abba"
# Predictions are warnings unless asked for.
expect 0 'lock-order-1 .*\(doubtful\)' run --steer=0 -- "$plain" lock-order
expect 1 'lock-order-1 ' run --steer=0 --strict -- "$plain" lock-order
# Suppressed ones are counted.
echo 'deadlock:*' >supp
expect 0 'findings? (was|were) suppressed' run --suppressions=supp -- "$abba"
expect 0 '"suppressed": [1-9]' run --suppressions=supp --json -- "$abba"

# No threads.
expect 3 'without creating a thread' run -- /bin/true
expect 0 'created no thread' run --allow-no-threads -- /bin/true
expect 3 'exit code 1. without creating' run --allow-no-threads -- /bin/false
expect 1 'deadlock-1' run --allow-no-threads -- "$abba"
# What child processes do is not judged: that nothing was found says nothing.
expect 3 'no schedule created a thread.*ran without Heddle' run -- sh -c "$right; true"
grep -q '^nothing judged: none of 50 schedules created a thread$' out.txt || { echo "FAILED: that nothing was judged"; failed=1; }
lacks 'nothing found|unseen:'
expect 0 'created no thread: there was nothing' run --allow-no-threads -- sh -c "$right; true"
expect 3 'or become \(exec\), ran without Heddle' run -- env "$right"
expect 1 'exit code 7' run -- sh -c 'ls >/dev/null; exit 7'
expect 0 'nothing found' run -- "$plain" correct

# What a run left is not taken for the findings of a later one.
expect 1 'deadlock-1' run -o turns -- "$abba"
expect 0 'nothing found' run -o turns -- "$plain" correct
expect 0 'nothing found in 50 schedules' "$heddle" report turns
grep -q 'turns holds several runs: this is the last one, turns/2$' out.txt || { echo "FAILED: which run is not said"; cat out.txt; failed=1; }
lacks deadlock
[ -z "$("$heddle" baseline turns | grep -v '^#')" ] || { echo "FAILED: a baseline of what is gone"; failed=1; }
expect 0 'deadlock-1  deadlock' "$heddle" report turns/report.json
expect 0 'nothing found in 60 schedules' "$heddle" run -q -n 60 -o turns -- "$plain" correct
expect 0 'nothing found in 60 schedules' "$heddle" report turns
[ ! -e turns/3 ] || { echo "FAILED: a folder for each run that found nothing"; failed=1; }
expect 1 'self-deadlock-1' run -o turns -- "$plain" self-deadlock
expect 0 'heddle replay turns/3/self-deadlock-1.schedule' "$heddle" report turns
expect 0 'nothing found' run -o none -- "$plain" correct
[ ! -e none ] || { echo "FAILED: a folder though nothing was found"; failed=1; }

# Exit codes that are fine.
expect 1 'exit-code-1 ' run -- "$plain" exit-code
expect 0 'nothing found' run --exit-code=any -- "$plain" exit-code
expect 1 'exit-code-1 ' run --exit-code=77,99 -- "$plain" exit-code
expect 0 'created no thread' run --allow-no-threads --exit-code=1 -- /bin/false
expect 2 '--exit-code wants numbers' run --exit-code=300 -- /bin/false

# Ctrl-C.
expect 130 'interrupted' timeout --preserve-status -s INT 2 "$heddle" run -q --time=20s -- "$plain" correct
expect 1 'deadlock-1' timeout --preserve-status -s INT 4 "$heddle" run -q --time=20s -- "$abba"
expect 143 'interrupted' timeout --preserve-status -s TERM 2 "$heddle" run -q --time=20s -- "$plain" correct

# Two at once are one, and a later one ends it at once.
"$heddle" run -q --time=20s -- "$plain" correct >out.txt 2>&1 &
sleep 1
kill -INT $!; kill -INT $!
wait $!
[ $? -eq 130 ] && grep -q interrupted out.txt || { echo "FAILED: two signals at once"; cat out.txt; failed=1; }
"$heddle" run -q -n1 --oracle='sleep 30' -- "$plain" correct >out.txt 2>&1 &
sleep 1
kill -TERM $!; sleep 0.5; kill -TERM $!
wait $!
[ $? -eq 143 ] && [ ! -s out.txt ] || { echo "FAILED: the second signal"; cat out.txt; failed=1; }

# What does nothing here is refused, or said.
for option in --strategy=pct --points=all --memory-model=tso --depth=2 --max-steps=9 --clock=real --patience=1s \
    --elastic-sleep --spurious --fresh --no-leaks --lock-order=on --reach=off --steer=1 --predict=off \
    --check-determinism; do
    expect 2 "^heddle run: ${option%=*} does not go with --schedule=native" run --schedule=native $option -- "$abba"
done
expect 2 '--depth does not go with --strategy=random' run --strategy=random --depth=2 -- "$abba"
expect 2 '--tool-arg goes with --tool' run --tool-arg=--x -- "$abba"
expect 1 '--memory-model had no effect: nothing that the program loaded was built with heddle-cc' run --memory-model=tso -- "$abba"
expect 1 '--points had no effect' run --points=all -- "$abba"
expect 1 'deadlock-1' run -- "$abba"
lacks 'had no effect'

# Help.
expect 0 'Run PROGRAM under many schedules' "$heddle" help run
expect 0 'Run PROGRAM under many schedules' "$heddle" run -h
for command in run replay watch ctest test merge stress doctor baseline coverage; do
    expect 0 "^Usage: heddle $command" "$heddle" help $command
    expect 0 "^Usage: heddle $command" "$heddle" $command -h
done
expect 2 'unknown command "rnu": did you mean run' "$heddle" rnu
expect 2 'unknown command "rpelay": did you mean replay' "$heddle" help rpelay
expect 2 'unknown command "dance"; heddle --help' "$heddle" dance
expect 2 'there is no option --stratgy: did you mean --strategy' "$heddle" run --stratgy=pct -- "$abba"
expect 2 'there is no option --suit: did|ambiguous|there is no option --siute: did you mean --suite' "$heddle" stress --siute=x
expect 2 'there is no option --dance \(heddle run --help' "$heddle" run --dance -- "$abba"
expect 1 'deadlock-1' run --tool heddle --oracle true -- "$abba" --dance

# What cannot be printed is no success.
for command in --help --version 'help run' 'run --help' doctor 'baseline first'; do
    # shellcheck disable=SC2086  # words
    "$heddle" $command >/dev/full 2>out.txt
    got=$?
    [ $got -eq 3 ] && grep -q 'cannot be written: No space left' out.txt || { echo "FAILED: $command on a full disk: exit $got"; cat out.txt; failed=1; }
done
exit $failed
