#!/bin/sh
# The program as its user meets it: what it says, where, and with which exit code.
#
#     tests/cli.sh PROGRAM
#
# Run in the root of the repository. The last line is "N passed, N failed".
set -u
export LC_ALL=C
unset NO_COLOR TERM

PROGRAM=$1
RECIPE=scenarios/001-recipe.json
FLOW='tcp 192.168.10.5:50000 > 45.57.94.1:443'
COMMANDS=$("$PROGRAM" --help | sed -n 's|^    \([a-z]*\)  .*|\1|p')
passed=0
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# ok WHAT STATUS: count one statement; a failing one shows what the program said last.
ok()
{
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed 's/^/    out: /' "$tmp/out" | head -n 20
    sed 's/^/    err: /' "$tmp/err" | head -n 20
}

# ends CODE WHAT ARGUMENT...: the program, given these, ends with the code. Its output is kept.
ends()
{
    code=$1
    what=$2
    shift 2
    "$PROGRAM" "$@" >"$tmp/out" 2>"$tmp/err" <"${input:-/dev/null}"
    got=$?
    [ "$got" -eq "$code" ]
    ok "$what: exit code $got, not $code" $?
}

says()
{
    grep -qF -- "$1" "$tmp/out"
    ok "stdout lacks '$1'" $?
}

complains()
{
    grep -qF -- "$1" "$tmp/err"
    ok "stderr lacks '$1'" $?
}

is_silent()
{
    [ ! -s "$tmp/$1" ]
    ok "std$1 is not empty" $?
}

same()
{
    cmp -s "$1" "$2" || diff "$1" "$2" >"$tmp/out"
    cmp -s "$1" "$2"
    ok "$3" $?
}

# scenario FILE MEMBERS: the smallest scenario, with these members besides.
scenario()
{
    cat >"$1" <<EOF
{
  "version": 1,
  "name": "small",
  "router": {
    "platform": "linux",
    "hash": {"seed": 1},
    "interfaces": [
      {"name": "lan", "addresses": ["192.168.10.1/24", "2001:db8:10::1/64"]},
      {"name": "wan1", "addresses": ["100.64.1.2/24", "2001:db8:1::2/64"]},
      {"name": "wan2", "addresses": ["100.64.2.2/24"]}
    ],
    "tables": ["marked"],
    "routes": [
      {"dst_address": "0.0.0.0/0", "gateway": "100.64.1.1"},
      {"dst_address": "::/0", "gateway": "2001:db8:1::1"},
      {"dst_address": "0.0.0.0/0", "gateway": "100.64.2.1", "table": "marked"}
    ],
    "rules": [{"action": "lookup", "table": "marked", "fwmark": 7, "comment": "by mark"}],
    "nat": [{"chain": "srcnat", "action": "masquerade", "out_interface": "wan1"},
            {"chain": "srcnat", "action": "masquerade", "out_interface": "wan2"}]
  },
  "wans": {"wan1": {}, "wan2": {}},
  "lan": ["192.168.10.0/24", "2001:db8:10::/64"]$2
}
EOF
}

capture=$PWD/traces/desktop-browsing.pcap

help_is_for_stdout()
{
    ends 0 "--help" --help
    says 'usage: ecmplab COMMAND'
    is_silent err
    ends 0 "help" help
    ends 0 "--version" --version
    says 'ecmplab '
    for command in $COMMANDS; do
        ends 0 "$command --help" "$command" --help
        says "usage: ecmplab $command"
        is_silent err
        ends 0 "$command -h" "$command" -h
        awk 'length > 100 {bad = 1} / $/ {bad = 1} END {exit bad}' "$tmp/out"
        ok "$command --help: a line too long, or with blanks at its end" $?
    done
}

what_is_mistyped_is_named()
{
    ends 2 "no command"
    complains 'usage: ecmplab COMMAND'
    is_silent out
    ends 2 "unknown command" explian
    complains "no command 'explian'; did you mean 'explain'?"
    is_silent out
    for command in $COMMANDS; do
        ends 2 "$command with an unknown option" "$command" --frobnicate x
        complains "ecmplab $command:"
        complains 'frobnicate'
    done
    ends 2 "a mistyped option" run --reprot json:- "$RECIPE"
    complains "unknown option '--reprot'; did you mean '--report'?"
    ends 2 "an option without its value" run "$RECIPE" --seed
    complains '--seed needs a value'
    ends 2 "an unknown format" run --report jsom:- "$RECIPE"
    complains "did you mean 'json'?"
    ends 2 "no scenario" run
    ends 2 "no flow" explain "$RECIPE"
    ends 2 "no number" run --seed x "$RECIPE"
    ends 2 "an unknown interface" explain --in eth9 "$RECIPE" "$FLOW"
    ends 2 "no flow at all" explain "$RECIPE" 'tcp what'
    ends 2 "a pointer without a place" run --set /router/nowhere/x=1 "$RECIPE"
    ends 2 "several scenarios, one file" run --report "json:$tmp/r.json" "$RECIPE" "$RECIPE"
    complains 'would overwrite'
}

