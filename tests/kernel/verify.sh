#!/bin/sh
# `ecmplab verify` on every scenario, both ways, and on the platform linux: nothing may differ.
#
#     tests/kernel/verify.sh PROGRAM
#
# Run in the root of the repository, as root; exit code 77 where the kernel or a program is missing.
# The last line is "N passed, N failed".
set -u
export LC_ALL=C

PROGRAM=$1
passed=0
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

"$PROGRAM" verify --decisions-only scenarios/001-recipe.json >/dev/null 2>"$tmp/err"
if [ $? -eq 3 ] && grep -q '^skipped: ' "$tmp/err"; then
    cat "$tmp/err"
    exit 77
fi

ok()
{
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed 's/^/    /' "$tmp/out" "$tmp/err" | head -n 40
}

# agrees WHAT ARGUMENT...: every packet compared agrees.
agrees()
{
    what=$1
    shift
    "$PROGRAM" verify "$@" >"$tmp/out" 2>"$tmp/err"
    ok "$what" $?
}

# A Linux router of two WANs. $1: its source NAT, a masquerade rule or src-nat; $2: the failure.
linux_scenario()
{
    cat <<END
{
  "version": 1, "name": "linux", "seed": 3,
  "router": {
    "platform": "linux",
    "hash": {"ipv4": "l4", "ipv6": "l4", "seed": 99},
    "ignore_routes_with_linkdown": $3,
    "interfaces": [
      {"name": "lan", "addresses": ["192.168.10.1/24", "fd00:10::1/64"]},
      {"name": "wan1", "addresses": ["100.64.1.2/24", "2001:db8:a1::2/64"]},
      {"name": "wan2", "addresses": ["100.64.2.2/24", "2001:db8:a2::2/64"]}
    ],
    "routes": [
      {"gateway": ["100.64.1.1", "100.64.2.1"], "weight": [1, 3], "check_gateway": "ping"},
      {"dst_address": "::/0", "gateway": ["2001:db8:a1::1", "2001:db8:a2::1"], "check_gateway": "ping"}
    ],
    "nat": [$1]
  },
  "wans": {"wan1": {}, "wan2": {}},
  "lan": ["192.168.10.0/24", "fd00:10::/64"],
  "traffic": [{
    "kind": "pcap", "file": "$PWD/traces/dualstack-tls.pcap",
    "map": {"192.168.0.17": "192.168.10.5", "2601:647:4b02:1d20:fd05:6f66:ecce:8bc7": "fd00:10::5"}
  }],
  "events": [{"at": "40s", "wan": "wan1", "for": "30s", $2}]
}
END
}

masquerade='{"chain": "srcnat", "action": "masquerade", "family": "ipv4"},
    {"chain": "srcnat", "action": "masquerade", "family": "ipv6"}'
src_nat='{"chain": "srcnat", "action": "src-nat", "out_interface": "wan1", "to_addresses": "100.64.1.2"},
    {"chain": "srcnat", "action": "src-nat", "out_interface": "wan2", "to_addresses": "100.64.2.2"}'

# All that a kernel can express: not a policy of no kernel's, not flows without packets.
for scenario in $(grep -LE '"policy": "(connection-mark|random-flow|round-robin)"|"granularity": "flow"' \
    scenarios/[0-9]*.json); do
    agrees "$scenario, decisions" --decisions-only "$scenario"
    agrees "$scenario, packets" "$scenario"
done

# The same in one command, which passes over the others with a word.
"$PROGRAM" verify scenarios/ >"$tmp/out" 2>"$tmp/err"
ok "verify of the folder: exit code $?" $?
grep -q '^[0-9]* scenarios: [0-9]* compared, 0 differ; [1-9][0-9]* of no kernel$' "$tmp/out"
ok "verify of the folder sums up" $?
for failure in '"kind": "link-down"' '"kind": "link-down", "how": "admin"' '"kind": "gateway-down"'; do
    for ignore in true false; do
        linux_scenario "$masquerade" "$failure" $ignore >"$tmp/linux.json"
        agrees "linux, masquerade, $failure, ignoring links down: $ignore" "$tmp/linux.json"
        linux_scenario "$src_nat" "$failure" $ignore >"$tmp/linux.json"
        agrees "linux, src-nat, $failure, ignoring links down: $ignore" "$tmp/linux.json"
    done
