#!/bin/bash
# test_command.sh HEDDLE RUNTIME VICTIM - the command as a user meets it: exit codes, and one clear
# sentence for each wrong input. RUNTIME is the fake one: what fails here is the driver.
heddle=$1 victim=$3
export HEDDLE_RUNTIME=$2
. "$(dirname "$0")/expect.bash"

run() { "$heddle" run -q -n 20 "$@"; }

# the command line
expect 2 'Usage: heddle COMMAND' "$heddle"
expect 0 'heddle run -- ./prog' "$heddle" --help
expect 0 '^heddle [0-9]' "$heddle" --version
expect 2 'unknown command "dance"' "$heddle" dance
expect 2 'unknown option --dance' "$heddle" --dance
expect 2 'there is no option --dance' "$heddle" run --dance -- "$victim"
expect 2 'which program' "$heddle" run
expect 2 'which program' "$heddle" run --
expect 2 '^heddle run: -n wants a whole number' "$heddle" run -n many -- "$victim"
expect 2 '-n wants' "$heddle" run -n 0 -- "$victim"
expect 2 '-j wants' "$heddle" run -j 1000 -- "$victim"
expect 2 '--time wants a time' "$heddle" run --time=soon -- "$victim"
expect 2 '--timeout wants a time' "$heddle" run --timeout=-1s -- "$victim"
expect 2 'there is no strategy "best"' "$heddle" run --strategy=best -- "$victim"
expect 2 '--depth wants' "$heddle" run --depth=0 -- "$victim"
expect 2 '--clock is virtual or real' "$heddle" run --clock=slow -- "$victim"
for c in run replay doctor; do expect 0 'Exit codes' "$heddle" $c --help; done

# the program
printf '#!/bin/sh\ntrue\n' >script; chmod +x script
echo text >text
cp "$victim" suid; chmod u+s suid
expect 3 'no such file' run -- ./absent
expect 3 'absent-program: no such program in PATH$' run -- absent-program
cp "$victim" present-program
expect 3 'but here is one: name it ./present-program' run -- present-program
expect 3 'is a folder' run -- /tmp
expect 3 'is a script for /bin/sh' run -- ./script
expect 3 'is not executable' run -- ./text
expect 3 'is a set-user-ID program' run -- ./suid
expect 3 'ended \(exit code 7\) without creating a thread' run -- "$victim" nothread
grep -q '| usage: victim FILE' out.txt || { echo "FAILED: the program's own words are missing"; failed=1; }
expect 1 'crash.*signal 6' run -- "$victim" early
expect 3 'created no thread within' run --timeout=300ms -- "$victim" sleeper
expect 3 'killed by signal 9.*does the program signal its parent' run -- "$victim" parent

# findings
expect 0 'nothing found in 20 schedules' run -- "$victim"
# What a program writes into the memory of its batch is no more than was asked for.
for written in '' 3 1000000 -1; do
    expect 0 'nothing found in 60 schedules' env ${written:+FAKE_BATCH=$written} timeout 30 "$heddle" run -q -n 60 -j1 --engine=in-place -- "$victim"
