# shellcheck shell=sh
# On a node, with a container's cookie as $1, after job_processes.sh: looks for the container's processes (inside), and for those
# above them (parent, outside). In /dev, where the cookie lies in nearly all, it is seen without another process. grep sees it
# elsewhere, and where this user may not look below the container's root; it is started once, for the job's processes; a
# runtime may have moved its container out of the job's control group, so if it is not there, for all of the node: some hundred
# on most, which takes longer than all the rest.
# Whatever can be done without another process is done so: each takes 1.5 ms of an exec, and a shell reads byte by byte, each
# of them a system call.
# shellcheck disable=SC2034,SC2154 # for what follows; job is of what precedes it
cookie=$1
mark=/.scrun-$1
set --
# $found becomes the directories in /proc of the container's processes.
inside() {
    found=
    set --
    if [ "$job" ]; then
        for file in "$job"/step_*/cgroup.procs "$job"/step_*/user/task_*/cgroup.procs; do
            while read -r pid; do
                if [ -e "/proc/$pid/root/dev$mark" ]; then found="$found /proc/$pid"; fi
                set -- "$@" "/proc/$pid/mountinfo"
            done <"$file"
        done
        if [ "$found" ]; then return; fi
    fi
    for file in $(if [ $# -eq 0 ] || ! grep -lsF "$mark " "$@"; then grep -lsF "$mark " /proc/[0-9]*/mountinfo; fi); do
        found="$found ${file%/mountinfo}"
    done
} 2>/dev/null
parent() {
    parent=
    while read -r key parent; do
        if [ "$key" = PPid: ]; then break; fi
    done <"$1/status"
} 2>/dev/null
# $runtime becomes the parent of the process $1, which is one of $found: whether it is none of these.
outside() {
    parent "$1"
    runtime=/proc/$parent
    case "$found " in *" $runtime "*) return 1 ;; esac
}
