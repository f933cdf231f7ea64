# shellcheck shell=bash disable=SC2154 # lib, run, conf, log, auth, and the functions that do the work, are the others'
# accounting.sh: slurmdbd and its MariaDB, which a cluster has with ACCOUNTING=1. Sourced by up and down, never run.
#
# The database is the user slurm's, without a port, and made anew by each "up" after a "down" (2 s): a slurmdbd cannot
# read what one of a later release has made.

accounting_data=$lib/accounting
accounting_port=$((ctld_port + 2))
accounting_packages=()
[ "${ACCOUNTING:-}" != 1 ] || accounting_packages=(slurmdbd mariadb-server-core)

has_accounting() { [ ${#accounting_packages[@]} -gt 0 ]; }

# ---- up ------------------------------------------------------------------------

accounting_lines() { # of slurm.conf
    if has_accounting; then
        echo "AccountingStorageType=accounting_storage/slurmdbd"
        echo "AccountingStorageHost=127.0.0.1"
        echo "AccountingStoragePort=$accounting_port"
        echo "AccountingStoreFlags=job_comment"
    else
        echo "AccountingStorageType=accounting_storage/none"
    fi
}

# slurmdbd takes it only from a file that nobody else may read.
write_slurmdbd_conf() {
    has_accounting || return 0
    write "$conf/slurmdbd.conf" <<END
# Written by tests/cluster/up of scrun.
AuthType=auth/$auth
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$accounting_port
SlurmUser=slurm
LogFile=$log/slurmdbd.log
PidFile=$run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageLoc=scrun
StorageUser=slurm
END
    chown slurm:slurm "$conf/slurmdbd.conf"
    chmod 0600 "$conf/slurmdbd.conf"
}

as_slurm=(setpriv --reuid=slurm --regid=slurm --init-groups --)
mariadb=(
    "${as_slurm[@]}" mariadbd --no-defaults --datadir="$accounting_data" --log-error="$log/mariadb.log"
    --skip-networking --skip-grant-tables # who reaches the socket may do all
    --innodb-log-file-size=8M --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=2
)

# What mariadb-install-db does, which needs the whole server's package. The files are called mysql up to Debian 12, then
# mariadb. slurmdbd would make its own database, but not with libmariadb 3.4.10 of Debian 13: a handle that has once been told
# of an unknown database answers each later query with "columns … exceeds maximum (=0)".
make_database() {
    rm -rf --one-file-system "${accounting_data:?}"
    # (the cluster's number in the last one: slurmctld since 24.11 or before does not start with another one)
    rm -f "$lib/state/clustername"
    install -d -m 0700 -o slurm -g slurm "$accounting_data"
    {
        printf 'CREATE DATABASE mysql;\nUSE mysql;\n'
        cat /usr/share/m*/m*_system_tables.sql /usr/share/m*/m*_system_tables_data.sql
        echo 'CREATE DATABASE scrun;'
    } | "${mariadb[@]}" --bootstrap >>"$log/start.log" 2>&1 || die "no database could be made (see $log/mariadb.log)"
}

start_accounting() {
    has_accounting || return 0
    local socket=$accounting_data/socket
    daemon_alive mariadbd "$run/mariadb.pid" || {
        [ -e "$accounting_data/scrun" ] || make_database
        # shellcheck disable=SC2016 # the inner shell expands it
        detached sh -c '"$@" &' sh "${mariadb[@]}" --socket="$socket" --pid-file="$run/mariadb.pid"
        until_true 20 test -S "$socket" || die "MariaDB did not start (see $log/mariadb.log)"
    }
    daemon_alive slurmdbd "$run/slurmdbd.pid" || {
        port_is_free "$accounting_port" || die "port $accounting_port is taken by another program"
        rm -f "$run/slurmdbd.pid"
        detached SLURM_CONF="$SLURM_CONF" MYSQL_UNIX_PORT="$socket" "${as_slurm[@]}" slurmdbd ||
            die "slurmdbd did not start (see $log/slurmdbd.log)"
    }
    until_true 20 accounting_answers || die "slurmdbd does not answer (see $log/slurmdbd.log)"
}

accounting_answers() { timeout 5 sacctmgr -n show cluster >/dev/null 2>&1; }

# ---- down ----------------------------------------------------------------------

# After slurmctld, which writes to the last.
stop_accounting() {
    stop_daemon slurmdbd "$run/slurmdbd.pid"
    stop_daemon mariadbd "$run/mariadb.pid"
    rm -rf --one-file-system "${accounting_data:?}"
}

accounting_is_alive() { daemon_alive slurmdbd "$run/slurmdbd.pid" || daemon_alive mariadbd "$run/mariadb.pid"; }
