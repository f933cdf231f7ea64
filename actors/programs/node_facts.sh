# shellcheck shell=sh
# What "scrun doctor --nodes" asks a node. Wants the path of a file in the staging directory as $1; says lines NAME=VALUE.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
say() { printf '%s=%s\n' "$1" "$2"; }
slurmd() {
    # shellcheck disable=SC2013 # names of files below /proc have no blanks
    for each in $(grep -lx slurmd /proc/[0-9]*/comm 2>/dev/null); do tr '\0' ' ' <"${each%comm}cmdline"; echo; done
}
# There may be more of them: one that forks has a child of its name until that is slurmstepd.
conf=$(slurmd | grep -e "-N *$SLURMD_NODENAME " || slurmd)
conf=$(printf %s "$conf" | sed -n 's/.* -f *\([^ ]*\).*/\1/p' | head -n 1)
for each in /run/slurm/conf/slurm.conf /etc/slurm/slurm.conf /etc/slurm-llnl/slurm.conf "$SLURM_CONF"; do
    if [ -z "$conf" ] && [ -e "$each" ]; then conf=$each; fi
done
oci=${conf%/*}/oci.conf
say oci "$oci"
if [ -r "$oci" ]; then sed 's/^/line=/' "$oci"; fi
run=$(sed -n 's/^[[:space:]]*[Rr]un[Tt]ime[Rr]un[[:space:]]*=[[:space:]]*"\{0,1\}\([^"]*\).*/\1/p' "$oci" 2>/dev/null)
program() {
    set -f
    # shellcheck disable=SC2086 # its words are what is wanted
    set -- $1
    while [ $# -gt 0 ]; do
        case $1 in -u | --unset) shift ;; exec | env | -* | *=*) ;; *) echo "$1"; return ;; esac
        shift
    done
}
program=$(program "$run")
say program "$program"
if [ "$program" ]; then
    say found "$(command -v "$program")"
    # crun wants a runtime directory even for that, and the job has the login host's word for one.
    say version "$(XDG_RUNTIME_DIR=${1%/*} "$program" --version 2>/dev/null | head -n 1)"
fi
root=$(printf %s "$run" | sed -n 's/.*--root[= ]\([^ %]*\).*/\1/p')
say root "$root"
if [ "$root" ] && [ -d "$root" ] && [ -w "$root" ]; then say root-open yes; fi
say notify "$(systemctl show --property=Type slurmd 2>/dev/null)"
say newuidmap "$(command -v newuidmap)"
ids() { grep -e "^$(id -un):" -e "^$(id -u):" "$1" 2>/dev/null | tr '\n' ' '; }
say uids "$(ids /etc/subuid)"
say gids "$(ids /etc/subgid)"
if [ -e "$1" ]; then say seen yes; fi
if [ -w "${1%/*}" ]; then say writable yes; fi
say mount "$(findmnt -n -r -o FSTYPE,OPTIONS,TARGET -T "${1%/*}" 2>/dev/null | head -n 1)"
say time "$(date +%s)"
say kernel "$(uname -sr)"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    say cgroup 2
elif [ -e /sys/fs/cgroup/unified/cgroup.controllers ]; then
    say cgroup hybrid
else
    say cgroup 1
fi
if unshare -U true 2>/dev/null; then say userns yes; fi
say end yes