each_exit_code_has_its_case()
{
    scenario "$tmp/nothing.json" ''
    scenario "$tmp/fails.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'",
        "map": {"192.168.100.0/24": "192.168.10.0/24"}}],
        "expect": [{"metric": "/run/packets", "max": 1, "because": "there are more"}]'
    ends 0 "what holds" run --quiet "$RECIPE"
    is_silent out
    is_silent err
    ends 1 "what does not hold" run "$tmp/fails.json"
    says '/run/packets'
    says 'there are more'
    ends 1 "quiet, but it failed" run --quiet "$tmp/fails.json"
    says '/run/packets'
    ends 3 "no such scenario" run "$tmp/missing.json"
    ends 3 "no such capture" run --pcap "$tmp/missing.pcap" "$tmp/nothing.json"
    ends 4 "no traffic" run "$tmp/nothing.json"
    complains 'nothing was simulated'
    ends 0 "check of no traffic" check "$tmp/nothing.json"
    says 'well formed'
    ends 1 "a flow that is not forwarded" explain --in lan "$tmp/nothing.json" \
        'udp 192.168.10.5:5 > 224.0.0.1:5'
}

every_mistake_is_told_in_one_run()
{
    cat >"$tmp/broken.json" <<'EOF'
{
  "version": 2,
  "name": "seven mistakes",
  "naem": "a mistyped key",
  "router": {
    "interfaces": [{"name": "lan", "addresses": ["192.168.10.1/33"]},
                   {"name": "wan1", "addresses": ["100.64.1.2/24"]}],
    "routes": [{"dst_address": "0.0.0.0/0", "gateway": "100.64.1.1", "table": "ecpm"}],
    "tables": ["ecmp"]
  },
  "wans": {"wan1": {"delay": 8}},
  "lan": ["192.168.10.0/24"],
  "events": [{"at": "soon", "kind": "link-down", "wan": "wan1"}],
  "expect": [{"metric": "run/packets", "min": 1}]
}
EOF
    for command in check run; do
        ends 2 "$command of a scenario with seven mistakes" "$command" "$tmp/broken.json"
        is_silent out
        for place in '2:14: error: /version' '4:3: error: /naem' \
            '6:50: error: /router/interfaces/0/addresses/0' \
            '8:79: error: /router/routes/0/table' '11:30: error: /wans/wan1/delay' \
            '13:21: error: /events/0/at' '14:25: error: /expect/0/metric'; do
            complains "$tmp/broken.json:$place"
        done
        [ "$(grep -c ': error: ' "$tmp/err")" -eq 7 ]
        ok "$command: seven mistakes, seven messages" $?
    done
    complains "did you mean 'name'?"
    complains "did you mean 'ecmp'?"
}

# member FILE POINTER: what is there in a result, as JSON.
member()
{
    python3 - "$1" "$2" <<'EOF'
import json, sys
at = json.load(open(sys.argv[1]))
for step in sys.argv[2].split("/")[1:]:
    at = at[int(step)] if isinstance(at, list) else at[step]
print(json.dumps(at))
EOF
}

# holds FILE POINTER VALUE: a result has this value there.
holds()
{
    found=$(member "$1" "$2")
    [ "$found" = "$3" ]
    ok "$2 is $found, not $3" $?
}

