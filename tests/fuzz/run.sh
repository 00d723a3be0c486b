#!/bin/sh
# Build the fuzz targets with clang and run each for some seconds.
#
#     tests/fuzz/run.sh BUILD SECONDS NAME...
#
# From the root of the repository. What a run finds is left in BUILD/found/. The last line is
# "N passed, N failed", a target each.
set -u
build=$1
seconds=$2
shift 2
sanitize=-fsanitize=address,undefined
flags="-O1 -g $sanitize -fno-sanitize-recover=all -fsanitize=fuzzer-no-link"
objects="$build/libecmplab-sim.a $build/libecmplab-core.a $build/tests/fuzz/fuzz_file.o"
passed=0
failed=0

for name; do
    objects="$build/tests/fuzz/fuzz_$name.o $objects"
done
# shellcheck disable=SC2086 # a list of files
make -s -j2 CC=clang WERROR= CFLAGS="$flags" BUILD="$build" $objects || exit 1
mkdir -p "$build/found" "$build/corpus"
for name; do
    target=$build/fuzz_$name
    clang $sanitize -fsanitize=fuzzer -o "$target" "$build/tests/fuzz/fuzz_$name.o" \
        "$build/tests/fuzz/fuzz_file.o" "$build/libecmplab-sim.a" "$build/libecmplab-core.a" \
        -lpcap -ljansson -lz -lzstd -lm -pthread || exit 1
    mkdir -p "$build/corpus/$name"
    if "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=65536 \
        -artifact_prefix="$build/found/$name-" "$build/corpus/$name" "tests/fuzz/corpus/$name" \
        >"$build/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "fuzz $name: $(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 inputs in \2 s, nothing found/p' "$build/$name.log")"
    else
        failed=$((failed + 1))
        tail -n 40 "$build/$name.log"
        echo "fuzz $name: FAILED, see $build/found/"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
