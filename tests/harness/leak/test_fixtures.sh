#!/bin/bash
# Leak checks as cmocka fixtures: natively and under schedules, of wrong tests and right ones.
#   test_fixtures.sh HEDDLE FIXTURE SIDES LIBHEDDLE-WATCH
heddle=$1 fixture=$2 sides=$3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0

# says NAME CODE COMMAND... : its exit code, and every pattern on our standard input in its output
says() {
    local name=$1 code=$2 got pattern
    shift 2
    "$@" >"$out/text" 2>&1
    got=$?
    if [ "$code" != any ] && [ "$got" != "$code" ]; then
        echo "$name: exit code $got, not $code"
        failed=1
    fi
    while read -r pattern; do
        if [ "${pattern#! }" != "$pattern" ]; then
            grep -q -- "${pattern#! }" "$out/text" || continue
            echo "$name: says \"${pattern#! }\""
        else
            grep -q -- "$pattern" "$out/text" && continue
            echo "$name: does not say \"$pattern\""
        fi
        sed 's/^/    /' "$out/text" | head -60
        failed=1
    done
}

says "right, natively" 0 "$fixture" right <<'SAYS'
4 test(s)\.$
! left by
SAYS
says "wrong, natively" any "$fixture" wrong <<'SAYS'
ERROR.*first_answer_wins
left by "first_answer_wins" (fixture.c:[0-9]*): 2
goroutine "fetch" \[select
at *fetch *.*fixture.c:[0-9]*
made at first_answer_wins *.*fixture.c:[0-9]*
context \[never cancelled\]
left by "ticks" (fixture.c:[0-9]*): 1
ticker \[never stopped\]
left by "test": 1
OK.*thread_is_joined
SAYS
says "right, scheduled" 0 "$heddle" run -q -n 60 -o "$out/h" -- "$fixture" right <<'SAYS'
nothing found in 60 schedules
SAYS
says "wrong, scheduled" 1 "$heddle" run -q -n 60 -o "$out/h" -- "$fixture" wrong <<'SAYS'
thread still blocked at the end of "first_answer_wins" (fixture.c:[0-9]*)
context never cancelled at the end of "first_answer_wins" (fixture.c:[0-9]*)
ticker never stopped at the end of "ticks" (fixture.c:[0-9]*)
thread not joined at the end of "thread_is_joined" (fixture.c:[0-9]*)
first_answer_wins *.*fixture.c
^4 findings in 60 schedules
SAYS
# Natively the library knows its goroutines alone, and a plain thread's belong to no test.
says "side by side, natively" 0 "$sides" 0 <<'SAYS'
SAYS
says "side by side, scheduled" 1 "$heddle" run -q -n 60 -o "$out/sides" -- "$sides" 2 <<'SAYS'
thread still blocked at the end of "north" (sides.c:[0-9]*)
start_both *.*sides.c
! exit code 1
SAYS
says "side by side, scheduled: each" any cat "$out"/sides/leak-blocked-1.stdout <<'SAYS'
left by "north" (sides.c:[0-9]*): 2
left by "south" (sides.c:[0-9]*): 2
goroutine "grandchild" \[chan receive "north"\]
goroutine "grandchild" \[chan receive "south"\]
thread "T[0-9.]*" \[waiting for a post
made at start_both *.*sides.c
SAYS
# Followed natively, plain threads are known, too, and so is what goroutines wait for.
says "right, followed" 0 "$heddle" watch -- "$fixture" right <<'SAYS'
! left by
! heddle:
SAYS
says "wrong, followed" any "$heddle" watch -- "$fixture" wrong <<'SAYS'
left by "first_answer_wins" (fixture.c:[0-9]*): 2
left by "thread_is_joined" (fixture.c:[0-9]*): 1
thread "T[0-9]*" \[ended, not joined\]
^1 goroutine "fetch" \[select
started at first_answer_wins *.*fixture.c:[0-9]*
! timers
SAYS
says "side by side, followed" any "$heddle" watch -- "$sides" 2 <<'SAYS'
left by "north" (sides.c:[0-9]*): 2
left by "south" (sides.c:[0-9]*): 2
thread "T[0-9]*" \[waiting for a post
^1 goroutine "grandchild" \[chan receive channel 0x
SAYS
says "side by side, followed: exit code" 0 env HEDDLE=leaks LD_PRELOAD="$4" "$sides" 2 <<'SAYS'
SAYS
exit $failed