what_comes_to_nothing_is_told()
{
    scenario "$tmp/filter.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'",
        "filter": "udp and ("}]'
    for command in check run; do
        ends 2 "$command with a filter that is none" "$command" "$tmp/filter.json"
        complains '/traffic/0/filter: filter "udp and (": '
        is_silent out
    done
    scenario "$tmp/none.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'",
        "filter": "tcp port 1", "map": {"192.168.100.0/24": "192.168.10.0/24"}}]'
    ends 0 "check with a filter that takes nothing" check "$tmp/none.json"
    ends 4 "a filter that takes nothing" run "$tmp/none.json"
    complains 'nothing was simulated: 0 packets'

    scenario "$tmp/foreign.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'"}]'
    ends 4 "a map forgotten" run --report "json:$tmp/foreign.res" "$tmp/foreign.json"
    complains 'nothing was simulated: 3138 packets, and no flow'
    holds "$tmp/foreign.res" /run/flows 0
    member "$tmp/foreign.res" /warnings/0 | grep -q '^"[0-9]* of 3138 packets are foreign: .* from 192\.168\.100\.'
    ok "no warning of foreign packets" $?

    scenario "$tmp/late.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'",
        "map": {"192.168.100.0/24": "192.168.10.0/24"}}],
        "events": [{"at": "2h", "kind": "link-down", "wan": "wan1", "name": "too late"}]'
    ends 0 "an event behind the end" run --report "json:$tmp/late.res" --report text:- "$tmp/late.json"
    says 'too late at 7200 s never happened: the run ends at 95.'
    holds "$tmp/late.res" /events/0/at null
    holds "$tmp/late.res" /events/0/detected_at null
    holds "$tmp/late.res" /events/0/flows_alive 0
    member "$tmp/late.res" /warnings | grep -q 'too late at 7200 s never happened'
    ok "no warning of an event that never happened" $?
}

# The network of vlan20 lies within lan's, which stands first.
nested_networks_are_entered_by_the_longest()
{
    scenario "$tmp/nested.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'",
        "map": {"192.168.100.0/24": "192.168.20.0/24"}}]'
    set -- --set '/router/interfaces/0/addresses/0=192.168.0.1/16' \
        --set '/router/interfaces/-={"name": "vlan20", "addresses": ["192.168.20.1/24"]}' \
        --set '/lan/0=192.168.0.0/16' "$tmp/nested.json"
    ends 0 "explain in the inner network" explain "$@" 'udp 192.168.20.5:5000 > 45.57.94.1:443'
    says 'in by vlan20'
    ends 0 "explain in the outer network" explain "$@" 'udp 192.168.30.5:5000 > 45.57.94.1:443'
    says 'in by lan'
    ends 0 "run in the inner network" run --quiet --decisions - "$@"
    [ "$(awk -F, '$4 ~ /^192\.168\.20\./ && $9 == "delivered" {print $3}' "$tmp/out" | sort -u)" = vlan20 ]
    ok "the inner network's packets enter by vlan20" $?
}

explanations_are_as_written()
{
    ends 0 "explain to the LAN" explain "$RECIPE" 'tcp 192.168.10.5:50000 > 192.168.20.100:443'
    same tests/golden/explain-a.txt "$tmp/out" "explain-a.txt"
    is_silent err
    ends 0 "explain to the Internet" explain "$RECIPE" "$FLOW"
    same tests/golden/explain-b.txt "$tmp/out" "explain-b.txt"
    for flow in 'udp [fd00:10::5]:5000 > [2001:db8:ffff:ffff:ffff:ffff:ffff:53]:53' \
        'icmp 192.168.10.50 > 8.8.8.8' 'tcp 192.168.10.5:1 > 192.168.10.1:80'; do
        ends 0 "explain $flow" explain "$RECIPE" "$flow"
        awk 'length > 80 {bad = 1} / $/ {bad = 1} END {exit bad}' "$tmp/out"
        ok "explain $flow: a line too long, or with blanks at its end" $?
    done
    ends 0 "explain from the router" explain --in router "$RECIPE" 'udp 100.64.1.2:5 > 9.9.9.9:53'
    says 'sent by the router itself'
    ends 0 "explain while WAN2 is down" explain --at 40s "$RECIPE" "$FLOW"
    says '2 next hops, 2 of them living'
    ends 0 "explain a dead WAN that nobody has noticed" explain --at 31s \
        scenarios/007-gateway-dead.json "$FLOW"
    says 'lost on wan2 at that time, gateway-down'
    ends 0 "explain a dead WAN that is out of use" explain --at 60s \
        scenarios/007-gateway-dead.json "$FLOW"
    ! grep -q 'lost on' "$tmp/out"
    ok "explain: a WAN that is not used loses nothing" $?
    ends 0 "explain routes out of use" explain --at 60s --set /events/0/wan=wan1 \
        scenarios/007-gateway-dead.json 'tcp 192.168.10.50:50000 > 45.57.94.1:443'
    says 'best match 0.0.0.0/0, distance 2, via 100.64.2.1 on wan2'
    says 'not used: distance 1, via 100.64.1.1 on wan1: its gateway does'
    says 'not used: distance 3, via 100.64.3.1 on wan3: distance 2 lives'
}

# The nth answer, from 1, holds this text.
answer_holds()
{
    sed -n "$1p" "$tmp/out" | grep -qF -- "$2"
    ok "answer $1 lacks $2" $?
}