done
# After one that hung for long the program gets its time to start as ever.
expect 0 'nothing found in 60 schedules' env FAKE_BATCH=hangs timeout 60 "$heddle" run -q -n 60 -j1 --timeout=1s --engine=in-place -- "$victim"
expect 0 'nothing found' run -- "$victim" closer
expect 0 'nothing found' run -- "$victim" daemon
expect 1 'crash-1 .*signal 11' run -- "$victim" crash
expect 1 'hang-1 .*did not end within' run -n 1 --replays=0 --timeout=300ms -- "$victim" hang
expect 1 'more than 16 MiB' run -n 1 --replays=0 --timeout=500ms -- "$victim" printer
expect 1 'exit-code-1 +failure: exit code 3 in every schedule$' run -- "$victim" exit 3
expect 1 'output-1 ' run --check-output -- "$victim" clock
expect 1 'oracle-1 ' run --oracle='grep -q absent' -- "$victim"
expect 0 'nothing found' run --oracle='grep -q prefix' -- "$victim"
expect 1 'grep: absent: No such file' run --oracle='cat | grep prefix absent' -- "$victim"
expect 2 'the oracle `absent-program` cannot be run .*not found' run --oracle=absent-program -- "$victim"
expect 2 'cannot be run .exit code 126' run --oracle=./text -- "$victim"
expect 1 '`sleep 100` did not end within 300 ms' run -n 1 --replays=0 --timeout=300ms --oracle='sleep 100' -- "$victim"
expect 1 'heddle replay --trust ' env XDG_STATE_HOME=/dev/null/none "$heddle" run -q -n 20 -- "$victim" crash
expect 2 'is not in the language of sh' run --oracle='cmp - <(echo bash)' -- "$victim"
expect 2 'the oracle' run --json --oracle=absent-program -- "$victim"
grep -q '"exit_code": 2' out.txt || { echo "FAILED: the document must have the exit code"; failed=1; }
export FAKE_FINDING=1
expect 1 'reproduced 3 of 3' run -o found -- "$victim"
expect 1 '"schema": "heddle-report"' run --json -- "$victim"
expect 1 '^1 finding in 1 schedule ' run -j1 --stop-at-first -- "$victim"

# schedule files
file=found/deadlock-1.schedule
expect 1 '^reproduced$' "$heddle" replay $file
expect 1 '^reproduced 5 of 5 times, each with the same decisions$' "$heddle" replay -n 5 $file
FAKE_FINDING=0 expect 2 'absent: no such file' "$heddle" replay absent
expect 2 'text:1: this is no schedule file' "$heddle" replay text
expect 2 'binary data' "$heddle" replay "$victim"
head -c 300 $file >cut; expect 2 'cut:[0-9]*: ' "$heddle" replay cut
sed 's/seed .*/seed 1/' $file >edited; expect 2 'was changed since it was written' "$heddle" replay edited
sed '1s/2/9/' $file >future; expect 2 'from a newer Heddle' "$heddle" replay future
sed "s|^program .*|program /nonexistent|; s/^end.*/end/" $file >foreign
expect 3 'no such file' "$heddle" replay --trust foreign

# a file from elsewhere does not run what it names
expect 2 'foreign was not written by you on this machine' "$heddle" replay foreign
grep -q 'program   /nonexistent' out.txt && grep -q 'it is not here' out.txt || { echo "FAILED: what it runs must be shown"; failed=1; }
expect 2 'was not written by you' env XDG_STATE_HOME="$work/other-user" "$heddle" replay $file
expect 1 '^reproduced$' env XDG_STATE_HOME="$work/other-user" "$heddle" replay --trust $file
expect 1 '^reproduced$' env XDG_STATE_HOME="$work/other-user" "$heddle" replay $file -- "$victim"
cp $file moved; expect 1 '^reproduced$' "$heddle" replay moved
sed '$s/ [0-9a-f]*$//' $file >unstamped; expect 2 'was not written by you' "$heddle" replay unstamped
expect 2 'which schedule' "$heddle" replay
unset FAKE_FINDING
expect 0 'passes now' "$heddle" replay $file
cp "$victim" other; objcopy --remove-section .note.gnu.build-id other 2>/dev/null || true
expect 1 '^reproduced$' env FAKE_FINDING=1 "$heddle" replay $file -- ./other

# the output folder
expect 2 'is a file' run -o text -- "$victim"
expect 2 'there is no folder' run -o no/such -- "$victim"
export FAKE_FINDING=1
expect 1 'findings are printed all the same' run -o /proc/x -- "$victim"
grep -q 'deadlock-1 ' out.txt || { echo "FAILED: findings must be printed"; failed=1; }
sed -n '/^heddle schedule 2$/,/^end /p' out.txt >unsaved
expect 1 '^reproduced$' "$heddle" replay unsaved
expect 1 'the report cannot be written' bash -c '"$0" run -q -n 3 -o full-stdout -- "$1" >/dev/full' "$heddle" "$victim"

