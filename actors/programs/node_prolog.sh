#!/bin/sh
# srun's --task-prolog for a container whose node has something to do before the runtime starts: as the user. Beside it:
#   lay          makes the directories of overlays          terminal     if the program wants one
#   tasks        if each task has a pipe of its own         task-prolog  a link to the user's own
#   give         says what variables tell of the task's GPUs
here=${0%/*}
if [ -e "$here/lay" ]; then "$here/lay" || exit; fi
conf=${SLURM_CONF:-/etc/slurm/slurm.conf}
if [ ! -r "$conf" ]; then conf=/run/slurm/conf/slurm.conf; fi # of a node without files of its own
value() { # KEY FILE
    sed -n "s/^[[:blank:]]*$1[[:blank:]]*=[[:blank:]]*\"\{0,1\}\([^\"#[:blank:]]*\).*/\1/Ip" "$2" 2>/dev/null | tail -n 1
}

# The directory that slurmstepd makes for each task, where the runtime will look for config.json and for what has a name without a slash.
# It is the working directory with Slurm 22.05, and with 24.11 it is not, nor does any variable tell it: so as the files say (oci.conf(5)).
# Of a heterogeneous job the variable has the first part's number, and the directory has its own part's, as the control group has.
own() {
    job=$(sed -n 's|.*/job_\([0-9]*\)/step_.*|\1|p' /proc/self/cgroup | head -n 1)
    spool=$(value SlurmdSpoolDir "$conf") path=$(value ContainerPath "${conf%/*}/oci.conf")
    path=${path:-oci-job%j-%s/task-%t}
    case $path in /*) ;; *) path=${spool:-/var/spool/slurmd}/$path ;; esac
    printf '%s\n' "$path" | sed "s/%n/$SLURMD_NODENAME/g; s/%h/$(uname -n | sed 's/[.].*//')/g; s/%j/${job:-$SLURM_JOB_ID}/g
        s/%s/$SLURM_STEP_ID/g; s/%t/$SLURM_LOCALID/g; s/%u/$(id -un)/g; s/%U/$(id -u)/g"
}

own=
case $PWD in
*job"$SLURM_JOB_ID"-* | *job"$(printf %05d "$SLURM_JOB_ID")"-*) own=. ;;
# (of a part of a heterogeneous job)
*job[0-9]*-*) if grep -qs '"SLURM_CONTAINER=' config.json; then own=.; fi ;;
esac
if [ -e "$here/terminal" ] && [ "$SLURM_PTY_PORT" ]; then
    # slurmstepd before 23.11 writes "false" whatever srun's --pty says, and the program would be given its terminal, which is another
    # session's. In a string these quotes would have backslashes.
    if [ "$own" ] && [ -e config.json ]; then
        sed 's/"terminal": *false/"terminal": true/' config.json >config.json.new && mv config.json.new config.json || exit
    fi
    # What is typed before the runtime has made slurmstepd's terminal raw would be echoed twice.
    (trap '' TTOU && stty raw -echo </dev/tty) 2>/dev/null # as a process group in the background may
fi
# slurmstepd 22.05 writes config.json, with the variables in it, before there is what tells tasks apart.
tell() { # LINES: of NAME=VALUE
    if [ -z "$1" ] || [ -z "$own" ] || [ ! -e config.json ]; then return; fi
    variables=$(printf '%s\n' "$1" | sed 's/[\\"]/\\&/g; s/.*/"&", /' | tr -d '\n') awk '
        !done && (at = index($0, "\"SLURM_CONTAINER=")) { done = 1; $0 = substr($0, 1, at - 1) ENVIRON["variables"] substr($0, at) }
        { print }' config.json >config.json.new && mv config.json.new config.json || exit
}

if [ -e "$here/give" ]; then
    variables=$("$here/give" variables)
    printf '%s\n' "$variables" | sed -n 's/./export &/p' # slurmd takes them from here (srun(1), --task-prolog)
    tell "$variables"
fi
if [ -e "$here/tasks" ] && ! grep -qs '"SLURM_PROCID=' config.json; then
    tell "$(env | sed -n '/^SLURM_PROCID=/p; /^SLURM_LOCALID=/p; /^SLURM_NODEID=/p; /^SLURMD_NODENAME=/p')"
fi
# What the MPI plug-in tells the task: of PMI-2 if the runtime lets the descriptor pass that it names. PMIx has shared memory for its clients
# in a directory of the node's, which no container has; by the last variable they ask its server instead.
if grep -qs -e --preserve-fds "${conf%/*}/oci.conf"; then tell "$(env | sed -n '/^PMI_/p')"; fi
if [ "$PMIX_RANK" ]; then
    export PMIX_MCA_gds=hash
    echo "export PMIX_MCA_gds=hash"
fi
tell "$(env | sed -n '/^PMIX_/p')"
if [ -e "$here/tasks" ]; then mkfifo -m 666 "${own:-$(own)}/scrun-stdout" || exit; fi
if [ -e "$here/task-prolog" ]; then exec "$here/task-prolog"; fi
