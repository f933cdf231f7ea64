# shellcheck shell=bash
# common.sh: what the scripts of this directory share. Sourced, never run.

# What make starts ignores signals 32 and 33 (glibc's posix_spawn does), and so would all daemons and containers
# below it: those of a site do not. No shell can reset them, nor can glibc.
if ((0x$(awk '/^SigIgn/ { print $2 }' /proc/self/status) & 0x180000000)); then
    case $(uname -m) in x86_64) rt_sigaction=13 ;; *) rt_sigaction=134 ;; esac
    exec perl -e 'my ($number, @command) = @ARGV; my $default = "\0" x 32;
        syscall($number + 0, $_, $default, 0, 8) == 0 || die "signal $_: $!\n" for 32, 33;
        exec @command or die "$command[0]: $!\n"' $rt_sigaction "$0" "$@"
fi

export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
checkout=$(cd "$here/../.." && pwd -P)

# On the machine of another release (tests/releases) these are others.
ports_from=0
cgroups=/sys/fs/cgroup # where control groups of version 1 are
# shellcheck source=/dev/null
[ ! -e /etc/scrun-cluster.conf ] || . /etc/scrun-cluster.conf

# shellcheck disable=SC2034 # all of these are for the scripts that source this file
{
    lib=/var/lib/scrun-cluster # configuration, logs, images; survives "down"
    run=/run/scrun-cluster     # pid files, sockets, mounts; gone after "down"
    conf=$lib/etc              # SLURM_CONF is slurm.conf in here
    bare_conf=$lib/etc-bare    # the same without an oci.conf
    log=$lib/log
    user=scruntest
    user_comment="scrun test cluster" # says that the user is ours
    ctld_port=$((26817 + ports_from))
    node_port=$((26918 + ports_from)) # and upwards
    nodes=(node1 node2 node3 bare1)
    out=$checkout/.cluster # what tests and people use: env, as-user, as-root
    freezer=$cgroups/freezer
    our_freezer=$freezer/scrun-cluster
    docker_data=$lib/docker # images; survives "down"
    docker_run=$run/docker  # socket, pid file, containers
    exported=$lib/exported  # what is behind "squashed"
    squashed=$lib/squashed  # where root is nobody, as on NFS with root_squash
}
export SLURM_CONF=$conf/slurm.conf

say() { echo "cluster: $*"; }

die() {
    echo "cluster: $*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "must run as root"
}

# One "up" or "down" at a time. Daemons do not inherit the lock: see detached.
lock() {
    exec 9>/run/scrun-cluster.lock
    flock -w 300 9 || die "another up or down has been running for five minutes"
}

# daemon_pid PROGRAM PIDFILE: the pid, if it lives, is that program and (but for those whose command line
# does not say) uses our configuration. A zombie has no exe, a recycled pid another one.
daemon_pid() {
    local pid
    pid=$(tr -cd 0-9 2>/dev/null <"$2") || return 1
    [ -n "$pid" ] || return 1
    case $(readlink "/proc/$pid/exe") in
    */"$1" | */"$1"[-\ ]*) ;; # (Debian's are called slurmd-wlm; an upgraded one is "... (deleted)")
    *) return 1 ;;
    esac
    case $1-$(tr '\0' ' ' <"/proc/$pid/cmdline") in
    munged-* | slurmdbd-* | *" --datadir=$lib/accounting "*) echo "$pid" ;;
    *" $conf/slurm.conf "* | *" $bare_conf/slurm.conf "* | *" $conf/docker.json "*) echo "$pid" ;;
    *" $exported $squashed "*) echo "$pid" ;;
    *) return 1 ;;
    esac
}

daemon_alive() { daemon_pid "$@" >/dev/null 2>&1; }

# until_true SECONDS COMMAND...: poll; fails after that time.
until_true() {
    local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt $deadline ] || return 1
        sleep 0.05
    done
}

# A process of Python's serves it. Where that has died, the mount point answers nobody.
squash_program() { basename "$(readlink -f "$checkout/.venv/bin/python3")"; }

squash_alive() { daemon_alive "$(squash_program)" $run/squash.pid && mountpoint -q $squashed; }

cluster_is_up() {
    local node
    [ -e "$out/env" ] && [ "$(cat "$run/owner" 2>/dev/null)" = "$checkout" ] || return 1
    daemon_alive slurmctld $run/slurmctld.pid && auth_answers || return 1
    daemon_alive dockerd $docker_run/docker.pid && squash_alive || return 1
    for node in "${nodes[@]}"; do
        daemon_alive slurmd "$run/slurmd-$node.pid" || return 1
    done
}
