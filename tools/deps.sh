#!/bin/sh
# Install what building, testing and drawing need, from Debian's packages; silent when all is there.
set -u

# PACKAGES: these instead.
commands="gcc:gcc gnuplot:gnuplot-nox"
packages="libc6-dev libpcap-dev libjansson-dev libmnl-dev zlib1g-dev libzstd-dev libcmocka-dev
          iproute2 nftables"
[ -z "${PACKAGES:-}" ] || { commands=; packages=$PACKAGES; }

installed()
{
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

fail()
{
    echo "deps: $1" >&2
    exit 1
}

# Without Debian's package database, look for the headers themselves.
without_dpkg()
{
    printf '#include <%s>\n' stdio.h pcap.h jansson.h libmnl/libmnl.h zlib.h zstd.h |
        "${CC:-cc}" -fsyntax-only -x c - ||
        fail "this is not Debian: install by hand what Debian calls $packages"
    exit 0
}

command -v dpkg-query >/dev/null || without_dpkg

missing=
for pair in $commands; do
    command -v "${pair%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
for package in $packages; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || fail "missing, and no apt-get to install it:$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing; as root: apt-get install$missing"
    as_root=sudo
fi

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "deps: installing$missing" >&2

apt()
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" \
        >>"$log" 2>&1 </dev/null
}

# shellcheck disable=SC2086 # a list of words
{ apt update; apt install --no-install-recommends -y $missing; } || {
    cat "$log" >&2
    fail "could not install$missing"
}
