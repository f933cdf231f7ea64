# shellcheck shell=sh
# On a node: the directory of the job's control group, which has all of its processes, becomes $job; it is empty where Slurm
# tracks processes otherwise.
# shellcheck disable=SC2034 # for what follows
job=
while IFS=: read -r _ controllers path; do
    case $controllers:$path in
        :*/job_"$SLURM_JOB_ID"/*) tree=/sys/fs/cgroup kind='* - cgroup2 *' ;;
        *freezer*:*/job_"$SLURM_JOB_ID"/*) tree=/sys/fs/cgroup/freezer kind='* - cgroup *freezer*' ;;
        *) continue ;;
    esac
    path=${path%%/job_"$SLURM_JOB_ID"/*}/job_$SLURM_JOB_ID
    if [ -d "$tree$path" ]; then
        job=$tree$path
        break
    fi
    while read -r _ _ _ root place options; do
        # shellcheck disable=SC2254 # it is a pattern
        case $options in $kind) ;; *) continue ;; esac
        # (what is mounted there may be a part of the tree)
        if [ -d "$place${path#"${root%/}"}" ]; then
            job=$place${path#"${root%/}"}
            break 2
        fi
    done </proc/self/mountinfo
done </proc/self/cgroup
