#!/bin/sh
# watched.sh BUILD SOURCE COMPILER: instrumented programs end to end, with one of the compilers.
#
# A few pairs of stress/races (all of them: stress/races/table.sh), the weak-memory pairs in their
# models, determinism of what is learned, and what heddle-cc refuses.
set -u
build=$1 source=$2
HEDDLE_CC=$3
export HEDDLE_CC
command -v "$HEDDLE_CC" >/dev/null || exit 77
heddle=$build/harness/driver/heddle
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0

wrong()
{
    echo "FAILED: $1"
    failed=1
}

compile() # SOURCE RIGHT -> $work/program
{
    "$build/bin/heddle-cc" -g -O1 -w -I"$source/stress" -DRIGHT=$2 "$source/stress/$1.c" -o "$work/program" -pthread || wrong "compile $1"
}

explore()
{
    rm -rf "$work/out"
    "$heddle" run -q --replays=1 -o "$work/out" "$@" -- "$work/program" >"$work/report" 2>&1
}

# The first schedule knows nothing of what threads share, and yet changes threads between two accesses.
"$build/bin/heddle-cc" -g -O1 "$source/stress/bench/search/programs.c" -o "$work/program" -pthread || wrong "compile search"
lost=0
for seed in 1 2 3 4 5 6 7 8 9 10; do
    "$heddle" run -q -n 1 --replays=3 --seed=$seed -o "$work/out" -- "$work/program" plain_wrong_lock 2 1 >"$work/report" 2>&1
    grep -q '^assertion-1' "$work/report" && lost=$((lost + 1))
    ! grep -q 'not reproduced' "$work/report" || wrong "the first schedule's points: not reproduced"
done
[ $lost -ge 1 ] || wrong "no update was lost in ten first schedules"

for pair in races/global_counter:data-race races/bit_fields:data-race races/publish_relaxed:data-race \
    races/fence_pair:data-race races/hazard_pointer:use-after-free races/double_free:double-free \
    races/memcpy_overlap:data-race races/stack_escape:data-race races/deque_last:assertion; do
    name=${pair%:*} kind=${pair#*:}
    compile "$name" 0
    "$work/program" >/dev/null 2>&1
    [ $? -lt 127 ] || [ $? -ge 128 ] || wrong "$name does not run by itself"
    explore -n 400
    grep -q "^$kind-[0-9]" "$work/report" || wrong "$name: no $kind"
    # the interleaving of a race holds both of its accesses
    [ $name != races/global_counter ] || [ "$(sed -n '/How it came about/,/Usually/p' "$work/report" |
        grep -c '\(read\|write\) hits')" -ge 2 ] || wrong "$name: accesses are not in the interleaving"
    compile "$name" 1
    explore -n 60 || wrong "$name, right: $(tail -n 1 "$work/report")"
done

for name in store_buffering message_passing; do
    compile weak/$name 0
    explore -n 60 || wrong "$name in sc: $(tail -n 1 "$work/report")"
    explore -n 400 --stop-at-first --memory-model=c11 && wrong "$name in c11: not found"
    compile weak/$name 1
    explore -n 60 --memory-model=c11 || wrong "$name, right: $(tail -n 1 "$work/report")"
done

# a seed means the same campaign whatever the number of workers
compile races/slot_index 0
for jobs in 1 2; do
    rm -rf "$work/out"
    explore -n 40 -j $jobs
    sed 's/ in [0-9.]* m\{0,1\}s,.*//' "$work/report" >"$work/report.$jobs"
done
cmp -s "$work/report.1" "$work/report.2" || wrong "another number of workers, another report"

"$build/bin/heddle-cc" -fsanitize=address x.c 2>"$work/said"
[ $? -eq 2 ] && grep -q 'address cannot be' "$work/said" || wrong "address sanitizer accepted"
HEDDLE_LIB=$work "$build/bin/heddle-cc" "$source/stress/races/bit_fields.c" -DRIGHT=0 -o "$work/none" 2>"$work/said"
[ $? -eq 2 ] && grep -q 'libheddle-hooks.so' "$work/said" || wrong "missing hooks not named"
exit $failed
