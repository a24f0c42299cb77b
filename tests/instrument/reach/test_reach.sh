#!/usr/bin/env bash
# What is lost is found while the program runs, what is kept is not: test_reach.sh HEDDLE VICTIM
set -u
heddle=$1 victim=$2 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

explore() { # OPTIONS... -- SCENARIO...: the report in $work/json, exit code in $code
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    "$heddle" run -n 8 -q --json --max-steps=9000 -o "$work/out" "${options[@]}" -- "$victim" "$@" \
        >"$work/json" 2>"$work/err" </dev/null
    code=$?
}
fail() {
    echo "FAILED: $1"
    jq -c '.findings[] | [.kind, .detail, .reproduced, .replays]' "$work/json" 2>/dev/null | head
    head -5 "$work/err"
    failed=1
}
# Findings of leaks that were seen while the program ran, and replayed each time; nothing else.
leaks() { # COUNT NAME
    [ "$code" -eq 1 ] || fail "$2: exit code $code"
    jq -e --argjson n "$1" '(.findings | length) == $n and all(.findings[];
        .kind == "leak-blocked" and .reproduced == .replays and
        (.detail | startswith("leaked while the program still runs")))' "$work/json" >/dev/null ||
        fail "$2: not $1 leaks"
}
# What is kept is kept for ever: no schedule comes to its end, and heddle says so.
nothing() { # NAME
    [ "$code" -eq 0 ] || jq -e '.exit_code == 3 and (.findings | length) == 0 and .statistics.judged == 0' \
        "$work/json" >/dev/null || fail "$1: exit code $code"
}

names=$("$victim")
[ "$(wc -l <<<"$names")" -ge 40 ] || fail "the victim knows too little"
for name in $names; do
    explore -- "$name"
    case $name in
    lost_freed) # named at the free
        jq -e '[.findings[] | .kind, .reproduced == .replays] == ["use-after-free", true]' "$work/json" >/dev/null ||
            fail "$name: not one use after free" ;;
    lost_chain) leaks 2 "$name" ;; # one waits on the stack of the other
    lost_*) leaks 1 "$name" ;;     # two at one place are one finding
    *) nothing "$name" ;;
    esac
done

explore -- lost_answer leave # _exit: no look for leaks when the program ends
leaks 1 "lost_answer, _exit"
explore -- kept_stack leave
nothing "kept_stack, _exit"
explore -- ends_by_itself leave
nothing "ends_by_itself, _exit"
explore --reach=off -- lost_answer
nothing "lost_answer, --reach=off"
explore --check-determinism -- lost_gate
leaks 1 "lost_gate, twice"

"$heddle" run --reach=maybe -- "$victim" lost_gate >"$work/json" 2>"$work/err"
code=$?
[ $code -eq 2 ] || fail "--reach=maybe: exit code $code"
grep -q -- '--reach is on or off' "$work/err" || fail "--reach=maybe: what is wrong was not said"
exit $failed