# One flow through ten next hops: under one seed it keeps its path, a hundred seeds reach them all.
a_hash_seed_decides_the_path_and_any_path_has_its_seed()
{
    flow='{"in": "rp11", "src": "192.0.2.2", "dst": "198.51.100.2", "proto": "udp", "sport": 1024, "dport": 4321}'
    printf '%s\n%s\n' "$flow" "$flow" >"$tmp/flows"
    : >"$tmp/paths"
    twice=0
    for seed in $(seq 1 100); do
        "$PROGRAM" lookup --set "/router/hash/seed=$seed" scenarios/029-selftest-seeds.json \
            <"$tmp/flows" | sed 's/.*"out_interface": *"\([^"]*\)".*/\1/' >"$tmp/out"
        [ "$(sort "$tmp/out" | uniq -c | awk '{print $1}')" = 2 ] && twice=$((twice + 1))
        cat "$tmp/out" >>"$tmp/paths"
    done
    [ "$twice" -eq 100 ]
    ok "one path under each of a hundred seeds: only $twice" $?
    [ "$(sort -u "$tmp/paths" | grep -c '^rp')" -eq 10 ]
    ok "a hundred seeds reach all ten paths" $?
}

a_folder_stands_for_the_scenarios_in_it()
{
    mkdir "$tmp/folder" "$tmp/empty"
    scenario "$tmp/folder/b.json" ''
    scenario "$tmp/folder/a.json" ''
    echo 'no scenario' >"$tmp/folder/notes.txt"
    ends 0 "check of a folder" check "$tmp/folder"
    printf '%s: well formed\n' "$tmp/folder/a.json" "$tmp/folder/b.json" >"$tmp/expected"
    same "$tmp/out" "$tmp/expected" "a folder's scenarios, in order"
    ends 3 "check of a folder without any" check "$tmp/empty"
    complains 'expected scenarios in this folder'
    echo '{' >"$tmp/folder/c.json"
    ends 2 "check of a folder with a bad one" check "$tmp/folder/"
    complains "$tmp/folder/c.json"
}

lookup_answers_line_by_line()
{
    scenario "$tmp/lookup.json" ', "events": [{"at": "10s", "kind": "link-down", "wan": "wan1", "how": "admin"}]'
    input=$tmp/flows
    cat >"$input" <<'EOF'
{"in": "lan", "src": "192.168.10.5", "dst": "8.8.8.8", "proto": "tcp", "sport": 50000, "dport": 443}
{"in": "lan", "src": "192.168.10.5", "dst": "8.8.8.8", "proto": "tcp", "sport": 50000, "dport": 443, "at": 20}
{"in": "lan", "src": "192.168.10.5", "dst": "8.8.8.8", "proto": "tcp", "sport": 50000, "dport": 443, "at": "5s"}
{"in": "lan", "src": "192.168.10.5", "dst": "8.8.8.8", "proto": "udp", "sport": 5, "dport": 6, "mark": 7}
{"in": "lan", "src": "2001:db8:10::5", "dst": "2001:db8::53", "proto": "udp", "sport": 5, "dport": 53}
{"src": "100.64.1.2", "dst": "8.8.8.8", "proto": "udp", "sport": 5, "dport": 53}
{"in": "lan", "src": "192.168.10.5", "dst": "192.168.10.1", "proto": "icmp"}
EOF
    ends 0 "lookup" lookup "$tmp/lookup.json"
    is_silent err
    [ "$(wc -l <"$tmp/out")" -eq 7 ]
    ok "an answer a line" $?
    python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$tmp/out"
    ok "every answer is JSON" $?
    answer_holds 1 '"out_interface": "wan1"'
    answer_holds 1 '"nat_src": "100.64.1.2"'
    answer_holds 2 '"reason": "no-route"'
    answer_holds 3 '"out_interface": "wan1"'
    answer_holds 4 '"rule": "by mark", "table": "marked"'
    answer_holds 4 '"nat_src": "100.64.2.2"'
    answer_holds 5 '"route": "::/0", "gateway": "2001:db8:1::1", "out_interface": "wan1"'
    answer_holds 6 '"out_interface": "wan1"'
    answer_holds 7 '"verdict": "local"'
    cp "$tmp/out" "$tmp/first"
    ends 0 "lookup again" lookup "$tmp/lookup.json"
    same "$tmp/first" "$tmp/out" "the same questions, the same answers"

    printf '%s\n' '{"in": "lan"' '{"in": "moon", "src": "1.2.3.4", "dst": "1.2.3.5", "proto": "tcp"}' '' \
        '{"in": "lan", "src": "192.168.10.5", "dst": "8.8.8.8", "proto": "icmp"}' >"$input"
    ends 2 "lookup of wrong lines" lookup "$tmp/lookup.json"
    answer_holds 1 '{"error": "line 1: '
    answer_holds 2 '{"error": "line 2: '
    answer_holds 3 '{"error": "line 3: '
    answer_holds 4 '"verdict": "forward"'
    input=
    ends 4 "lookup of nothing" lookup "$tmp/lookup.json"
}

