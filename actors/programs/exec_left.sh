# shellcheck shell=sh
# Follows exec_status.sh: what the program has left in the background lives on, as it does below any runtime. slurmstepd would
# kill it with the step, so this shell stays until nothing is left in the container, and tells the program's end in the
# streams: see scrun.exec.end_mark. A zombie, and what is not in the container, is not left. With a process tracker other
# than that of control groups nothing is killed, and nothing is to be done.
# shellcheck disable=SC2154 # ended, status and carrier are of what precedes it
processes=
while IFS=: read -r _ controllers path; do
    case $controllers:$path in
        :*/job_"$SLURM_JOB_ID"/step_"$SLURM_STEP_ID"*) kind='* - cgroup2 *' ;;
        freezer:*/job_"$SLURM_JOB_ID"/step_"$SLURM_STEP_ID"*) kind='* - cgroup *freezer*' ;;
        *) continue ;;
    esac
    # (what is mounted there may be a part of the tree; of two mounts in one place the later one is seen)
    while read -r _ _ _ root place options; do
        # shellcheck disable=SC2254 # it is a pattern
        case $options in $kind) processes=$place${path#"${root%/}"}/cgroup.procs ;; esac
    done </proc/self/mountinfo
done </proc/self/cgroup
left() {
    while read -r pid; do
        if [ "/proc/$pid/ns/mnt" -ef /proc/self/ns/mnt ]; then continue; fi
        if read -r words <"/proc/$pid/stat"; then
            case ${words##*) } in [ZX]*) ;; *) return 0 ;; esac
        fi
    done <"$processes"
    return 1
} 2>/dev/null
say() { printf '\000%s%s\000' "$ended" "$1"; }
if [ "$ended" ] && [ "$processes" ] && left; then
    # The launcher's parent ends now, which sends it SIGUSR2 (PR_SET_PDEATHSIG), and so may whoever reads from it.
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
