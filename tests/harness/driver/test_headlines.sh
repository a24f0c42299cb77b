#!/bin/bash
# test_headlines.sh BUILD [-w] - the first line of the report of each kind of finding, of the bug that is planted for it:
# compared with headlines.txt beside this, which -w writes anew. Does it name who did it, and to what?
build=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
heddle=$build/harness/driver/heddle plants=$build/harness/selftest/heddle-selftest
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT

# The rows of the table of kinds: word, form and options of the plant.
rows() {
    awk '/^FINDING\(/ { split($0, part, "\""); word = part[2] }
         /^ *PLANT\(/ { line = $0; sub(/^ *PLANT\(/, "", line); sub(/\)+$/, "", line); print word "|" line }' \
        "$here/../../../instrument/wire/finding_kinds.inc"
}

while IFS='|' read -r word plant; do
    IFS=, read -r form options <<<"$plant"
    case $form in
    PLAIN) program=$plants ;;
    MEMORY) program=$plants-memory ;;
    *) continue ;; # other tools word their own
    esac
    options=$(sed 's/", "/\n/g; s/^ *"//; s/"$//' <<<"$options")
    mapfile -t option <<<"$options"
    timeout 60 "$heddle" run -q -j1 -o "out-$word" "${option[@]}" -- "$program" "$word" >out 2>&1 </dev/null
    line=$(grep -E "^$word-1  " out | head -1)
    # what is chance: which thread was the first, lines, and addresses
    printf '%s\n' "${line:-$word: nothing}" |
        sed -E 's/ \(doubtful.*//; s/T[0-9]+ \(([a-z_0-9]+)\)/T (\1)/g; s/T[0-9]+/T/g; s/0x[0-9a-f]+/0x0/g; s/\.c:[0-9]+/.c:0/g; s,\([./][^ ]*/,(,g
            s/step [0-9]+: first .*/step 0/; s/step [0-9]+/step 0/g; s/: (not confirmed|confirmed).*//; s/ in line [0-9].*//; s/^([a-z-]*race[^:]*):.*/\1/'
done < <(rows) >headlines
[ "${2:-}" != -w ] || cp headlines "$here/headlines.txt"
diff "$here/headlines.txt" headlines
