#!/usr/bin/env bash
# strangers.sh BUILD SOURCE COMPILER: what does not belong together says so in a sentence, at build or at start, or works.
#
# Objects and runtimes of the real ThreadSanitizer and AddressSanitizer, missing parts, parts of another
# version, other tools around an instrumented program; and programs of which only parts are instrumented.
set -u
build=$1 source=$2
HEDDLE_CC=$3
export HEDDLE_CC
command -v "$HEDDLE_CC" >/dev/null || exit 77
cc=$build/bin/heddle-cc heddle=$build/harness/driver/heddle
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0
wrong() {
    echo "FAILED: $1"
    sed 's/^/  /' said
    failed=1
}

# says TITLE CODE SENTENCE COMMAND...: exit code and a part of what it prints; no crash.
says() {
    local title=$1 want=$2 text=$3
    shift 3
    "$@" >said 2>&1
    local code=$?
    [ $code -eq "$want" ] || wrong "$title: exit code $code instead of $want"
    grep -q -- "$text" said || wrong "$title: does not say '$text'"
}
race() { # TITLE PROGRAM: under heddle, the race on `count` is found
    says "$1" 1 'data race on count' "$heddle" run -q -n 40 --stop-at-first --replays=1 -o out -- "$2"
}
both_ways() { # TITLE TEXT PROGRAM: refuses, by itself and under heddle, whose exit code is the same
    says "$1, by itself" 3 "$2" "$3"
    says "$1, under heddle" 3 "$2" "$heddle" run -q -n 3 -o out -- "$3"
}

cat >main.c <<'C'
#include <pthread.h>
#include <stdio.h>
int count;
static void *work(void *p) { count++; return p; }
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    count++;
    pthread_join(t, 0);
    puts("ended");
    return 0;
}
C
cat >part.c <<'C'
extern int count;
int count;
void *work(void *p) { count++; return p; }
C
cat >plugin.c <<'C'
static int count;
void *work(void *p) { count++; return p; }
C
cat >calls.c <<'C'
#include <pthread.h>
#include <stdio.h>
extern int count;
void *work(void *);
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    work(0);
    pthread_join(t, 0);
    puts("ended");
    return 0;
}
C
cat >loads.c <<'C'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
int main(void)
{
    void *plugin = dlopen("./plugin.so", RTLD_NOW), *(*work)(void *);
    if (!plugin) { puts(dlerror()); return 1; }
    *(void **)&work = dlsym(plugin, "work");
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    work(0);
    pthread_join(t, 0);
    dlclose(plugin);
    puts("ended");
    return 0;
}
C
# loads the plugin when a second thread is there already
sed 's/int main(void)/static void *idle(void *p) { return p; }\n&/; s/    void \*plugin = dlopen/    pthread_t first;\n    pthread_create(\&first, 0, idle, 0);\n&/; s/    dlclose/    pthread_join(first, 0);\n&/' \
    loads.c >loads_late.c

# ---- works: objects of -fsanitize=thread, parts that are not instrumented, libraries, plugins ----
"$HEDDLE_CC" -g -fsanitize=thread -c main.c -o main.o && "$cc" main.o -o objects -pthread || wrong "objects of -fsanitize=thread"
says "objects of -fsanitize=thread" 0 ended ./objects
race "objects of -fsanitize=thread" ./objects
"$cc" -g -c main.c -o ours.o && "$HEDDLE_CC" -fsanitize=thread ours.o -o theirs -pthread && TSAN_OPTIONS=exitcode=0 ./theirs >said 2>&1 ||
    wrong "our objects in a program of ThreadSanitizer"
"$HEDDLE_CC" -g -c calls.c -o calls_plain.o && "$cc" -g -c part.c -o part.o && "$cc" part.o calls_plain.o -o partly -pthread
says "a plain file" 0 ended ./partly
race "a plain file" ./partly
"$cc" -g -shared -fPIC part.c -o libpart.so
"$HEDDLE_CC" -g calls.c -L. -lpart -Wl,-rpath,"$work" -o plain_exe -pthread
says "plain program, instrumented library" 0 ended ./plain_exe
race "plain program, instrumented library" ./plain_exe
"$HEDDLE_CC" -g -shared -fPIC part.c -o libpart.so
"$cc" -g calls.c -L. -lpart -Wl,-rpath,"$work" -o plain_library -pthread
says "instrumented program, plain library" 0 ended ./plain_library
says "instrumented program, plain library" 0 'nothing found' "$heddle" run -q -n 10 -o out -- ./plain_library
"$cc" -g -shared -fPIC plugin.c -o plugin.so
for program in loads loads_late; do
    "$HEDDLE_CC" -g $program.c -o $program -pthread -ldl
    says "$program: plain program, instrumented plugin" 0 ended ./$program
    race "$program: plain program, instrumented plugin" ./$program
    "$cc" -g $program.c -o $program -pthread -ldl
    says "$program: instrumented program and plugin" 0 ended ./$program
    race "$program: instrumented program and plugin" ./$program
