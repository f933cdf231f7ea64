# shellcheck shell=bash disable=SC2154,SC2034 # conf, run, log, auth_packages, and the functions that do the work, are the others'
# auth.sh: how the cluster's programs know each other: by munge, or with AUTH=slurm (Slurm since 23.11) by a key of Slurm's
# own, which sackd keeps for the user's commands. Sourced by the scripts here, never run.

auth=${AUTH:-munge}
key=$conf/slurm.key
sack=/run/slurm-scrun # Slurm's commands look there before /run/slurm: it has the cluster's name

# ---- up ------------------------------------------------------------------------

# Before any package is asked for.
check_auth() {
    case $auth in
    munge) auth_packages=(munge) ;;
    slurm) auth_packages=(sackd) ;;
    *) die "no such AUTH: $auth (munge or slurm)" ;;
    esac
}

auth_lines() { # of slurm.conf
    echo "AuthType=auth/$auth"
    if [ "$auth" = munge ]; then
        echo "CredType=cred/munge"
    else
        echo "CredType=auth/slurm"
        echo "AuthInfo=disable_sack" # (slurmctld would want a directory below /run of its own)
    fi
}

start_auth() {
    case $auth in
    munge) start_munged ;;
    slurm) start_sackd ;;
    esac
}

start_munged() {
    munge_answers && return
    if [ ! -s /etc/munge/munge.key ]; then
        install -d -m 0700 -o munge -g munge /etc/munge
        (umask 077 && dd if=/dev/urandom of=/etc/munge/munge.key bs=128 count=1 status=none)
        chown munge:munge /etc/munge/munge.key
    fi
    install -d -m 0755 -o munge -g munge /run/munge
    install -d -m 0711 -o munge -g munge /var/lib/munge
    install -d -m 0700 -o munge -g munge /var/log/munge
    detached setpriv --reuid=munge --regid=munge --init-groups munged || die "munged did not start (see $log/start.log)"
    until_true 5 munge_answers || die "munged does not answer (see $log/start.log, /var/log/munge)"
    # The mark that it is ours to stop.
    cp /run/munge/munged.pid "$run/munged.pid"
}

write_key() {
    [ "$auth" = slurm ] && [ ! -s "$key" ] || return 0
    (umask 077 && dd if=/dev/urandom of="$key" bs=1024 count=1 status=none)
    chown slurm:slurm "$key"
    ln -sfn "$key" "$bare_conf/slurm.key"
}

start_sackd() {
    sackd_answers && return
    install -d -m 0755 -o slurm -g slurm "$sack"
    # shellcheck disable=SC2016 # the inner shell expands it
    detached RUNTIME_DIRECTORY="$sack" sh -c 'pid=$1; shift; "$@" >>"$0" 2>&1 & echo $! >"$pid"' \
        "$log/sackd.log" "$run/sackd.pid" "${as_slurm[@]}" sackd -D -f "$conf/slurm.conf"
    until_true 5 sackd_answers || die "sackd does not answer (see $log/sackd.log)"
}

sackd_answers() { daemon_alive sackd "$run/sackd.pid" && [ -S "$sack/sack.socket" ]; }

auth_answers() {
    case $auth in
    munge) munge_answers ;;
    slurm) sackd_answers ;;
    esac
}

munge_answers() {
    timeout 5 munge -n </dev/null 2>/dev/null | timeout 5 unmunge >/dev/null 2>&1
}

# ---- down ----------------------------------------------------------------------

stop_auth() {
    stop_daemon munged "$run/munged.pid"
    stop_daemon sackd "$run/sackd.pid"
    rm -rf "$sack"
    rmdir /run/slurm 2>/dev/null || true # where the nodes have theirs
}
