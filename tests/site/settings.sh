# shellcheck shell=bash
# Sourced by the scripts beside it: what the site consists of, and where it is.
# shellcheck disable=SC2034 # used by those who source this

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)

site=${SCRUN_SITE:-/var/tmp/scrun-site} # may be empty; some 6 GiB in the end
release=${RELEASE:-trixie}
machines=(login node1 node2)
users=(alice bob carol) # carol has no subordinate ids

declare -A number=([login]=1 [node1]=2 [node2]=3) # of its addresses
declare -A kind=([login]=login [node1]=node [node2]=node)
declare -A memory=([login]=2560 [node1]=2048 [node2]=2048) # MiB

base_port=${SCRUN_SITE_PORT:-22600} # ssh: this and a machine's number; the site's network: this and 10

say() { echo "site: $*" >&2; }

die() {
    say "$*"
    exit 1
}

ssh_port() { echo $((base_port + ${number[$1]})); }

runs() { # MACHINE
    local pid
    pid=$(cat "$site/$1.pid" 2>/dev/null) && grep -qs "site-$1" "/proc/$pid/cmdline"
}

in_guest() { "$here/in" "$@"; }

wait_for() { # SECONDS WHAT CMD...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || die "$what: not in time; see $site/*.console"
        sleep 1
    done
}
