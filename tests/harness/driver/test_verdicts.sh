#!/bin/bash
# test_verdicts.sh HEDDLE PROGRAM CHANGED SELFTEST - whether a finding is gone: what a replay and verify-fix may say of
# findings that only a comparison makes, of schedules that were not judged, and of what is no failure.
heddle=$1 program=$2 changed=$3 selftest=$4
. "$(dirname "$0")/expect.bash"
replay=("$heddle" replay)
verify=("$heddle" verify-fix -n 60)

# Outputs are compared with the recorded one, and with another schedule's.
expect 1 'output-1' "$heddle" run -q -n 100 --check-output -o output -- "$program" print
f=output/output-1.schedule
expect 1 '^reproduced$' "${replay[@]}" $f
expect 1 '^not fixed: the recorded order still shows it$' "${verify[@]}" $f
expect 1 '^not fixed: .* still shows it$' "${verify[@]}" $f -- "$changed" print
expect 1 'another|^not fixed: .* still shows it$' env WORDS=1 "${verify[@]}" $f
# In other words: beside other schedules' it differs or does not, as chance has it; it never counts as gone.
differs=0 unclear=0
for seed in {1..20}; do
    rm -rf words
    expect 1 'output-1' "$heddle" run -q -n 100 --strategy=random --seed="$seed" --check-output -o words -- "$program" print
    WORDS=1 "${replay[@]}" words/output-1.schedule >out.txt 2>&1
    case $?$(tail -n 1 out.txt) in
    1reproduced) differs=1 ;;
    3*'cannot say whether it is gone: the output still differs'*) unclear=1 ;;
    *) echo "FAILED: seed $seed: its output in other words counts as gone" && failed=1 ;;
    esac
    [ $differs$unclear != 11 ] || break
done
[ $differs$unclear = 11 ] || { echo "FAILED: outputs in other words: $differs differ, $unclear unclear" && failed=1; }
expect 1 '^FAILS  ' env WORDS=1 "${replay[@]}" --program="$changed" output
expect 0 '^fixed, as far as was tried' env MENDED=1 "${verify[@]}" $f
expect 0 '^fixed, as far as was tried' env MENDED=1 WORDS=1 "${verify[@]}" $f -- "$changed" print
expect 0 'passes now' env MENDED=1 "${replay[@]}" $f -- "$changed" print
expect 0 '^2 schedules: 2 pass$' env MENDED=1 WORDS=1 "${replay[@]}" output --program="$changed"
mkdir moved
cp $f moved
expect 3 'cannot say whether it is gone: .*moved/output-1.stdout: No such file' env MENDED=1 "${replay[@]}" moved/output-1.schedule -- "$changed" print
expect 3 '^not run  moved/output-1.schedule: .*output-1.stdout: No such file' env MENDED=1 "${replay[@]}" moved --program="$changed"
expect 3 '^heddle: cannot say: .*output-1.stdout: No such file' env MENDED=1 "${verify[@]}" moved/output-1.schedule

# What an oracle rejects, only the oracle can accept; an empty output is one, too.
expect 1 'oracle-1' "$heddle" run -q -n 100 --oracle='grep -qx 2' -o oracle -- "$program" print
f=oracle/oracle-1.schedule
expect 1 '^reproduced$' "${replay[@]}" $f
expect 1 '^not fixed: the recorded order still shows it$' "${verify[@]}" $f
expect 3 'cannot say whether it is gone: only the oracle' env MENDED=1 "${replay[@]}" $f -- "$changed" print
expect 3 '^not run  oracle/oracle-1.schedule: only the oracle' env MENDED=1 "${replay[@]}" oracle --program="$changed"
expect 3 'cannot say: .*only the oracle' env MENDED=1 "${verify[@]}" $f
expect 0 'passes now' env MENDED=1 "${replay[@]}" --oracle='grep -qx 2' $f -- "$changed" print
expect 0 '^2 schedules: 2 pass$' env MENDED=1 "${replay[@]}" --oracle='grep -qx 2' --program="$changed" oracle
expect 0 '^fixed' env MENDED=1 "${verify[@]}" --oracle='grep -qx 2' $f
expect 1 '^not fixed: .* still shows it$' "${verify[@]}" --oracle='grep -qx 2' $f
expect 1 '^reproduced$' env WORDS=1 "${replay[@]}" --oracle='grep -qx 2' $f
expect 2 'not in the language of sh' "${verify[@]}" --oracle='grep "' $f
expect 3 'cannot be run' env MENDED=1 "${verify[@]}" --oracle=absent-command $f
expect 3 'cannot be run' env MENDED=1 "${replay[@]}" --oracle=absent-command $f -- "$changed" print
expect 1 'oracle-1' "$heddle" run -q -n 5 --oracle='grep -q .' -o empty -- "$program" nothing
expect 1 '^reproduced$' "${replay[@]}" empty/oracle-1.schedule

