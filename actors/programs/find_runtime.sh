# shellcheck shell=sh
# On a node, with a container's cookie as $1: looks for the OCI runtime that stays beside the container. Its words up to
# its verb become "$@", and the id by which it knows the container becomes $id. %s: what is said if there is none, but where
# $elsewhere is set: that is the exit status then.
#
# The program's descendants have its mounts as well, and so has whatever was added before: the runtime is the one
# process without them that has "run" among its words and such a child. grep is started once for all processes.
# shellcheck disable=SC2034 # for what follows
cookie=$1
mark="/.scrun-$1 "
set --
inside() { grep -lsF "$mark" /proc/[0-9]*/mountinfo; }
parent() { sed -n 's/^PPid:[[:blank:]]*/\/proc\//p' "$1/status" 2>/dev/null; }
id=
for child in $(inside); do
    runtime=$(parent "${child%/mountinfo}")
    if grep -qsF "$mark" "$runtime/mountinfo"; then continue; fi
    set --
    verb=
    while IFS= read -r word; do
        if [ "$word" = run ]; then verb=run; fi
        if [ "$verb" ]; then id=$word; else set -- "$@" "$word"; fi
    done <<END
$(tr '\0' '\n' 2>/dev/null <"$runtime/cmdline")
END
    if [ "$verb" ]; then break; fi
done
if [ -z "$id" ]; then
    if [ "$elsewhere" ]; then exit "$elsewhere"; fi
    echo "%s" >&2
    exit 255
fi
for name in PATH XDG_RUNTIME_DIR; do
    value=$(tr '\0' '\n' 2>/dev/null <"$runtime/environ" | sed -n "s/^$name=//p")
    if [ "$value" ]; then export "$name=$value"; fi
done
