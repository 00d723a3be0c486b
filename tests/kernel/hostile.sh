#!/bin/sh
# Hostile packets through the simulation and the kernel: nothing may differ.
#
#     tests/kernel/hostile.sh PROGRAM
#
# HOSTILE_SEEDS (24) runs of HOSTILE_PACKETS (6000) each, made by the program `hostile`, which lies
# beside the tests of PROGRAM's build; HOSTILE_FIRST (13) is the first seed. doc/MODEL.md says which
# seeds show what still differs. Run as root; exit code 77
# where the kernel or a program is missing. The last line is "N passed, N failed".
set -u
export LC_ALL=C

PROGRAM=$1
GENERATOR=$(dirname "$PROGRAM")/tests/kernel/hostile
seed=${HOSTILE_FIRST:-13}
last=$((seed + ${HOSTILE_SEEDS:-24} - 1))
passed=0
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

while [ "$seed" -le "$last" ]; do
    "$GENERATOR" "$seed" "${HOSTILE_PACKETS:-6000}" "$tmp" || exit 1
    "$PROGRAM" verify "$tmp/scenario.json" >"$tmp/out" 2>"$tmp/err"
    status=$?
    if [ "$status" -eq 3 ] && grep -q '^skipped: ' "$tmp/err"; then
        cat "$tmp/err"
        exit 77
    fi
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: hostile $seed ${HOSTILE_PACKETS:-6000}"
        sed 's/^/    /' "$tmp/out" "$tmp/err" | head -n 40
    fi
    seed=$((seed + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
