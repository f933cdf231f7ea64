# shellcheck shell=sh
# Follows container_processes.sh: looks for the OCI runtime that stays beside the container. Its words up to its verb become
# "$@", and the id by which it knows the container becomes $id. %s: what is said if there is none; the exit status is 255 then.
#
# The program's descendants have its mounts as well, and so has whatever was added before: the runtime is the one
# process without them that has "run" among its words and such a child.
#
# srun says that a task runs when slurmstepd has started the runtime, which takes its time, runc most of all, until there is a
# container that it can add to. That is so when its child has become the program.
# shellcheck disable=SC2034,SC2154 # for what follows; found is of what precedes it
beginning() {
    read -r own <"$runtime/comm"
    read -r name <"$child/comm"
    case $name in "$own" | runc:*) return 0 ;; esac
    return 1
} 2>/dev/null
tries=50
while [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    id=
    inside
    for child in $found; do
        outside "$child" || continue
        set --
        verb=
        option=
        while IFS= read -r word; do
            if [ -z "$verb" ]; then
                if [ "$word" = run ]; then verb=run; else set -- "$@" "$word"; fi
            elif [ "$option" ]; then
                option=
            else
                case $word in
                    -b | --bundle | -f | --config | --console-socket | --pid-file | --preserve-fds) option=$word ;;
                    -*) ;;
                    *) id=${id:-$word} ;;
                esac
            fi
        done <<END
$(tr '\0' '\n' 2>/dev/null <"$runtime/cmdline")
END
        if [ "$verb" ]; then break; fi
    done
    if [ "$id" ] && ! beginning; then break; fi
    sleep 0.1
done
if [ -z "$id" ]; then
    echo "%s" >&2
    exit 255
fi
while IFS= read -r entry; do
    case $entry in PATH=?* | XDG_RUNTIME_DIR=?*) export "${entry?}" ;; esac
done <<END
$(tr '\0' '\n' 2>/dev/null <"$runtime/environ")
END