done

# Next-hop objects: what the kernel deletes and a daemon puts back, and buckets that time moves.
for policy in '{"name": "hash-threshold", "objects": true}' '{"name": "resilient", "buckets": 16}' \
    '{"name": "resilient", "buckets": 200, "idle_timer": "2s"}' \
    '{"name": "resilient", "idle_timer": "20s", "unbalanced_timer": "3s"}' \
    '{"name": "resilient", "returns": false}'; do
    for failure in '"kind": "link-down"' '"kind": "link-down", "how": "admin"' '"kind": "gateway-down"'; do
        linux_scenario "$masquerade" "$failure" false >"$tmp/linux.json"
        for how in --json --decisions-only; do
            agrees "$policy, $failure, $how" $how --set "/router/policy=$policy" "$tmp/linux.json"
        done
    done
    for scenario in scenarios/014-outer-member.json scenarios/015-resilient.json; do
        agrees "$policy, $scenario" --set "/router/policy=$policy" --set '/expect=[]' $scenario
    done
done

# RouterOS's "only in this table" with min_prefix: goes on past a route that it passes over, ends where
# there is none. The table w2 has its one route while wan2 is up.
only='"action": "lookup-only-in-table", "min_prefix":'
for rule in "{$only 0, \"table\": \"main\"}" "{$only 24, \"table\": \"main\"}" \
    "{$only 0, \"table\": \"w2\", \"interface\": \"bridge-lan\"}" \
    "{$only 200, \"table\": \"ecmp\", \"src_address\": \"192.168.10.50\"}"; do
    for how in --json --decisions-only; do
        agrees "$rule, $how" $how --set '/router/tables=["ecmp", "w2"]' \
            --set '/router/routes/-={"gateway": "100.64.2.1", "table": "w2"}' \
            --set "/router/rules/0=$rule" --set '/expect=[]' scenarios/001-recipe.json
    done
done

# Links that drop: the kernel gets what came to the router, and only that.
linux_scenario "$masquerade" '"kind": "gateway-down"' true >"$tmp/linux.json"
narrow='{"down": "256k", "up": "64k", "queue": "20ms", "loss": 0.05, "loss_burst": 3}'
agrees "linux, narrow links that lose packets" --set "/wans/wan1=$narrow" \
    --set "/wans/wan2=$narrow" "$tmp/linux.json"
grep -q 'never came to the router: queue-full' "$tmp/out" &&
    grep -q 'never came to the router: link-loss' "$tmp/out"
ok "no packet was lost on its way to the router" $?
agrees "the recipe with narrow links that lose packets" --set "/wans/wan1=$narrow" \
    --set "/wans/wan2=$narrow" --set "/wans/wan3=$narrow" scenarios/001-recipe.json

# The findings as JSON.
agrees "JSON" --json scenarios/001-recipe.json
grep -q '"format": "ecmplab-verify/1"' "$tmp/out"
ok "the JSON names its format" $?

# Killed half way: no namespace of it is left. Others' come and go meanwhile, so look for it by
# the interfaces that only it has.
"$PROGRAM" verify scenarios/001-recipe.json >/dev/null 2>&1 &
victim=$!
sleep 0.3
kill -9 "$victim" 2>/dev/null
wait "$victim" 2>/dev/null
ip link show if0 >"$tmp/out" 2>"$tmp/err"
[ $? -ne 0 ]
ok "an interface is left in the machine's own namespace" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
