#!/bin/bash
# test_same_campaign.sh HEDDLE PROGRAM... - a seed means the same campaign, however many schedules run side
# by side: what is found, in which schedule, how often, and how many interleavings there were.
heddle=$1
shift
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT

for jobs in 1 2 3 5; do
    rm -rf out
    "$heddle" run -q -n 200 -j $jobs --seed 7 -o out -- "$@" 2>&1 | sed 's/ in [0-9.e+]* m\?s, .*//' >$jobs
    grep -q 'seen in' $jobs || { echo "FAILED: nothing was found with -j $jobs"; cat $jobs; exit 1; }
    cmp -s 1 $jobs || { echo "FAILED: -j 1 and -j $jobs differ"; diff 1 $jobs; exit 1; }
done
