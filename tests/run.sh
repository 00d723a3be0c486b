#!/bin/sh
# Run the unit tests, then every scenario, then every script beside this one, and count.
#
#     tests/run.sh PROGRAM TEST...
#
# TEST is a cmocka program. A script is tests/NAME.sh or .py; it is given PROGRAM (also in
# $ECMPLAB), and passes with exit code 0, or is left out with 77; when its last line is itself
# "N passed, N failed", these are counted. TEST_RUN goes before each program (as
# valgrind does), TEST_TIMEOUT is how long one may take. What passes says a line; what fails
# shows all that it said. The last line is "N passed, N failed".
set -u
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=STDOUT

ECMPLAB=$1
shift
export ECMPLAB
passed=0
failed=0
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM

# The sum of the numbers that a pattern finds in the output.
sum()
{
    sed -n "s/$1/\\1/p" "$output" | awk '{n += $1} END {print n + 0}'
}

# count NAME STATUS PASSED FAILED: a failing status is a failure even if no test says so.
count()
{
    bad=$4
    [ "$2" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + $3))
    failed=$((failed + bad))
    if [ "$bad" -eq 0 ]; then
        echo "$1: $3 passed"
    else
        cat "$output"
        echo "$1: $bad FAILED (exit code $2)"
    fi
}

run()
{
    # shellcheck disable=SC2086 # a list of words
    timeout "${TEST_TIMEOUT:-600}" ${TEST_RUN:-} "$@" >"$output" 2>&1 </dev/null
}

suite()
{
    run "$1"
    status=$?
    good=$(sum '^\[  PASSED  \].* \([0-9]*\) test(s).*')
    bad=$(sum '^\[  FAILED  \].* \([0-9]*\) test(s), listed.*')
    [ $((good + bad)) -gt 0 ] || bad=1
    count "$(basename "$1")" "$status" "$good" "$bad"
}

scenario()
{
    run "$ECMPLAB" run --quiet "$1"
    status=$?
    count "$1" "$status" "$((status == 0))" "$((status != 0))"
}

script()
{
    TEST_RUN='' run "$1" "$ECMPLAB"
    status=$?
    if [ "$status" -eq 77 ]; then
        echo "$1: left out: $(tail -n 1 "$output")"
    elif tail -n 1 "$output" | grep -qxE '[0-9]+ passed, [0-9]+ failed'; then
        count "$1" "$status" "$(tail -n 1 "$output" | cut -d' ' -f1)" \
            "$(tail -n 1 "$output" | cut -d' ' -f3)"
    else
        count "$1" "$status" "$((status == 0))" "$((status != 0))"
    fi
}

for test in "$@"; do
    suite "$test"
done
for file in scenarios/*.json; do
    [ ! -e "$file" ] || scenario "$file"
done
for file in tests/*.sh tests/*.py; do
    [ ! -e "$file" ] || [ "$file" = tests/run.sh ] || script "$file"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
