#!/usr/bin/env bash
# library_race.sh BUILD: a race that libstdc++ makes by itself is doubtful and fails no run; the program's own, on
# what its atomic shared pointer hands over, is none of the library's.
set -u
build=$1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0

cat >handed.cc <<'C'
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
static std::atomic<std::shared_ptr<int>> handed;
int main()
{
    handed.store(std::make_shared<int>(1));
    std::thread writer([] {
        auto made = std::make_shared<int>(2);
#ifdef WRONG
        handed.store(made);
        *made = 3;
#else
        *made = 3;
        handed.store(made);
#endif
    });
    std::shared_ptr<int> seen = handed.load();
    std::printf("%d\n", *seen);
    writer.join();
}
C
# is TITLE WANT: how many findings fail the run, and how many are doubtful ("n n")
is() {
    local got
    got=$(jq -r '[.findings[] | select(.same_as == null)] | "\([.[] | select(.fails)] | length) \([.[] | select(.doubtful)] | length)"' report)
    [ "$got" = "$2" ] && return
    echo "FAILED: $1: '$got' findings that fail and are doubtful, not '$2'"
    jq -r '.findings[] | .headline, .doubtful' report
    failed=1
}
for built in 'clang++ 1' 'g++ 0'; do
    compiler=${built% *} level=${built#* }
    command -v "$compiler" >/dev/null || { echo "no $compiler"; exit 77; }
    for twin in right wrong; do
        define='' want='0 1'
        [ $twin = right ] || define=-DWRONG want='1 1'
        HEDDLE_CXX=$compiler "$build/bin/heddle-c++" -std=c++20 -g "-O$level" ${define:+$define} handed.cc -o $twin -pthread || exit 2
        "$build/harness/driver/heddle" run -q --json -n 60 --predict=off --replays=1 -o out -- ./$twin >report 2>/dev/null
        is "$compiler -O$level, $twin" "$want"
    done
done
exit $failed
