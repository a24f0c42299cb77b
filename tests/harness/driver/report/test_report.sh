#!/bin/bash
# test_report.sh HEDDLE BUGS SOURCE CHROMIUM - what heddle report prints and writes, and how pages are in a browser.
heddle=$1 bugs=$2 source=$3 chromium=$4
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C.UTF-8
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
failed=0

fail() { echo "FAILED: $1"; failed=1; }
# refuses CODE PATTERN ARGUMENT...: heddle report says why not
refuses() {
    local code=$1 pattern=$2
    shift 2
    "$heddle" report "$@" >out.txt 2>&1
    [ $? -eq "$code" ] && grep -Eq -- "$pattern" out.txt || { fail "report $*"; cat out.txt; }
}

cp "$source/stress/classics/abba.c" "$source/stress/classics/cond_if.c" "$source"/stress/classics/*.h .
${CC:-cc} -g -w abba.c -o abba -pthread && ${CC:-cc} -g -w -DRIGHT abba.c -o abba_right -pthread &&
    ${CC:-cc} -g -w cond_if.c -o cond_if -pthread &&
    ${CC:-cc} -g "$here/hostile.c" -o hostile -pthread || fail 'no compiler'
mkdir '<' && sed -n '/^#line/,$p' "$here/hostile.c" | tail -n +2 >'</script><img src=x onerror=owned=1>.c'

# As text: what the run printed.
"$heddle" run -n 100 --report=html:run.html -- ./abba >run.txt 2>run.err
[ $? -eq 1 ] || fail 'no deadlock found'
"$heddle" report heddle-out >again.txt || fail 'no text'
diff -u run.txt again.txt || fail 'not the same text'
"$heddle" report heddle-out --finding=deadlock-1 >one.txt && grep -q '^deadlock-1 ' one.txt && ! grep -q '^[0-9]* finding' one.txt || fail 'one finding'

# The page, from the run and afterwards, from elsewhere too.
"$heddle" report heddle-out --html deadlock.html --trace deadlock.trace || fail 'no page'
cmp run.html deadlock.html || fail 'not the same page'
# What belongs to a finding has its schedule, too.
[ "$(grep -c 'class="also"' deadlock.html)" -gt 0 ] && [ "$(grep -c '<section class="story"' deadlock.html)" = "$(grep -c -e 'class="also"' -e '<article' deadlock.html)" ] &&
    [ "$(grep -o 'id="story-[0-9]*"' deadlock.html | sort -u | wc -l)" = "$(grep -c '<section class="story"' deadlock.html)" ] || fail 'what belongs to a finding has no schedule'
mkdir elsewhere && cp -r heddle-out elsewhere/moved && (cd elsewhere && "$heddle" report moved --html a.html) && cmp deadlock.html elsewhere/a.html ||
    fail 'not the same page of a folder that was moved'
"$heddle" merge heddle-out -o merged >/dev/null 2>&1
"$heddle" report merged --html merged.html && grep -q 'id="story-1"' merged.html || fail 'no story after a merge'
"$heddle" report merged >out.txt && grep -q 'deadlock-1' out.txt || fail 'no text of a merged run'
cmp heddle-out/deadlock-1.story.json merged/deadlock-1.story.json || fail 'another story after a merge'

# What comes from the program stays text.
"$heddle" run -q -n 200 -o hostile.out '--name=</title><script>owned=1</script>' --report=html:hostile.html \
    -- ./hostile '<script>owned=1</script>' '</script><img src=x onerror=owned=1>' >/dev/null 2>&1
grep -q 'img src=x' hostile.html || fail 'the hostile names are not in the page'
grep -qi '<img\|</script><\(img\|!\)\|<!--' hostile.html && fail 'the hostile names are markup'
[ "$(grep -o '<script' hostile.html | wc -l)" = "$(grep -o '</script>' hostile.html | wc -l)" ] || fail 'scripts are not balanced'

# The trace.
"$here/check_trace.py" deadlock.trace 3 >trace.txt || { fail 'the trace of a deadlock'; cat trace.txt; }
"$heddle" run -q -n 60 -o channel.out --report=html:channel.html -- "$bugs" feed_before_drain_wrong >/dev/null 2>&1
"$heddle" run -q -n 60 -o ring.out --report=html:ring.html -- "$bugs" send_under_lock_wrong >/dev/null 2>&1
"$heddle" report channel.out --finding=deadlock-1 --trace channel.trace || fail 'no trace of channels'
"$here/check_trace.py" channel.trace 3 >trace.txt && grep -q 'C:' trace.txt && grep -q 's:' trace.txt || { fail 'the trace of channels'; cat trace.txt; }
"$heddle" run -q -n 200 -o classic.out -- ./cond_if >/dev/null 2>&1
"$heddle" report classic.out --trace classic.trace && "$here/check_trace.py" classic.trace 4 >trace.txt && grep -q 'b:' trace.txt || { fail 'the trace of a condition variable'; cat trace.txt; }
# The story: what is unlocked is given back, and a wait names who may end it.
jq -e '([.rows[] | select(.[2] == "gives")] | length) >= ([.rows[] | select(.[2] == "does" and .[3] == "mutex_unlock")] | length) and
    ([.rows[] | select(.[2] == "waits" and .[3] == "cond_wait")] | length) > 0 and
    ([.rows[] | select(.[2] == "may-go-on" and .[3] == "cond_wait" and (.[6] | type) == "number")] | length) > 0 and
    ([.rows[] | select(.[2] == "gives")] | length) > 0' classic.out/*-1.story.json >/dev/null || fail 'the story of a condition variable'
# The check of traces notices what is wrong.
jq '(.traceEvents[] | select(.ph == "X") | .dur) |= . + 1000' deadlock.trace >bad.trace
"$here/check_trace.py" bad.trace 3 >/dev/null 2>&1 && fail 'slices that overlap are not noticed'
jq 'del(.traceEvents[] | select(.ph == "e"))' deadlock.trace >bad.trace
"$here/check_trace.py" bad.trace 3 >/dev/null 2>&1 && fail 'locks that are never given back are not noticed'

# Nothing found; a story that is damaged or gone; no folder of a run.
"$heddle" run -q -n 20 -o nothing.out --shard=1/1 --report=html:nothing.html -- ./abba_right >/dev/null 2>&1
"$heddle" report nothing.out --html again.html && cmp again.html nothing.html || fail 'no page of nothing'
refuses 3 'there is no schedule to write a trace of' nothing.out --trace x.trace
cp -r heddle-out damaged.out && echo '{"schema": "heddle-story"' >damaged.out/deadlock-1.story.json
(mkdir apart && mv damaged.out apart && cd apart && "$heddle" report damaged.out --html ../damaged.html) || fail 'no page with a damaged story'
refuses 3 'deadlock-1.story.json cannot be read, or is damaged' apart/damaged.out --finding=deadlock-1 --trace x.trace
for damage in '.steps = 2000000000' '.rows |= reverse' '.rows = 7' 'del(.threads)' '.objects[0] = 1' '.first = 0' '.rows[3][0] = 1e300' '.rows[3][0] = -1'; do
    jq "$damage" heddle-out/deadlock-1.story.json >apart/damaged.out/deadlock-1.story.json
    refuses 3 'deadlock-1.story.json cannot be read, or is damaged' apart/damaged.out --finding=deadlock-1 --trace x.trace
done
for damage in '.rows[3] = 7' '.rows[3][1] = 99' '.rows[3][4] = 99' '.rows[3][5] = -1' '.rows[3][2] = 5' '.places = []'; do
    jq "$damage" heddle-out/deadlock-1.story.json >apart/damaged.out/deadlock-1.story.json
    timeout 20 "$heddle" report apart/damaged.out --trace y.trace >/dev/null 2>&1
    [ $? -lt 4 ] || fail "a story with $damage"
done
mkdir empty && refuses 2 'there is no report.json in empty' empty
refuses 2 'there is no report.json|cannot be read' no/such/folder
mkdir broken && echo '{"schema": "heddle-tests", "tests": [' >broken/report.json && refuses 2 'broken/report.json:' broken --html x.html
echo '{}' >broken/report.json && refuses 2 'is no heddle-tests document' broken
refuses 2 'has no finding crash-7' heddle-out --finding=crash-7 --html x.html
refuses 2 'which run\?'
refuses 3 'there is no folder no/such' heddle-out --html no/such/x.html
refuses 3 'no/such/x.trace cannot be written' heddle-out --trace no/such/x.trace
[ -e x.html ] || [ -e x.trace ] && fail 'something was written'

# In a browser.
"$here/make_many.py" heddle-out many.out && "$heddle" report many.out --html many.html || fail 'no page of many'
if [ ! -x "$chromium" ]; then
    [ $failed -eq 0 ] || exit 1
    echo "SKIPPED: chromium is not installed (ci/bootstrap does that): pages were written, and not looked at"
    exit 77
fi
timeout 240 "$here/check_page.py" "$chromium" "$work" || failed=1
exit $failed
