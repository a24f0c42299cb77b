#!/bin/bash
# test_explain.sh BUILD [-w] - heddle explain: a page for each kind of finding, whose wrong program, as it is printed, gives that
# kind, and whose right one gives nothing. The report of the wrong one is compared with the one of its kind in golden, which -w writes anew:
# read it once more as somebody would who does not know the program.
build=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle table=$here/../../../instrument/wire/finding_kinds.inc
export LC_ALL=C PATH=$build/harness/driver:$build/bin:$PATH
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
failed=0 write=${2:-}

fail() {
    echo "FAILED: $*"
    failed=1
}

compile() { # BUILD-LINE SOURCE PROGRAM
    case $1 in
    heddle-cc*) heddle-cc -g -O1 -pthread "$2" -o "$3" ;;
    *fsanitize*) cc -g -O1 -pthread -fsanitize=address "$2" -o "$3" ;;
    *pkg-config*) cc -g -O1 -pthread -I"$here/../../../lib/include" "$2" -o "$3" -L"$build/lib" -Wl,-rpath,"$build/lib" -lheddle ;;
    *) cc -g -O1 -pthread "$2" -o "$3" ;;
    esac
}

# program KIND WHICH: the program under that head
program() {
    sed -n "/^  $2:$/,/^  [RW][a-z]*:$/{/^  [RW][a-z]*:$/!p}" "page-$1" | sed 's/^      //'
}

# The report of the first finding of a kind, without what is chance: addresses, numbers of steps and schedules. Of what is ended by
# the clock, or worded by another tool, there is none.
golden() { # KIND
    case $1 in hang | nondeterminism | sanitizer) return ;; esac
    jq -r --arg kind "$1" '[.findings[] | select(.kind == $kind)][0].report' Wrong.json |
        sed -E 's/0x[0-9a-f]+/0x0/g; s/schedule [0-9]+ \([^)]*\)/schedule N (S)/; s/seen in [0-9]+ /seen in N /; s/file descriptor: number [0-9]+/file descriptor: number N/; s/^ +[0-9]+  ( *[a-z])/         n  \1/
            /^  Shrunk: /d; s/reproduced only [0-9]+/reproduced only N/' >"golden-$1"
    [ "$write" != -w ] || cp "golden-$1" "$here/golden/$1.txt"
    diff "$here/golden/$1.txt" "golden-$1" || fail "$1: its report is not as golden/$1.txt has it"
}

"$heddle" explain >list || fail "no list"
mapfile -t kinds < <(awk -F'"' '/^FINDING/ { print $2 }' "$table")
for kind in ${ONLY:-"${kinds[@]}"}; do
    grep -q "^  $kind  *[a-z]" list || fail "$kind is not in the list"
    "$heddle" explain "$kind-12" >"page-$kind" || { fail "$kind has no page"; continue; }
    for word in Means Found Limits; do
        grep -q "^  $word: " "page-$kind" || fail "$kind does not say what $word"
    done
    [ "$kind" = tool ] && continue # what heddle does not know the form of has no example
    how=$(sed -n 's/^  Build:  //p' "page-$kind") run=$(sed -n 's/^  Run:    heddle run \(.*\)-- .*/\1/p' "page-$kind")
    for which in Wrong Right; do
        program "$kind" $which >$which.c
        compile "$how" $which.c $which 2>err || { fail "$kind: $which does not compile"; cat err; continue 2; }
        eval "timeout 100 $heddle run -q -j1 --json -n 100 $run -o out-$kind-$which -- ./$which" >$which.json 2>/dev/null </dev/null
        found=$(jq -r '[.findings[].kind] | unique | join(" ")' $which.json)
        case $which in
        Wrong)
            if [[ " $found " == *" $kind "* ]]; then
                golden "$kind"
            else
                fail "$kind: its wrong program gives: ${found:-nothing}"
            fi
            ;;
        Right) [ -z "$found" ] && jq -e '.statistics.judged > 0' $which.json >/dev/null || fail "$kind: its right program gives: ${found:-no verdict}" ;;
        esac
    done
done
[ ${#kinds[@]} -gt 30 ] || fail "no table of kinds"
"$heddle" explain deadlok 2>err && fail "an unknown kind is no error"
grep -q 'did you mean deadlock?' err || fail "no guess for deadlok"
exit $failed
