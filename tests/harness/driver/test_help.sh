#!/bin/bash
# test_help.sh HEDDLE - the layout of each command's --help: lines that a terminal holds, options at the left and their texts
# in one column, each option of a command once.
heddle=$1
export LC_ALL=C
failed=0

wrong() { # COMMAND WHAT AWK-PROGRAM: prints lines that are wrong
    local lines
    lines=$(awk "$3" <<<"$text")
    [ -z "$lines" ] || { echo "FAILED: $1 --help: $2:"; echo "$lines" | sed 's/^/    /'; failed=1; }
}

commands="run replay verify-fix baseline report merge coverage test ctest stress watch attach doctor explain"
for command in $commands; do
    text=$("$heddle" "$command" --help) || { echo "FAILED: $command --help"; failed=1; }
    grep -q '^  -?, --help                 Give this help list$' <<<"$text" || { echo "FAILED: $command --help: no --help"; failed=1; }
    wrong "$command" 'longer than a terminal is wide' 'length > 79'
    wrong "$command" 'blank at the end' '/ $/'
    # from the first option to the last, nothing but options, their texts, headers and what is empty
    wrong "$command" 'outside its column' '
        { indent = match($0, /[^ ]/) - 1 }
        /^Mandatory/ { exit }
        /^$/ { inside = 0 }
        /^  -|^      --/ { inside = 1; if (length > 29 && (substr($0, 28, 2) != "  " || substr($0, 30, 1) == " ") && /  [^ -]/) print; next }
        inside && indent != 29'
    [ "$("$heddle" "$command" '-?')" = "$text" ] || { echo "FAILED: $command -?"; failed=1; }
done
text=$("$heddle" run --help)
grep -A1 '^      --until-saturated\[=PERCENT\]$' <<<"$text" | grep -q '^ \{29\}Stop when' ||
    { echo "FAILED: run --help: --until-saturated"; failed=1; }
exit $failed
