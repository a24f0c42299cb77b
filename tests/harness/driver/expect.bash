# expect.bash - the head of a test of the command, which sources it: a folder of its own, in which it is then, and expect().
export LC_ALL=C
work=$(mktemp -d) && cd "$work" || exit 99
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
failed=0

# expect CODE PATTERN COMMAND...: exit code and a pattern (grep -E) that stdout+stderr must match, which are in out.txt.
expect() {
    local code=$1 pattern=$2
    shift 2
    "$@" >out.txt 2>&1 </dev/null
    local got=$?
    if [ $got -ne "$code" ] || ! grep -Eq -- "$pattern" out.txt; then
        echo "FAILED (exit $got, wanted $code, /$pattern/): ${*}"
        sed 's/^/    /' out.txt
        failed=1
    fi
}
