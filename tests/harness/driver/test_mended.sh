#!/bin/bash
# test_mended.sh HEDDLE PROGRAM MOVED MOVED-TOO FIXED CMAKE-MODULE - schedules as a test that a finding does not come back: many
# at once, from CTest, and what lies near them.
heddle=$1 program=$2 moved=("$3" "$4") fixed=$5 module=$6
. "$(dirname "$0")/expect.bash"
says() { grep -Eq -- "$1" out.txt || { echo "FAILED: does not say /$1/"; sed 's/^/    /' out.txt; failed=1; }; }

expect 1 'assertion-1' "$heddle" run -q -n 100 -o out -- "$program" twice
mkdir old
cp out/assertion-1.schedule out/assertion-1.min.schedule old

# A folder of them: a line each, wherever heddle is started; the arguments are the recorded ones.
expect 1 '^2 schedules: 2 fail$' "$heddle" replay old
says '^FAILS    old/assertion-1.min.schedule: assertion failed'
expect 0 '^2 schedules: 2 pass$' "$heddle" replay --program="$fixed" old
says '^passes   old/assertion-1.schedule: .* and 100 schedules near it pass'
expect 1 '^2 schedules: 2 fail$' "$heddle" replay out/assertion-1.schedule out/assertion-1.min.schedule
expect 3 '^not run  old/assertion-1.schedule: the program ended .exit code 2. without' "$heddle" replay --around=0 old -- "$program" none
expect 2 'there is no schedule file in' "$heddle" replay "$work/state"
expect 2 'go with one schedule' "$heddle" replay -n 3 old
expect 2 'does not go with' "$heddle" replay --program="$fixed" old -- "$fixed" twice
expect 2 'which schedule' "$heddle" replay
# One that says nothing any more, is no schedule, or is somebody else's, is named, and hides no other.
sed '/^finding/,$d; /^build-id/d; s/^heddle schedule.*/heddle schedule 1/' old/assertion-1.schedule >stale.schedule
printf '%s\n' 'steps 2' 'run T0 1 thread_create - -' 'run T7 1 mutex_lock - -' end >>stale.schedule
expect 3 '^stale    stale.schedule: diverged at step 2: expected T7 mutex_lock' "$heddle" replay --trust --program="$fixed" old stale.schedule
says '^3 schedules: 2 pass, 1 stale$'
expect 1 '^3 schedules: 2 fail, 1 stale$' "$heddle" replay --trust old stale.schedule
echo nonsense >bad.schedule
expect 2 '^not run  bad.schedule: bad.schedule:1: ' "$heddle" replay --program="$fixed" old bad.schedule
says '^3 schedules: 2 pass, 1 not run$'
expect 2 '^not run  stale.schedule: not written by you on this machine' "$heddle" replay old stale.schedule --program="$fixed"
expect 2 'not run' "$heddle" replay "$work"/old/absent.schedule old --program="$fixed"

# From CTest.
mkdir project
cat >project/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.20)
project(old_findings NONE)
enable_testing()
set(HEDDLE_COMMAND $heddle)
include($module)
heddle_add_replays(still_there $program $work/old)
heddle_add_replays(gone $fixed $work/old)
file(MAKE_DIRECTORY \${CMAKE_BINARY_DIR}/stale)
file(COPY $work/stale.schedule DESTINATION \${CMAKE_BINARY_DIR}/stale)
heddle_add_replays(stale $fixed \${CMAKE_BINARY_DIR}/stale)
END
expect 0 'Build files' cmake -S project -B project/build
expect 8 '33% tests passed, 2 tests failed out of 3' ctest --test-dir project/build --output-on-failure
says 'gone \.* +Passed'
says 'stale    .*stale.schedule: diverged'

# What only moved is not fixed, though the recorded order passes; what is fixed stays fixed.
expect 1 '^not fixed: the recorded order still shows it' "$heddle" verify-fix out/assertion-1.schedule
near=0
for p in "${moved[@]}"; do
    expect 1 '^not fixed: .* still shows it$' "$heddle" verify-fix out/assertion-1.schedule -- "$p" twice
    grep -q '^not fixed: schedule [0-9]* near the recorded order' out.txt || continue
    near=$((near + 1))
    again=$(sed -n 's/^See it again:  heddle //p' out.txt)
    grep -Eq '^replay --around=[0-9]+ .*assertion-1\.min\.schedule -- .* twice$' <<<"$again" || { echo "FAILED: $again"; failed=1; }
    eval "expect 1 '^reproduced\$' '$heddle' $again"
done
[ $near -gt 0 ] || { echo "FAILED: neither was found by a schedule near the recorded order"; failed=1; }
expect 0 '^fixed, as far as was tried' "$heddle" verify-fix out/assertion-1.schedule --program="$fixed"
says 'in 1,000 schedules near it \(([2-9][0-9]|[1-9][0-9][0-9]) distinct\)'
says 'in the recorded order \([1-9][0-9]* of its [1-9][0-9]* events'
expect 0 'in 7 schedules near it' "$heddle" verify-fix -n 7 out/assertion-1.schedule -- "$fixed" twice
expect 3 'could not be run: the program ended' "$heddle" verify-fix out/assertion-1.schedule -- "$fixed"
expect 2 'which schedule' "$heddle" verify-fix
expect 2 'name the program to run' "$heddle" verify-fix stale.schedule
expect 3 'old format' "$heddle" verify-fix stale.schedule -- "$fixed" twice
expect 3 'absent' "$heddle" verify-fix out/assertion-1.schedule -- ./absent

exit $failed