results_are_the_same_again()
{
    for n in 1 2; do
        ends 0 "run $n" run --report "json:$tmp/$n.json" --report "text:$tmp/$n.txt" \
            --decisions "$tmp/$n.csv" "$RECIPE"
        is_silent out
    done
    same "$tmp/1.json" "$tmp/2.json" "the same result twice"
    same "$tmp/1.csv" "$tmp/2.csv" "the same decisions twice"
    same "$tmp/1.txt" "$tmp/2.txt" "the same text twice"
    ends 0 "report" report "$tmp/1.json"
    same "$tmp/1.txt" "$tmp/out" "the text of a saved result is the run's"
    ends 0 "report of json" report --report json:- "$tmp/1.json"
    same "$tmp/1.json" "$tmp/out" "a saved result written again"
    input=$tmp/1.json
    ends 0 "report from standard input" report -
    same "$tmp/1.txt" "$tmp/out" "the text from standard input"
    input=
    ends 0 "run to stdout" run "$RECIPE"
    same "$tmp/1.txt" "$tmp/out" "text on stdout is text in a file"
    head -n 1 "$tmp/1.csv" | grep -qx 'packet,time,interface,src,dst,proto,sport,dport,verdict,rule,table,gateway,out_interface,nat_src,reason'
    ok "the decisions' header" $?
    ends 0 "another seed" run --seed 8 --report "json:$tmp/3.json" "$RECIPE"
    ! cmp -s "$tmp/1.json" "$tmp/3.json"
    ok "another seed, another result" $?
    echo '{"format": "something"}' >"$tmp/other.json"
    ends 3 "report of what is no result" report "$tmp/other.json"
    echo '{' >"$tmp/other.json"
    ends 3 "report of what is no JSON" report "$tmp/other.json"
    complains "$tmp/other.json:"
}

verify_refuses_what_no_kernel_has()
{
    ends 2 "verify of a policy of our own" verify --set '/router/policy="modulo-n"' "$RECIPE"
    complains "no route of this kernel picks by policy 'modulo-n': nothing to compare"
    ends 2 "the same on Linux" verify --set '/router/policy="modulo-n"' \
        scenarios/015-resilient.json
    complains "no route of this kernel picks by policy 'modulo-n': nothing to compare"
    ends 2 "resilient on RouterOS" verify --set '/router/policy="resilient"' "$RECIPE"
    complains "no route of this kernel picks by policy 'resilient': nothing to compare"
}

what_cannot_be_written_is_told()
{
    for command in "run $RECIPE" "run --report json:- $RECIPE" "schema" "check $RECIPE" "list" \
        "report $tmp/1.json" "--help" "run --help"; do
        # shellcheck disable=SC2086 # words
        "$PROGRAM" $command >/dev/full 2>"$tmp/err"
        [ $? -eq 3 ]
        ok "$command on a full disk: exit code 3" $?
        complains 'No space left on device'
        # shellcheck disable=SC2086
        { "$PROGRAM" $command 2>"$tmp/err"; echo $? >"$tmp/code"; } | head -c 1 >/dev/null
        case $(cat "$tmp/code") in 0 | 3) true ;; *) false ;; esac
        ok "$command | head -c 1: exit code $(cat "$tmp/code")" $?
    done
    "$PROGRAM" explain "$RECIPE" "$FLOW" >/dev/full 2>"$tmp/err"
    [ $? -eq 3 ]
    ok "explain on a full disk: exit code 3" $?
    # A pipe holds 64 KiB: more than that, and nobody reads.
    { "$PROGRAM" run --decisions - "$RECIPE" 2>"$tmp/err"; echo $? >"$tmp/code"; } | head -c 1 >/dev/null
    [ "$(cat "$tmp/code")" -eq 3 ]
    ok "decisions | head -c 1: exit code $(cat "$tmp/code"), not 3" $?
    complains 'Broken pipe'
    ends 3 "a report to a full disk" run --report json:/dev/full "$RECIPE"
    ends 3 "decisions to a full disk" run --decisions /dev/full "$RECIPE"
    ends 3 "a report into no folder" run --report "json:$tmp/no/where.json" "$RECIPE"
    complains "$tmp/no/where.json"
    ends 0 "decisions to stdout" run --quiet --decisions /dev/stdout "$RECIPE"
    same "$tmp/1.csv" "$tmp/out" "decisions to /dev/stdout"
    ends 0 "decisions to -" run --quiet --decisions - "$RECIPE"
    same "$tmp/1.csv" "$tmp/out" "decisions to -"
}

