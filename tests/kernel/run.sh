#!/bin/sh
# Prove the model against the running kernel: run the programs, then every script beside this one.
#
#     tests/kernel/run.sh PROGRAM TEST...
#
# Each TEST and each tests/kernel/NAME.sh (given PROGRAM, also in $ECMPLAB) says
# "N passed, N failed" last, or is left out with exit code 77. All live in network namespaces
# without a name, which end with them. TEST_TIMEOUT is how long one may take. The last line is
# "N passed, N failed[, N skipped]".
set -u
export LC_ALL=C

ECMPLAB=$1
shift
export ECMPLAB
passed=0
failed=0
skipped=0
child=
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
trap '[ -z "$child" ] || kill "$child"; exit 130' INT TERM

if [ "$(id -u)" -ne 0 ] || ! unshare --net true 2>/dev/null; then
    echo "skipped: needs root and network namespaces"
    echo "0 passed, 0 failed, $# skipped"
    exit 0
fi

run()
{
    name=$1
    timeout "${TEST_TIMEOUT:-900}" "$@" >"$output" 2>&1 </dev/null &
    child=$!
    wait "$child"
    status=$?
    child=
    sed "s|^|$(basename "$name"): |" "$output"
    last=$(tail -n 1 "$output")
    if [ "$status" -eq 77 ]; then
        skipped=$((skipped + 1))
    elif echo "$last" | grep -qxE '[0-9]+ passed, [0-9]+ failed'; then
        good=$(echo "$last" | cut -d' ' -f1)
        bad=$(echo "$last" | cut -d' ' -f3)
        [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
        passed=$((passed + good))
        failed=$((failed + bad))
    else
        echo "$name: exit code $status"
        passed=$((passed + (status == 0)))
        failed=$((failed + (status != 0)))
    fi
}

for test in "$@"; do
    run "$test"
done
for script in tests/kernel/*.sh; do
    [ "$script" = tests/kernel/run.sh ] || run "$script" "$ECMPLAB"
done
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
