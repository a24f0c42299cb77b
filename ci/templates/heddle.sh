#!/bin/sh
# Every test of a CMake project under Heddle, within a time budget, against a baseline: for any CI system.
#   heddle.sh BUILD-FOLDER
# In the environment:
#   HEDDLE_BUDGET=10m            for all tests together
#   HEDDLE_BASELINE=FILE         known findings (heddle.baseline if it is there)
#   HEDDLE_OUT=DIR               artefacts: schedules, reports for CI, a page (heddle.html), a summary (heddle-out)
#   HEDDLE_OPTIONS='...'         more options of heddle ctest
# Exit code as of heddle ctest: 0 nothing new, 1 something new was found, 2 wrong usage, 3 a test could not be run or judged, or
# none at all, 130 Ctrl-C.
set -u
[ $# -eq 1 ] || { echo 'which build folder? heddle.sh BUILD-FOLDER' >&2; exit 2; }
build=$1
out=${HEDDLE_OUT:-heddle-out}
baseline=${HEDDLE_BASELINE:-}
[ -z "$baseline" ] && [ -f heddle.baseline ] && baseline=heddle.baseline

rm -rf "$out"
mkdir -p "$out" || exit 3
command -v heddle >/dev/null || { echo 'heddle.sh: heddle is not installed' >&2; exit 3; }
annotations=
[ "${GITHUB_ACTIONS:-}" = true ] && annotations=,github
# shellcheck disable=SC2086  # options are words
heddle ctest --quiet --test-dir "$build" -j --budget="${HEDDLE_BUDGET:-10m}" --output="$out/findings" \
    --report="junit:$out/heddle.xml,sarif:$out/heddle.sarif,gitlab:$out/gl-code-quality.json,html:$out/heddle.html$annotations" \
    ${baseline:+--baseline="$baseline"} ${HEDDLE_OPTIONS:-} >"$out/report.txt" 2>"$out/stderr.txt"
code=$?
cat "$out/report.txt"
cat "$out/stderr.txt" >&2

# The comment of a merge request, the summary of a job.
{
    echo '## Heddle'
    echo
    grep -E '^[0-9]+ (tests?:|findings?,)' "$out/report.txt" || tail -3 "$out/stderr.txt"
    echo
    echo '```'
    grep -E '^  (failed|error) ' "$out/report.txt"
    echo '```'
    replay=$(sed -n 's/^  Replay:  //p' "$out/report.txt" | head -1)
    if [ -n "$replay" ]; then
        echo "To see the first one again, with the artefacts of this job unpacked: \`$replay -- PROGRAM ARGUMENTS\`"
        echo
        echo "If it is known: \`heddle baseline $out/findings >>heddle.baseline\`"
    fi
} >"$out/summary.md"
[ -n "${GITHUB_STEP_SUMMARY:-}" ] && cat "$out/summary.md" >>"$GITHUB_STEP_SUMMARY"
exit $code
