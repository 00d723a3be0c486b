#!/bin/sh
# Every capture of traces/ alone through the recipe of three WANs, in both routers, packet for packet.
#
#     tests/kernel/captures.sh PROGRAM
#
# WAN2 fails and returns while each capture runs. Each goes through with masquerade, with src-nat and
# without NAT, under both hash policies, as RouterOS 7 and as a Linux that ignores or does not
# ignore routes whose link has no carrier. A line a run:
#
#     agree/compared (set aside, never came to the router)  capture, router, NAT, hash policy
#
# Run in the root of the repository, as root; exit code 77 where the kernel or a program is missing.
# The last line is "N passed, N failed".
set -u
export LC_ALL=C

PROGRAM=$1
RECIPE=scenarios/001-recipe.json
passed=0
failed=0
total_compared=0
total_agreed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

"$PROGRAM" verify --decisions-only "$RECIPE" >/dev/null 2>"$tmp/err"
if [ $? -eq 3 ] && grep -q '^skipped: ' "$tmp/err"; then
    cat "$tmp/err"
    exit 77
fi

# $1: a capture. Sets `map` (its hosts as the recipe's; the laptop that the recipe pins is left
# out, so that all flows spread), `speed` (so that it takes about two minutes, and WAN2 is away and
# back within them) and `least` (packets of it that cross the router at the least).
describe()
{
    case $(basename "$1") in
    desktop-browsing.pcap)
        map='"192.168.100.206": "192.168.10.101", "192.168.100.2": "192.168.20.100", "192.168.100.0/24": "192.168.10.0/24"'
        speed=1 least=2000 ;;
    dualstack-tls.pcap)
        map='"192.168.0.17": "192.168.10.101", "2601:647:4b02:1d20:fd05:6f66:ecce:8bc7": "fd00:10::101"'
        speed=1 least=7000 ;;
    phone-ipv6.pcap)
        map='"2a01:cb01:2049:8b07:991d:ec85:28df:f629": "fd00:10::101"'
        speed=0.1 least=1500 ;;
    device-outbound.pcapng)
        map='"10.42.0.119": "192.168.10.102", "10.42.0.1": "192.168.20.100"'
        speed=50 least=2500 ;;
    office-segment.pcap)
        map='"10.50.109.228": "192.168.10.101"'
        speed=0.5 least=200 ;;
    *)
        return 1 ;;
    esac
}

# The recipe's routes as Linux has equal ones: one route of several gateways.
linux_routes='[
  {"gateway": "100.64.1.1", "distance": 1}, {"gateway": "100.64.2.1", "distance": 2},
  {"gateway": "100.64.3.1", "distance": 3},
  {"gateway": ["100.64.1.1", "100.64.2.1", "100.64.3.1"], "table": "ecmp"},
  {"dst_address": "::/0", "gateway": "2001:db8:a1::1", "distance": 1},
  {"dst_address": "::/0", "gateway": "2001:db8:a2::1", "distance": 2},
  {"dst_address": "::/0", "gateway": "2001:db8:a3::1", "distance": 3},
  {"dst_address": "::/0", "gateway": ["2001:db8:a1::1", "2001:db8:a2::1", "2001:db8:a3::1"], "table": "ecmp"}
]'

# $1: masquerade, src-nat or none. Of every WAN, both families.
nat_rules()
{
    separator='['
    if [ "$1" = none ]; then
        echo '[]'
        return
    fi
    for wan in 1 2 3; do
        for family in ipv4 ipv6; do
            [ $family = ipv4 ] && address=100.64.$wan.2 || address=2001:db8:a$wan::2
            printf '%s{"chain": "srcnat", "action": "%s", "out_interface": "wan%d", "family": "%s"' \
                "$separator" "$1" $wan $family
            [ "$1" = masquerade ] || printf ', "to_addresses": "%s"' $address
            printf '}'
            separator=', '
        done
    done
    echo ']'
}

# The number behind a word of the findings; none is 0.
count_of()
{
    awk -v word="$1" '$1 == word { n = $2 } END { print n + 0 }' "$tmp/out"
}

# verified CAPTURE ROUTER NAT POLICY OPTION...
verified()
{
    what="$1, $2, $3, $4"
    capture=$1
    nat=$3
    policy=$4
    shift 4
    "$PROGRAM" verify "$@" \
        --set "/traffic=[{\"kind\": \"pcap\", \"file\": \"$PWD/$capture\", \"speed\": $speed, \"map\": {$map}}]" \
        --set '/events=[{"at": "30s", "kind": "link-down", "wan": "wan2", "for": "40s", "name": "wan2-outage"}]' \
        --set "/router/nat=$(nat_rules "$nat")" \
        --set "/router/hash/ipv4=$policy" --set "/router/hash/ipv6=$policy" \
        --set '/expect=[]' "$RECIPE" >"$tmp/out" 2>"$tmp/err"
    status=$?
    compared=$(count_of compared)
    agreed=$(count_of agree)
    aside=$(sed -n '/^set aside/,$p' "$tmp/out" | awk '$1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }')
    total_compared=$((total_compared + compared))
    total_agreed=$((total_agreed + agreed))
    echo "$agreed/$compared ($aside)  $what"
    if [ "$status" -eq 0 ] && [ "$agreed" -eq "$compared" ] && [ "$compared" -ge "$least" ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $what: exit code $status, at least $least packets are to be compared"
    sed 's/^/    /' "$tmp/out" "$tmp/err" | head -n 40
}

for capture in traces/*.pcap traces/*.pcapng; do
    if ! describe "$capture"; then
        echo "FAILED: $capture: this test does not know its hosts"
        failed=$((failed + 1))
        continue
    fi
    for nat in masquerade src-nat none; do
        for policy in l3 l4; do
            verified "$capture" routeros7 $nat $policy
            for ignore in true false; do
                verified "$capture" "linux ignoring links down: $ignore" $nat $policy \
                    --set /router/platform=linux --set "/router/routes=$linux_routes" \
                    --set /router/ignore_routes_with_linkdown=$ignore
            done
        done
    done
done

echo "$total_compared packets compared, $total_agreed agree"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