# a disk that is full, in a mount of our own
full() { unshare -rm bash -c 'mount -t tmpfs -o size=4k none "$0" && exec "$@"' "$@"; }
mkdir full
if full full true; then
    expect 1 'No space left.*findings are printed all the same' full full "$heddle" run -q -n 20 -o full/out -- "$victim"
    grep -q 'reproduced 3 of 3' out.txt || { echo "FAILED: findings must be printed"; failed=1; }
else
    echo "not tried: a full disk, as no file system can be mounted here"
fi

# one folder a campaign
expect 1 'heddle replay campaigns/deadlock-1.schedule' run -o campaigns -- "$victim"
expect 1 'heddle replay campaigns/2/deadlock-1.schedule' run -o campaigns -- "$victim"
expect 1 '^reproduced$' "$heddle" replay campaigns/2/deadlock-1.schedule
for i in 1 2 3 4 5 6; do
    "$heddle" run -q -n 5 -o together -- "$victim" $i >/dev/null 2>&1 &
done
wait
for i in 1 2 3 4 5 6; do # each has its own folder, and its files are of one campaign
    grep -l "^argument $i$" -r together --include=campaign
done | xargs -n1 dirname | while read -r dir; do
    diff <(grep ^argument "$dir/campaign") <(grep ^argument "$dir"/*.schedule)
done >mixed.txt
[ "$(find together -name campaign | wc -l)" = 6 ] && [ ! -s mixed.txt ] || { echo "FAILED: campaigns mix"; find together; cat mixed.txt; failed=1; }
unset FAKE_FINDING

# each native run has its output to itself
expect 1 'assertion-1 .*Assertion .held' run --schedule=native -j1 -n 3 --replays=0 -- "$victim" asserts
grep -q 'seen in 3 schedules' out.txt && ! grep -q crash out.txt || { echo "FAILED: native outputs"; cat out.txt; failed=1; }

# stdin comes to each schedule, whole
echo hello | "$heddle" run -q -n 20 --oracle='grep -q hello' -- "$victim" cat >out.txt 2>&1 ||
    { echo "FAILED: stdin from a pipe"; cat out.txt; failed=1; }
"$heddle" run -q -n 20 --oracle='grep -q "^text$"' -- "$victim" cat <text >out.txt 2>&1 ||
    { echo "FAILED: stdin from a file"; cat out.txt; failed=1; }

# nothing judged is not nothing found
cut() { env -u HEDDLE_RUNTIME "$heddle" run -q -n 20 -j1 --strategy=random "$@" -- "$victim"; }
expect 3 '^nothing judged: none of 20 schedules came to an end' cut --max-steps=2
grep -q '20 of 20 schedules reached the step bound and were cut (--max-steps): random 20 of 20' out.txt || { echo "FAILED: what was cut, and by whom"; failed=1; }
grep -q '^heddle: 0 of 20 schedules came to their end' out.txt || { echo "FAILED: a sentence says why"; failed=1; }
expect 3 '"judged": 0' cut --json --max-steps=2
expect 0 '^nothing found in 20' cut
expect 0 '"judged": 20' cut --json

# an interrupt ends with the summary
timeout -s INT 3 "$heddle" run -q --time=20s -- "$victim" >out.txt 2>&1
grep -q 'nothing found in .*interrupted' out.txt || { echo "FAILED: interrupt"; cat out.txt; failed=1; }

# a fork bomb is stopped before it takes the machine with it: the real runtime counts calls of fork(),
# the guard what was made behind its back
expect 3 'makes processes without end' env -u HEDDLE_RUNTIME "$heddle" run -q -n 2 --max-processes=100 -- "$victim" forker
expect 3 'makes processes without end' env -u HEDDLE_RUNTIME "$heddle" run -q -n 2 --max-processes=40 -- "$victim" cloner
expect 0 'nothing found' env -u HEDDLE_RUNTIME "$heddle" run -q -n 2 --max-processes=170 -- "$victim" cloner
expect 2 'max-processes wants' run --max-processes=1 -- "$victim"

# nothing is left behind
if ps -eo args | grep -q "^$victim"; then
    echo "FAILED: processes are left"; failed=1
fi
exit $failed
