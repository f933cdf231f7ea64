# shellcheck shell=bash
# Sourced by the scripts beside it: which releases there are, and where the machine of one is.
# shellcheck disable=SC2034 # used by those who source this

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
checkout=$(cd "$here/../.." && pwd -P)
export LC_ALL=C.UTF-8

# Debian's number of each. Ports, user ids and control groups follow from it, so that all of them run side by side.
declare -A number=([bookworm]=12 [trixie]=13 [forky]=14 [sid]=15)

release=${1:-}
roots=${SCRUN_ROOTS:-/var/tmp/scrun-roots} # may be empty; 1.5 GiB for each release in the end
root=$roots/$release
pid_file=$roots/$release.pid

say() { echo "$release: $*" >&2; }

die() {
    say "$*"
    exit 1
}

[ -n "${number[$release]:-}" ] || die "no such release; there are: ${!number[*]}"
[ "$(id -u)" = 0 ] || die "must run as root"

# The first process in there, as it is called: a pid alone may be another's by now.
init_name="machine of $release for $checkout"

init_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) && grep -qsF "machine of $release for" "/proc/$pid/cmdline" && echo "$pid"
}

# Its processes are in this one of version 2: in the one around it, which is the root for them, controllers can be given
# to others only if no process is in it.
leaf=machine

# Control groups of this machine that the release's machine gets one of its own in.
groups() {
    local directory
    for directory in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/freezer; do
        case $(stat -f -c %T $directory 2>/dev/null) in
        cgroup2fs | cgroupfs) [ ! -w $directory/cgroup.procs ] || echo "$directory/scrun-release-$release" ;;
        esac
    done
}

# Whether they are gone now. A group with controllers for others takes no process, and one that begins in an old leaf
# takes that for the root; so a machine begins without them.
remove_groups() {
    local group
    for group in $(groups); do
        [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || return 1
    done
}

join_groups() { # PROCESS
    local group
    for group in $(groups); do
        mkdir -p "$group"
        [ ! -d "$group/$leaf" ] || group=$group/$leaf
        echo "$1" >"$group/cgroup.procs"
    done
}