# One replay cannot differ from itself.
if [ -n "$selftest" ]; then
    expect 1 'nondeterminism-1' "$heddle" run -q -n 5 --check-determinism -o differs -- "$selftest" nondeterminism
    expect 3 'cannot say whether it is gone: only a comparison of two runs' "${replay[@]}" differs/nondeterminism-1.schedule
    expect 3 'cannot say: .*only a comparison of two runs' "${verify[@]}" differs/nondeterminism-1.schedule
fi

# What was cut short has not passed; nor has what failed, and not again.
expect 1 'assertion-1' "$heddle" run -q -n 100 --max-steps=300 -o asserts -- "$program" assert
f=asserts/assertion-1.schedule
expect 0 'in 60 schedules near it' env MENDED=1 AFTER=20 "${verify[@]}" $f
expect 0 'passes now' env MENDED=1 AFTER=20 "${replay[@]}" $f -- "$changed" assert
expect 3 'cannot say: nothing fails in 0 .* but 6[0-9] did not come to their end' env MENDED=1 AFTER=1000 "${verify[@]}" $f
expect 3 'cannot say whether it is gone: it did not end within the decisions' env MENDED=1 AFTER=1000 "${replay[@]}" $f -- "$changed" assert
expect 3 '^not run .*it did not end within the decisions' env MENDED=1 AFTER=1000 "${replay[@]}" asserts --program="$changed"
touch file
expect 3 'cannot say: 1 of the schedules failed, but not when' env MENDED=1 ONCE="$work/file" "${verify[@]}" $f -- "$changed" assert
[ ! -e file ] || { echo "FAILED: no schedule failed"; failed=1; }
expect 0 '^fixed' env MENDED=1 ONCE="$work/file" "${verify[@]}" $f -- "$changed" assert

# What was no failure to the run is none to a replay, and what one says is none, neither.
expect 1 'exit-code-1' "$heddle" run -q -n 100 -o exits -- "$program" exit
f=exits/exit-code-1.schedule
grep -q '^exit-codes' $f && { echo "FAILED: exit codes that nobody named are in the file"; failed=1; }
expect 1 '^reproduced$' "${replay[@]}" $f
expect 1 '^reproduced$' "${replay[@]}" --exit-code=7,78 $f
expect 0 'passes now' "${replay[@]}" --exit-code=77 $f
expect 0 '^2 schedules: 2 pass$' "${replay[@]}" --exit-code=any exits
expect 1 '^not fixed' "${verify[@]}" $f
expect 0 '^fixed' "${verify[@]}" --exit-code=3,77 $f
expect 1 'assertion-1' "$heddle" run -q -n 100 --exit-code=77 -o fine -- "$program" assert
f=fine/assertion-1.schedule
grep -q '^exit-codes 77$' $f || { echo "FAILED: the exit codes are not in the file"; failed=1; }
expect 0 'passes now' "${replay[@]}" $f -- "$changed" exit
expect 0 '^fixed' "${verify[@]}" $f -- "$changed" exit
expect 1 'another one' "${verify[@]}" asserts/assertion-1.schedule -- "$changed" exit
for command in replay verify-fix; do
    expect 2 '.--exit-code wants numbers up to 255' "$heddle" $command --exit-code=256 $f
    expect 2 'No such file' "$heddle" $command --suppressions=absent $f
done
echo 'assertion:raise_nothing' >others
echo 'assertion:main' >ours
expect 1 '^reproduced$' "${replay[@]}" --suppressions=others $f
expect 0 'what it shows is suppressed' "${replay[@]}" --suppressions=ours $f
expect 0 '^passes .*what it shows is suppressed' "${replay[@]}" --suppressions=ours fine
expect 1 '^not fixed' "${verify[@]}" --suppressions=others $f
expect 0 'showed what is suppressed' "${verify[@]}" --suppressions=ours $f

# A prediction that is not the recorded finding does not decide; the recorded one does.
for p in "$program" "$changed"; do
    expect 0 'fixed' env MENDED=1 ORDERS=1 "${verify[@]}" $f -- "$p" assert
done
expect 0 'passes now' env MENDED=1 ORDERS=1 "${replay[@]}" $f -- "$changed" assert
expect 0 'lock-order-1 .*doubtful' env MENDED=1 ORDERS=1 "$heddle" run -q -n 20 --steer=0 -o order -- "$program" assert
expect 1 '^reproduced$' env MENDED=1 ORDERS=1 "${replay[@]}" order/lock-order-1.schedule
expect 1 '^not fixed' env MENDED=1 ORDERS=1 "${verify[@]}" order/lock-order-1.schedule -- "$changed" assert
expect 0 '^fixed' env MENDED=1 "${verify[@]}" order/lock-order-1.schedule -- "$changed" assert

# A look at one step is no run to the end.
for option in --times=2 --show-output; do
    expect 2 '.--stop-at does not go with --times nor --show-output' "${replay[@]}" --stop-at=2 $option $f
done
expect 0 '^stopped before step 2$' "${replay[@]}" --stop-at=2 $f

exit $failed