captures_that_are_none()
{
    scenario "$tmp/small.json" ', "traffic": [{"kind": "pcap", "file": "'"$capture"'",
        "map": {"192.168.100.0/24": "192.168.10.0/24"}}]'
    echo 'no capture, but a few words' >"$tmp/words.pcap"
    ends 3 "a text file" run --pcap "$tmp/words.pcap" "$tmp/small.json"
    complains "$tmp/words.pcap"
    is_silent out
    : >"$tmp/empty.pcap"
    ends 3 "an empty file" run --pcap "$tmp/empty.pcap" "$tmp/small.json"
    ends 3 "a folder" run --pcap "$tmp" "$tmp/small.json"
    head -c 3000 "$capture" >"$tmp/cut.pcap"
    ends 3 "a capture cut in a packet" run --pcap "$tmp/cut.pcap" --decisions "$tmp/cut.csv" "$tmp/small.json"
    complains "$tmp/cut.pcap"
    complains 'after packet 24'
    says '24 packets'
    says 'after packet 24'
    [ "$(wc -l <"$tmp/cut.csv")" -eq 25 ]
    ok "a line for each packet before the cut" $?
    head -c 24 "$capture" >"$tmp/header.pcap"
    ends 4 "a capture without packets" run --pcap "$tmp/header.pcap" "$tmp/small.json"
}

colour_is_for_terminals()
{
    ends 0 "run" run "$RECIPE"
    ! grep -q "$(printf '\033')" "$tmp/out"
    ok "no colour in a file" $?
    command -v script >/dev/null || return
    for setting in 'TERM=xterm' 'TERM=xterm NO_COLOR=1' 'TERM=dumb'; do
        script -qec "env $setting $PROGRAM run $RECIPE" /dev/null >"$tmp/out" 2>"$tmp/err" </dev/null
        grep -q "$(printf '\033')" "$tmp/out"
        coloured=$?
        [ "$setting" = 'TERM=xterm' ] || coloured=$((! coloured))
        ok "colour on a terminal with $setting" $coloured
    done
    script -qec "env TERM=xterm $PROGRAM run --no-color $RECIPE" /dev/null >"$tmp/out" </dev/null
    ! grep -q "$(printf '\033')" "$tmp/out"
    ok "--no-color on a terminal" $?
}

several_scenarios_end_as_the_gravest()
{
    ends 0 "two that hold" run "$RECIPE" scenarios/002-recipe-l3.json
    [ "$(grep -c '^Load per WAN' "$tmp/out")" -eq 2 ]
    ok "two reports" $?
    ends 1 "one that fails" run --quiet "$RECIPE" "$tmp/fails.json" "$RECIPE"
    ends 2 "a broken one among them" run --quiet "$tmp/broken.json" "$tmp/fails.json"
    complains "$tmp/fails.json: exit code 1"
    ends 3 "a missing one among them" run --quiet "$tmp/missing.json" "$tmp/fails.json" "$RECIPE"
    ends 3 "check of several" check "$RECIPE" "$tmp/broken.json" "$tmp/missing.json"
    says "$RECIPE: well formed"
}

lists_are_of_what_the_program_knows()
{
    for list in policies hash-policies events traffic metrics moves fates balance verdicts reasons \
        reports; do
        ends 0 "list" list
        says "$list"
        ends 0 "list $list" list "$list"
        awk 'NF < 2 || / $/ {bad = 1} END {exit bad || NR == 0}' "$tmp/out"
        ok "list $list: a name without a meaning" $?
    done
    ends 0 "list of policies and events" list policies events
    says '  hash-threshold  '
    says '  link-down  '
    ends 0 "list as JSON" list --json metrics moves
    python3 - "$tmp/out" <<'EOF'
import json, sys
lists = json.load(open(sys.argv[1]))
assert list(lists) == ["metrics", "moves"]
row = next(r for r in lists["metrics"] if r["name"] == "/stickiness/broken")
assert row["unit"] == "flows" and row["better"] == "less", row
assert lists["moves"][0] == {"name": "forced", "about": "its path failed"}, lists["moves"]
EOF
    ok "the lists are JSON" $?
    ends 2 "a mistyped list" list polices
    complains "did you mean 'policies'?"
}

