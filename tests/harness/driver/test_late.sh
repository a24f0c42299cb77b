#!/bin/bash
# test_late.sh HEDDLE LATE - replays of schedules whose child process is slower than when they were recorded.
heddle=$1 program=$2
. "$(dirname "$0")/expect.bash"
replay=("$heddle" replay --timeout=5s)
late='a child process was late: in 1 of 1 replays decisions were made in another order than recorded'
record() { # FOLDER WORD...: a schedule in which the child was first
    local out=$1
    shift
    expect 1 'assertion-1' "$heddle" run -q -n 1 --strategy=random --shrink=no -o "$out" -- "$program" "$@"
}

# What does not depend on whether the child was there first comes again, of a child that is not late as of one that is.
record always
f=always/assertion-1.schedule
expect 1 '^reproduced$' "${replay[@]}" $f
! grep -q 'was late' out.txt || { echo 'FAILED: the child was not late'; failed=1; }
expect 1 '^reproduced$' env LATE=1 "${replay[@]}" $f
grep -qx "$late" out.txt || { echo 'FAILED: it does not say that the child was late'; cat out.txt; failed=1; }
! grep -q 'the program has changed' out.txt || { echo 'FAILED: it was not followed'; cat out.txt; failed=1; }
# What does is not gone where it does not come: the order was another one.
record other other
f=other/assertion-1.schedule
expect 1 '^reproduced$' "${replay[@]}" $f
expect 3 'cannot say whether it is gone: a child process was late, and the order was another one' env LATE=1 "${replay[@]}" $f
expect 0 'unknown  assertion-1: a child process was late, and the order was another one' env LATE=1 "$heddle" run -n 1 --changed-since=other -o after -- "$program" other
# What was mended is, with a child as it was.
expect 0 '^not reproduced: this schedule passes now$' env MENDED=1 "${replay[@]}" always/assertion-1.schedule
exit $failed
