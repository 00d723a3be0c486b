#!/usr/bin/env bash
# Nanoseconds a packet of `ecmplab run`, beside libpcap's bare loop over the same capture.
#
#     tests/bench/run.sh BUILD
#
# The two take turns, so that what else the machine does falls on both; medians are told,
# and the ratio of the medians by the clock is the figure to follow. PACKETS, FLOWS, SEED,
# SNAPLEN and ROUNDS change the measurement.
set -eu
export LC_ALL=C TIMEFORMAT='%R %U %S'

build=$1
packets=${PACKETS:-5000000}
flows=${FLOWS:-100000}
seed=${SEED:-1}
snaplen=${SNAPLEN:-96}
rounds=${ROUNDS:-5}
aim=3

dir=$build/bench
capture=$dir/$packets-$flows-$seed-$snaplen.pcap
loop=("$build/tests/bench/read_loop" "$capture")
run=("$build/ecmplab" run tests/bench/recipe.json --pcap "$capture" --quiet
    --report "json:$dir/result.json")

# median FILE wall|cpu: in nanoseconds a packet, of lines "wall user system" in seconds.
median()
{
    awk -v clock="$2" '{print clock == "wall" ? $1 : $2 + $3}' "$1" | sort -n |
        awk -v n="$packets" '{v[NR] = $1} END {
            printf "%.1f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 * 1e9 / n}'
}

# Append wall, user and system seconds of a command to a file.
measure()
{
    local times=$1

    shift
    { time "$@" >"$dir/output" 2>&1 </dev/null; } 2>>"$times" || {
        cat "$dir/output" >&2
        echo "bench: $* failed" >&2
        exit 1
    }
}

row()
{
    printf '%-22s %10s %10s\n' "$1" "$(median "$2" wall)" "$(median "$2" cpu)"
}

ratio()
{
    awk -v run="$(median "$dir/run.times" "$1")" -v loop="$(median "$dir/loop.times" "$1")" \
        'BEGIN {printf "%.1f", run / loop}'
}

mkdir -p "$dir"
[ -e "$capture" ] || "$build/tests/bench/gen_capture" --out "$capture" --packets "$packets" \
    --flows "$flows" --seed "$seed" --snaplen "$snaplen"

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors," \
    "$(uname -sr), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "compiler: $("${CC:-gcc}" --version | head -n 1)"
echo "input: $capture, $(stat -c %s "$capture") bytes, $packets packets of $flows flows," \
    "seed $seed, snaplen $snaplen"
echo "bare loop: ${loop[*]}"
echo "run: ${run[*]}"
echo

rm -f "$dir/loop.times" "$dir/run.times"
for ((round = 0; round < rounds; round++)); do
    cat "$capture" >/dev/null
    measure "$dir/loop.times" "${loop[@]}"
    cat "$capture" >/dev/null
    measure "$dir/run.times" "${run[@]}"
done

printf '%-22s %10s %10s\n' "ns/packet, median of $rounds" wall CPU
row 'bare loop' "$dir/loop.times"
row 'ecmplab run' "$dir/run.times"
printf '%-22s %10s %10s\n' ratio "$(ratio wall)" "$(ratio cpu)"
echo "ratio: $(ratio wall) (aim: at most $aim)"
