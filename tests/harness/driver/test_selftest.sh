#!/usr/bin/env bash
# heddle doctor --self-test: from the build tree, from an installed prefix, and with a dead check.
# test_selftest.sh HEDDLE BUILD FINDING_H
set -u
heddle=$1 build=$2 kinds=$3 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp NO_COLOR=1

fail() {
    echo "FAILED: $1"
    cat "$work/out"
    failed=1
}

# Every kind has its line, and every check that can work here is alive.
"$heddle" doctor --self-test >"$work/out" 2>&1
[ $? -eq 0 ] || fail 'a check is dead'
sed -n '/FINDING_MAP/,/^$/s/^ *X([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$kinds" | while read -r word; do
    grep -qE "^  (alive|--   )  $word " "$work/out" || echo "$word"
done >"$work/missing"
[ -s "$work/missing" ] && fail "no line for $(cat "$work/missing")"
[ "$(grep -c '' "$work/out")" -gt 30 ] || fail 'too few lines'
[ -z "$(ls "$TMPDIR")" ] || fail "in the scratch folder was left: $(find "$TMPDIR")"

# Installed, and moved from where it was installed to.
cmake --install "$build" --prefix "$work/first" >"$work/out" 2>&1 || fail 'it cannot be installed'
mv "$work/first" "$work/prefix"
"$work/prefix/bin/heddle" doctor --self-test >"$work/out" 2>&1
[ $? -eq 0 ] || fail 'installed: a check is dead'
grep -q "runtime library *$work/prefix" "$work/out" || fail 'installed: the runtime is that of the build tree'
grep -q '^  alive  data-race' "$work/out" || fail 'installed: no instrumented program'

# A planted program that does nothing wrong stands for a check that finds nothing.
planted=$(find "$work/prefix" -name heddle-selftest)
printf '#include <pthread.h>\nstatic void *f(void *a) { return a; }\nint main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); return 0; }\n' >"$work/empty.c"
cc -g -o "$planted" "$work/empty.c" -lpthread || fail 'cc'
"$work/prefix/bin/heddle" doctor --self-test >"$work/out" 2>&1
[ $? -eq 1 ] || fail 'dead checks, and the exit code is not 1'
grep -q '^  DEAD   deadlock  *the planted bug was not found in 50 schedules' "$work/out" || fail 'a dead check was not named'
grep -q '^  alive  data-race' "$work/out" || fail 'the memory checks are dead, too'

# Without its programs.
rm -rf "$(dirname "$planted")"
"$work/prefix/bin/heddle" doctor --self-test >"$work/out" 2>&1
[ $? -eq 1 ] || fail 'no programs, and the exit code is not 1'
grep -q 'install Heddle again' "$work/out" || fail 'no programs, and not a word'
exit $failed
