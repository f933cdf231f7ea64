# shellcheck shell=sh
# Follows exec_status.sh: what the program has left in the background lives on, as it does below any runtime. slurmstepd would
# kill it with the step, so this shell stays until nothing is left in the container, and tells the program's end in the
# streams: see scrun.exec.end_mark. A zombie, and what is not in the container, is not left. With a process tracker other
# than that of control groups nothing is killed, and nothing is to be done.
# shellcheck disable=SC2154 # ended, job, status and carrier are of what precedes it
left() {
    for file in "$job/step_$SLURM_STEP_ID"/cgroup.procs "$job/step_$SLURM_STEP_ID"/user/task_*/cgroup.procs; do
        while read -r pid; do
            if [ "/proc/$pid/ns/mnt" -ef /proc/self/ns/mnt ]; then continue; fi
            if read -r words <"/proc/$pid/stat"; then
                case ${words##*) } in [ZX]*) ;; *) return 0 ;; esac
            fi
        done <"$file"
    done
    return 1
} 2>/dev/null
say() { printf '\000%s%s\000' "$ended" "$1"; }
if [ "$ended" ] && [ "$job" ] && left; then
    # The launcher's parent ends when it has read this: that sends SIGUSR2 (scrun.exec.launcher), and leaves pipes without readers.
    trap '' HUP PIPE USR2
    sleep 0.1  # what is on its way goes first, so that slurmstepd sends the mark in one piece
    say "s$(printf %03d "$status")"
    say e000 >&2
    exec 2>/dev/null
    if [ "$carrier" ]; then wait "$carrier"; fi
    say e000
    exec >/dev/null 5>&- </dev/null
    while left; do sleep 1; done
fi
exit "$status"
