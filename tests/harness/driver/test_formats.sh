#!/bin/bash
# test_formats.sh HEDDLE SELFTEST SELFTEST-MEMORY SOURCE - every document that is written is as its schema has
# it, for each kind of finding, for text that is hard to write, and for no finding.
heddle=$1 plain=$2 memory=$3 source=$4
export LC_ALL=C
official=$("$source/ci/schemas") || exit 1
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
failed=0

fail() { echo "FAILED: $1"; failed=1; }
valid() { "$source/tests/schemas/valid" "$official" "$@" || failed=1; }
# all NAME CODE OPTION...: run with every format
all() {
    local name=$1 code=$2
    shift 2
    "$heddle" run -q -n 20 --steer=3 --replays=1 -o "$name.out" --json \
        --report="junit:$name.xml,sarif:$name.sarif,gitlab:$name.gitlab,tap:$name.tap,github:$name.github,json:$name.tests.json,html:$name.html" \
        "$@" >"$name.json" 2>"$name.err"
    local got=$?
    [ $got -eq "$code" ] || { fail "$name: exit code $got, not $code"; cat "$name.err"; }
}

for kind in deadlock lost-wakeup self-deadlock leak-blocked leak-unjoined leak-object unlock-not-held \
    unlock-not-owner destroy-in-use use-after-destroy cond-two-mutexes cond-not-locked lock-at-exit join-misuse \
    sync-misuse handler-errno handler-call descriptor-race crash assertion panic exit-code livelock; do
    all $kind 1 -- "$plain" $kind
done
all signal-unlocked 1 --hints -- "$plain" signal-unlocked
for kind in data-race use-after-free double-free; do
    all $kind 1 -- "$memory" $kind