done
"$cc" -g -c part.c -o part.o && ar rcs libarchive.a part.o && "$cc" -g calls.c -L. -larchive -o archived -pthread
race "static archive" ./archived
if "$cc" -g -fsanitize=undefined main.c -o undefined -pthread 2>said; then
    says "with UBSan" 0 ended ./undefined
    race "with UBSan" ./undefined
fi

# ---- refused at build ----
says "-static" 2 'static program cannot be watched' "$cc" -static main.c -o no
says "-fsanitize=thread" 2 'leave out -fsanitize=thread' "$cc" -fsanitize=thread main.c -o no
says "-fsanitize=address" 2 'address cannot be' "$cc" -fsanitize=undefined,address main.c -o no
says "no hooks" 2 'no libheddle-hooks.so' env HEDDLE_LIB="$work" "$cc" main.c -o no
says "no compiler" 2 "no compiler 'none-such'" env HEDDLE_CC=none-such "$cc" main.c -o no
[ ! -e no ] || wrong "something was built"

# ---- refused at start ----
"$cc" -g -shared -fPIC part.c -o libpart.so
tsan="ThreadSanitizer's runtime and heddle's hooks are both"
asan="AddressSanitizer's runtime and heddle's hooks are both"
for other in clang gcc; do
    command -v $other >/dev/null || continue
    for sanitizer in thread address; do
        [ $sanitizer = thread ] && text=$tsan || text=$asan
        $other -fsanitize=$sanitizer calls.c -L. -lpart -Wl,-rpath,"$work" -o mixed_$sanitizer -pthread 2>said || continue
        both_ways "$other -fsanitize=$sanitizer, our library" "$text" ./mixed_$sanitizer
    done
done
libtsan=$(gcc -print-file-name=libtsan.so.2 2>/dev/null)
[ ! -e "$libtsan" ] || says "libtsan preloaded" 3 "$tsan" env LD_PRELOAD="$libtsan" ./objects
mkdir lib
cp -P "$build"/lib/libheddle-hooks.so* "$build"/lib/libheddle-fast-path.a lib/ && cp -r "$build"/lib/heddle-gcc lib/ 2>said
HEDDLE_LIB=$work/lib "$cc" main.c -o moved -pthread
mv lib gone
says "hooks gone" 127 'libheddle-hooks.so.0: cannot open' ./moved
says "hooks gone, under heddle" 3 'libheddle-hooks.so.0: cannot open' "$heddle" run -q -n 3 -o out -- ./moved
mv gone lib
"$HEDDLE_CC" -O2 -w -DHDI_FAST_PATH_VERSION=99 -c "$source/instrument/memory/fast_path.c" -o fast_path.o && ar r lib/libheddle-fast-path.a fast_path.o 2>said
rm lib/libheddle-fast-path.a && ar rcs lib/libheddle-fast-path.a fast_path.o
HEDDLE_LIB=$work/lib "$cc" main.c -o other_version -pthread
says "another version, by itself" 0 ended ./other_version
says "another version, under heddle" 3 'other_version was linked by heddle-cc of another version' \
    "$heddle" run -q -n 3 -o out -- ./other_version
says "no runtime" 3 'libheddle-rt.so' env HEDDLE_RUNTIME="$work/none.so" "$heddle" run -q -n 3 -o out -- ./objects
# a driver of another version: magic number, then a version that will never be
{ printf HEEDDLE1; printf '\377\377\377\177'; head -c 4084 /dev/zero; } >memory
[ "$(head -c 8 memory | od -An -tx8 | tr -d ' ')" = "$(sed -n 's/^#define HDP_MAGIC 0x\(.*\)ull/\1/p' "$source/instrument/wire/protocol.h")" ] ||
    wrong "the magic number of this test"
says "a driver of another version" 3 'different versions' \
    env HEDDLE_RT=9,0 LD_PRELOAD="$build/harness/rt/libheddle-rt.so" ./objects 9<>memory

# ---- other tools around an instrumented program ----
if command -v valgrind >/dev/null && [ "$HEDDLE_CC" = gcc ]; then # clang's debug information is too new for some
    says "under valgrind" 0 ended valgrind -q ./objects
fi
exit $failed