# three FILE NAME...: the capture over equal routes by these WANs, without NAT's or events' doing.
three()
{
    file=$1
    shift
    interfaces=''
    routes=''
    nat=''
    wans=''
    for wan in "$@"; do
        n=${wan#wan}
        interfaces="$interfaces, {\"name\": \"$wan\", \"addresses\": [\"100.64.$n.2/24\"]}"
        routes="$routes, {\"dst_address\": \"0.0.0.0/0\", \"gateway\": \"100.64.$n.1\"}"
        nat="$nat, {\"chain\": \"srcnat\", \"action\": \"masquerade\", \"out_interface\": \"$wan\"}"
        wans="$wans, \"$wan\": {}"
    done
    cat >"$file" <<EOF
{"version": 1, "name": "by $*", "seed": 5,
 "router": {"platform": "routeros7", "hash": {"ipv4": "l4", "seed": 7},
   "interfaces": [{"name": "lan", "addresses": ["192.168.10.1/24"]}$interfaces],
   "routes": [${routes#, }], "nat": [${nat#, }]},
 "wans": {${wans#, }}, "lan": ["192.168.10.0/24"],
 "traffic": [{"kind": "pcap", "file": "$capture", "map": {"192.168.100.0/24": "192.168.10.0/24"}}]}
EOF
}

# Without the middle one of three only its own flows go elsewhere, and to both others; without
# the first, those of the second that lay behind the half go to the third.
comparing_tells_who_goes_elsewhere()
{
    three "$tmp/abc.json" wan1 wan2 wan3
    three "$tmp/ac.json" wan1 wan3
    three "$tmp/bc.json" wan2 wan3
    ends 0 "compare three scenarios" compare --report "json:$tmp/cmp.json" --report text:- \
        "$tmp/abc.json" "$tmp/ac.json" "$tmp/bc.json"
    is_silent err
    says 'Flows that go elsewhere'
    awk 'length > 80 || / $/ {bad = 1} END {exit bad}' "$tmp/out"
    ok "compare: a line too long, or with blanks at its end" $?
    cp "$tmp/out" "$tmp/cmp.txt"
    ends 0 "the first alone" run --quiet --report "json:$tmp/abc.res" "$tmp/abc.json"
    python3 - "$tmp/cmp.json" "$tmp/abc.res" <<'EOF'
import json, sys
c, first = (json.load(open(f)) for f in sys.argv[1:])
flows = {w: p["flows"] for w, p in first["paths"].items()}
def between(e):
    return {(b["from"], b["to"]): b["flows"] for b in c["elsewhere"][e]["between"]}
ac, bc = between("ac"), between("bc")
assert set(ac) == {("wan2", "wan1"), ("wan2", "wan3")}, ac
assert sum(ac.values()) == flows["wan2"] == c["elsewhere"]["ac"]["elsewhere"], ac
assert set(bc) == {("wan1", "wan2"), ("wan2", "wan3")}, bc
assert bc["wan1", "wan2"] == flows["wan1"], bc
assert all(k["traffic"] == "same" for k in c["columns"][1:])
assert c["format"] == "ecmplab-comparison/1" and c["warnings"] == []
assert c["elsewhere"]["ac"]["another_address"] == flows["wan2"]
EOF
    ok "flows elsewhere are those of RFC 2992" $?
    ends 0 "a comparison drawn again" report "$tmp/cmp.json"
    same "$tmp/cmp.txt" "$tmp/out" "the text of a saved comparison"
    ends 3 "pictures of a comparison" report --report "plots:$tmp/pictures" "$tmp/cmp.json"
    complains 'not of a comparison'
    ends 0 "a scenario and itself" compare "$tmp/abc.json" "$tmp/abc.json"
    says 'SAME    abc (2): 0 of'
}

variants_are_columns()
{
    ends 0 "compare variants" compare --report "json:$tmp/cmp.json" --variant l3:/router/hash/ipv4=l3 \
        --variant both:/router/hash/ipv4=l3 --variant both:/router/hash/seed=8 "$tmp/abc.json"
    python3 -c 'import json, sys
c = json.load(open(sys.argv[1]))
assert [k["name"] for k in c["columns"]] == ["abc", "l3", "both"], c["columns"]
assert 0 < c["elsewhere"]["l3"]["elsewhere"] != c["elsewhere"]["both"]["elsewhere"] > 0' "$tmp/cmp.json"
    ok "a column for each variant" $?
    ends 0 "the same in one" compare --report "json:$tmp/set.json" --set /router/hash/seed=8 \
        --variant x:/router/hash/ipv4=l4 "$tmp/abc.json"
    # shellcheck disable=SC2046 # words
    ends 2 "more changes than there is room for" compare --set /seed=1 \
        $(for i in $(seq 256); do echo "--variant x:/seed=$i"; done) "$tmp/abc.json"
    complains 'at most 256 times in all'
    ends 2 "a variant of the traffic" compare --variant x:/traffic/0/speed=2 "$tmp/abc.json"
    complains 'with --own-traffic'
    ends 0 "with its own" compare --own-traffic --variant x:/traffic/0/speed=2 "$tmp/abc.json"
    says 'different traffic'
    ends 2 "a variant without a name" compare --variant /router/hash/ipv4=l3 "$tmp/abc.json"
    complains 'expected NAME:POINTER=VALUE'
    ends 2 "a variant of nothing" compare --variant x:/router/hash/nothing=1 "$tmp/abc.json"
    ends 2 "one alone" compare "$tmp/abc.json"
    ends 2 "none" compare
    ends 2 "pictures" compare --report "plots:$tmp/pictures" "$tmp/abc.json" "$tmp/ac.json"
    ends 3 "a missing one" compare "$tmp/abc.json" "$tmp/missing.json"
    ends 2 "a broken one" compare "$tmp/abc.json" "$tmp/broken.json"
    ends 1 "an expectation of the second fails" compare --set '/expect=[{"metric": "/run/flows", "min": 1}]' \
        --variant 'x:/expect=[{"metric": "/run/flows", "max": 1}]' "$tmp/abc.json"
    says '1 expectation failed'
    ends 0 "an expectation of the first fails" compare --set '/expect=[{"metric": "/run/flows", "max": 1}]' \
        --variant 'x:/expect=[]' "$tmp/abc.json"
    ends 4 "no packet" compare --pcap "$tmp/header.pcap" "$tmp/abc.json" "$tmp/ac.json"
}

results_are_compared_by_their_figures()
{
    for name in abc ac; do
        ends 0 "run $name" run --quiet --report "json:$tmp/$name.res" "$tmp/$name.json"
    done
    ends 0 "compare two results" compare "$tmp/abc.res" "$tmp/ac.res"
    says 'the result abc.res'
    says 'paths/wan2/flows_share'
    ends 0 "a scenario and a result" compare "$tmp/abc.json" "$tmp/ac.res"
    ends 0 "a result and a scenario" compare "$tmp/abc.res" "$tmp/ac.json"
    ends 2 "a result's variant" compare --variant x:/seed=1 "$tmp/abc.res"
    ends 0 "run of other traffic" run --quiet --report "json:$tmp/fast.res" --set /traffic/0/speed=2 "$tmp/abc.json"
    ends 2 "results of different traffic" compare "$tmp/abc.res" "$tmp/fast.res"
    complains 'its traffic is not known to be that of'
    ends 2 "a result of different traffic" compare "$tmp/abc.json" "$tmp/fast.res"
    ends 2 "a scenario of different traffic" compare "$tmp/fast.res" "$tmp/abc.json"
    ends 0 "all the same" compare --own-traffic "$tmp/abc.res" "$tmp/fast.res"
    says 'differences are not of the'
}

verify_refuses_what_no_kernel_picks_by()
{
    ends 2 "verify of a policy beyond the kernel" verify --set '/router/policy="maglev"' "$RECIPE"
    complains "picks by policy 'maglev'"
    is_silent out
    ends 2 "verify of connections carried by flow" verify scenarios/030-half-a-million-flows.json
    complains 'its packets are not sent one by one'
}

the_schema_is_json()
{
    ends 0 "schema" schema
    # shellcheck disable=SC2016 # a key, not a variable
    python3 -c 'import json, sys; assert "$schema" in json.load(open(sys.argv[1]))' "$tmp/out"
    ok "the schema is JSON" $?
}

help_is_for_stdout
what_is_mistyped_is_named
each_exit_code_has_its_case
every_mistake_is_told_in_one_run
what_comes_to_nothing_is_told
nested_networks_are_entered_by_the_longest
explanations_are_as_written
a_hash_seed_decides_the_path_and_any_path_has_its_seed
a_folder_stands_for_the_scenarios_in_it
lookup_answers_line_by_line
results_are_the_same_again
verify_refuses_what_no_kernel_has
what_cannot_be_written_is_told
captures_that_are_none
colour_is_for_terminals
several_scenarios_end_as_the_gravest
lists_are_of_what_the_program_knows
comparing_tells_who_goes_elsewhere
variants_are_columns
results_are_compared_by_their_figures
verify_refuses_what_no_kernel_picks_by
the_schema_is_json
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