done
all lock-order 0 --steer=0 -- "$plain" lock-order
all hard 1 --name=$'a\x01<b>&"\']]>#%,:\\ \xff \xef\xbf\xbf' -- "$plain" deadlock
all engine 1 --engine=in-place -- "$plain" deadlock
all nothing 0 --name=nothing -- "$plain" correct
all early 3 -- /bin/true
all fine 0 --allow-no-threads -- /bin/true
valid ./*.xml ./*.sarif ./*.gitlab ./*.tap ./*.json ./*.out/report.json ./*.out/*.story.json
[ "$(ls ./*.sarif | wc -l)" = 33 ] || fail 'not every kind was tried'

# The same in all: what failed, and where.
jq -e '[.runs[0].results[] | select(.ruleId == "deadlock" and .level == "error")][0]
    | (.locations[0].physicalLocation.region.startLine > 0)
    and (.codeFlows[0].threadFlows | length >= 2)
    and ([.codeFlows[0].threadFlows[].locations[].executionOrder] | sort == [range(1; length + 1)])
    and (.relatedLocations | length >= 4)
    and (.properties.replay | startswith("heddle replay deadlock.out/"))' deadlock.sarif >/dev/null ||
    fail 'the deadlock in SARIF'
same=$(jq -r '.findings[0].fingerprint' deadlock.json)
[ "$(jq -r '.runs[0].results[0].partialFingerprints["heddleFingerprint/v1"]' deadlock.sarif)" = "$same" ] &&
    [ "$(jq -r '.[0].fingerprint' deadlock.gitlab)" = "$same" ] || fail 'fingerprints differ'
[ "$(xmllint --xpath 'string(//failure/text())' deadlock.xml)" = "$(jq -r '.findings[0].report' deadlock.json)" ] ||
    fail 'the report in JUnit is not the whole one'
xmllint --xpath 'string(//failure/text())' deadlock.xml | grep -q 'Replay:  heddle replay deadlock.out' || fail 'no rerun line'
xmllint --xpath 'string(//testsuite/@failures)' deadlock.xml | grep -qx 1 || fail 'failures in JUnit'
grep -qE '^::error file=[^,]*plant_waits\.c,line=[0-9]+,col=[0-9]+,title=deadlock::deadlock: .*%0Aheddle replay ' deadlock.github ||
    fail 'the annotation'
grep -q '^not ok 1 - selftest_main\|^not ok 1 - heddle-selftest deadlock$' deadlock.tap || fail 'TAP'

# What fails nothing is a warning.
grep -q '^::warning ' lock-order.github && grep -q '^ok 1' lock-order.tap &&
    xmllint --xpath 'string(//testsuite/@failures)' lock-order.xml | grep -qx 0 &&
    jq -e '.runs[0].results[0].level == "warning"' lock-order.sarif >/dev/null &&
    jq -e '.[0].severity == "minor"' lock-order.gitlab >/dev/null || fail 'a prediction fails a run'
[ "$(jq length nothing.gitlab)" = 0 ] && [ ! -s nothing.github ] && grep -q '^ok 1 - nothing$' nothing.tap || fail 'nothing found'
grep -q '^::error title=heddle::true: the program ended' early.github && grep -q '<error message="the program ended' early.xml &&
    jq -e '.runs[0].invocations[0] | .executionSuccessful == false' early.sarif >/dev/null || fail 'trouble is no error'
grep -q '^ok 1 - true # SKIP the program created no thread$' fine.tap && grep -q '<skipped>' fine.xml &&
    grep -qx '::notice title=heddle::nothing judged: the program created no thread' fine.github || fail 'no threads'

# A page says whether nothing was found or nothing judged.
titled() { grep -qF "<title>$2 - Heddle</title>" "$1" && grep -qF "<h1>$2</h1>" "$1" || { fail "$1 is not titled $2"; grep -o '<title>[^<]*' "$1"; }; }
titled nothing.html 'Nothing found in nothing'
titled early.html 'Nothing judged in true'
titled fine.html 'Nothing judged in true'
for tests in 'nothing nothing fine' 'fine early' 'nothing fine deadlock'; do
    # shellcheck disable=SC2046,SC2086  # words
    jq -s '.[0] + {tests: map(.tests[])}' $(printf '%s.tests.json ' $tests) >suite.json
    "$heddle" report suite.json --html "${tests// /-}.html" || fail "a page of $tests"
done
titled nothing-nothing-fine.html 'Nothing found in 2 tests, 1 not judged'
titled fine-early.html 'Nothing judged in 2 tests'
titled nothing-fine-deadlock.html "$(jq '[.findings[] | select(.same_as or .same_cause | not)] | length' deadlock.json) finding in 2 tests, 1 not judged"

# Paths are the repository's, wherever the command runs in it.
mkdir -p repo/.git repo/src repo/build/deep
cp "$source/stress/classics/abba.c" "$source"/stress/classics/*.h repo/src/
(cd repo/build && ${CC:-cc} -g -w ../src/abba.c -o deep/abba -pthread) || fail 'no compiler'
(cd repo && "$heddle" run -q -n 20 --report=github,sarif:a.sarif,gitlab:a.gitlab -- build/deep/abba) >place.txt 2>&1
grep -q '^::error file=src/abba.c,line=' place.txt || { fail 'not the path in the repository'; grep '^::' place.txt; }
jq -e '.[0].location.path == "src/abba.c"' repo/a.gitlab >/dev/null || fail 'the path in GitLab'
jq -e '.runs[0].results[0].locations[0].physicalLocation.artifactLocation == {uri: "src/abba.c", uriBaseId: "SRCROOT"}' \
    repo/a.sarif >/dev/null || fail 'the path in SARIF'

# A pipe or a device is written to, and stays what it is.
mkfifo pipe
cat pipe >piped.xml &
"$heddle" run -q -n 5 --report=junit:pipe -- "$plain" deadlock >out.txt 2>&1
[ -p pipe ] || { fail 'a pipe was replaced by a file'; : >pipe; }
wait $!
grep -q '<testsuites' piped.xml || { fail 'a pipe was not written to'; cat out.txt; }

# Wrong input.
expect() {
    local pattern=$1
    shift
    "$heddle" run -q -n 5 "$@" -- "$plain" correct >out.txt 2>&1
    [ $? -eq 2 ] && grep -Eq -- "$pattern" out.txt || { fail "$*"; cat out.txt; }
}
expect 'there is no format "pdf"' --report=pdf:x
expect 'junit goes to a file, junit:FILE' --report=junit
expect 'names sarif twice' --report=sarif:a,sarif:b
expect 'there is no folder no/such' --report=junit:no/such/x.xml
expect 'is a folder' --report=junit:/tmp
expect 'json has stdout for itself' --report=github --json
"$heddle" run -q -n 5 --report=junit:/proc/x.xml -- "$plain" correct >out.txt 2>&1
[ $? -eq 3 ] && grep -q '/proc/x.xml cannot be written' out.txt || { fail 'a file that cannot be written'; cat out.txt; }
"$heddle" run -q -n 5 --report=junit:/proc/x.xml -- "$plain" deadlock >out.txt 2>&1
[ $? -eq 1 ] && grep -q 'deadlock-1' out.txt || { fail 'what was found is lost'; cat out.txt; }
exit $failed
