#!/bin/sh
# table.sh BUILD [SCHEDULES [RUNS]]: every pair of this folder under heddle and under clang's TSan.
#
#   BUILD      build tree with bin/heddle-cc and the heddle command
#   SCHEDULES  that each right program must survive in silence (2000)
#   RUNS       plain repetitions given to ThreadSanitizer to find each wrong one (100)
# One line a pair. Exit code 1 when a wrong program is not found, or a right one is reported.
set -u
build=$(cd "${1:?usage: table.sh BUILD [SCHEDULES [RUNS]]}" && pwd) || exit 2
schedules=${2:-2000}
runs=${3:-100}
here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0 found_h=0 found_t=0 pairs=0 silent=0

printf '%-20s  %-34s  %-22s  %s\n' program 'heddle: schedule, findings' "right twin, $schedules" "TSan: run of $runs"
for source in "$here"/*.c; do
    name=$(basename "$source" .c)
    pairs=$((pairs + 1))
    for right in 0 1; do
        "$build/bin/heddle-cc" -g -O1 -w -DRIGHT=$right "$source" -o "$work/$name.$right" -pthread || exit 2
    done
    first=$("$heddle" run -q -n 5000 --stop-at-first --replays=1 -o "$work/out" -- "$work/$name.0" 2>/dev/null)
    kinds=$(echo "$first" | sed -n 's/^  \([a-z-]*\)-[0-9]*  .*/\1/p' | sort -u | paste -sd, -)
    at=$(echo "$first" | sed -n 's/^[0-9,]* findings\{0,1\} in \([0-9,]*\) schedule.*/\1/p')
    if [ -n "$kinds" ]; then
        found_h=$((found_h + 1))
    else
        kinds='not found' failed=1
    fi
    if grep -q "^$name " "$here/expect.txt" && ! grep -q "^$name .*${kinds%%,*}" "$here/expect.txt"; then
        kinds="$kinds (unexpected)" failed=1
    fi
    twin=$("$heddle" run -q -n "$schedules" -o "$work/out" -- "$work/$name.1" 2>&1)
    if [ $? -eq 0 ]; then
        silent=$((silent + 1)) twin=silent
    else
        twin="REPORTED: $(echo "$twin" | tail -n 1)" failed=1
    fi
    tsan='-'
    if command -v clang >/dev/null && clang -fsanitize=thread -g -O1 -w -DRIGHT=0 "$source" -o "$work/tsan" -pthread 2>/dev/null; then
        tsan='not found'
        i=0
        while [ $i -lt "$runs" ]; do
            i=$((i + 1))
            TSAN_OPTIONS=halt_on_error=1 timeout 10 "$work/tsan" >/dev/null 2>&1 && continue
            tsan=$i found_t=$((found_t + 1))
            break
        done
    fi
    printf '%-20s  %-34s  %-22s  %s\n' "$name" "${at:--}: $kinds" "$twin" "$tsan"
done
echo "$pairs pairs: heddle found $found_h and was silent on $silent right ones; ThreadSanitizer found $found_t in $runs plain runs"
exit $failed
