#!/usr/bin/env bash
# entries.sh BUILD COMPILER: what COMPILER (clang-14, gcc-12 ...) calls under -fsanitize=thread is all there.
#
# emit.c and emit.cc make it emit the calls that entries.txt says; the program made of them does each
# operation by itself and under heddle, and checks what comes of it.
set -u
build=$1 compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
command -v "$compiler" >/dev/null || { echo "no $compiler here"; exit 77; }
case $compiler in
clang*)
    family=clang cxx=${compiler/clang/clang++}
    options='-mllvm -tsan-distinguish-volatile=1 -mllvm -tsan-compound-read-before-write=1'
    ;;
*)
    family=gcc cxx=${compiler/gcc/g++}
    options='--param tsan-distinguish-volatile=1'
    ;;
esac
command -v "$cxx" >/dev/null || cxx=
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
wrong() {
    echo "FAILED: $1"
    failed=1
}
names() { # what a library has
    nm -D --defined-only "$1" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u
}

for kind in '' "$options"; do
    # shellcheck disable=SC2086  # options are words
    for optimised in -O0 -O2; do
        o=$work/${#kind}$optimised
        "$compiler" -fsanitize=thread -w -mcx16 $optimised $kind -c "$here/emit.c" -o "$o.c.o" || wrong "$compiler $kind"
        [ -z "$cxx" ] || "$cxx" -fsanitize=thread -w $optimised $kind -c "$here/emit.cc" -o "$o.cc.o" || wrong "$cxx $kind"
    done
done
nm -u "$work"/*.o | grep -o '__tsan_.*' | sort -u >"$work/emitted"
awk '$1 !~ /^#/ { print $1 }' "$here/entries.txt" | sort -u >"$work/known"
awk -v family=$family '$2 == family || $2 == "both" { print $1 }' "$here/entries.txt" | sort -u >"$work/expected"
[ -n "$cxx" ] || sed -i '/vptr/d' "$work/expected"

for name in $(comm -13 "$work/known" "$work/emitted"); do
    wrong "$compiler calls $name, which entries.txt does not know"
done
for name in $(comm -23 "$work/expected" "$work/emitted"); do
    wrong "$compiler was not made to call $name"
done
for library in lib/libheddle-hooks.so harness/rt/libheddle-rt.so; do
    names "$build/$library" >"$work/has"
    for name in $(sort -u "$work/known" "$work/emitted" | comm -23 - "$work/has"); do
        wrong "$library has no $name"
    done
done

# the program: as heddle-cc builds it with this compiler, with each set of objects
run() { # PROGRAM TITLE
    [ "$("$1" 2>&1)" = ok ] || wrong "$2, by itself: $("$1" 2>&1 | head -n 1)"
    "$build/harness/driver/heddle" run -q -n 6 --replays=1 --points=all -o "$work/out" -- "$1" >"$work/report" 2>&1 ||
        wrong "$2, under heddle: $(head -n 1 "$work/report") ... $(tail -n 1 "$work/report")"
}
export HEDDLE_CC=$compiler HEDDLE_CXX=$cxx
for object in "$work"/*.c.o; do
    if "$build/bin/heddle-cc" "$object" -o "$work/program" -pthread; then
        run "$work/program" "C, $(basename "$object")"
    else
        wrong "link $object"
    fi
done
[ -z "$cxx" ] || for object in "$work"/*.cc.o; do
    if "$build/bin/heddle-c++" "$object" -o "$work/program" -pthread; then
        run "$work/program" "C++, $(basename "$object")"
    else
        wrong "link $object"
    fi
done
"$build/bin/heddle-cc" -O2 -mcx16 "$here/emit.c" -o "$work/program" -pthread && run "$work/program" "compiled by heddle-cc" ||
    wrong "heddle-cc emit.c"
exit $failed
