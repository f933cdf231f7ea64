# shellcheck shell=sh
# Follows container_processes.sh: the first process of the container, of each of its tasks here, gets the signal that %s is the
# number of. It is the user's who has made its user namespace, whatever its ids are. What was added has another verb above
# it. A process that is the runtime's still, as its words say, hears nothing yet, and one that is not there may be about to come.
# $elsewhere: the exit status where the container may be on other nodes only.
# shellcheck disable=SC2154 # found and elsewhere are of what precedes it
words() { tr '\0' ' ' <"$1/cmdline"; }
give() {
    set --
    inside
    for child in $found; do
        outside "$child" || continue
        case " $(words "$runtime")" in *" run "*) ;; *) continue ;; esac
        case $(words "$child") in "$(words "$runtime")" | "runc init ") return 1 ;; esac
        set -- "$@" "${child#/proc/}"
    done
    given=
    for pid in "$@"; do
        if kill -%s "$pid"; then given=yes; fi
    done
    [ "$given" ]
} 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if give; then exit 0; fi
    sleep 0.1
done
if [ "$elsewhere" ]; then exit "$elsewhere"; fi
echo "on this node no OCI runtime stays beside the container, and no other way leads there for this signal" >&2
exit 255
