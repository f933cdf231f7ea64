#!/bin/sh
# What a container changes in its root file system, on a node's own disk: overlays' upper and work directories. Runs outside of the
# container, as the user: before it by srun (--task-prolog), after it by the runtime (poststop), or by a step of its own
# where the runtime was killed. A --task-epilog would do, too, but slurmstepd looks once a second whether that has ended.
#
# Called by its name, prolog or collect. Beside it in the bundle:
#   place     a line: the directory to make        skeleton/  what is made in it: u/TOP, w/TOP for each top directory
#   ids       how the container's ids are had: "mapped", then lines of newuidmap and newgidmap; "own"; or "root"
#   owners    if some of it are another id's
#   keep      if changes are wanted                task-prolog  a link to the user's own, if he has one
# What it leaves there: begun; changes.tar, what was changed; cleared, when nothing is left on the node; failure, why not.
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
export LC_ALL=C
umask 077
here=${0%/*}
read -r place <"$here/place"
{ read -r ids; read -r uids; read -r gids; } <"$here/ids"

# As root of the ids that the container has, so that files of all of them can be read, made and removed.
as_root() {
    case $ids in
    root) "$@" ;;
    own) unshare -r -- "$@" ;;
    *)
        wire=$(mktemp -u "$place.XXXXXX") && mkfifo "$wire" || return
        # shellcheck disable=SC2016,SC2086 # the inner shell expands it; the words of a map are words
        {
            unshare -U -- sh -c 'echo >"$0"; read -r _ <"$0"; exec "$@"' "$wire" "$@" &
            read -r _ <"$wire"
            newuidmap $! $uids && newgidmap $! $gids
            echo >"$wire"
            rm -f "$wire"
            wait $!
        }
        ;;
    esac
}

# The kernel makes a directory that its owner may not look into. Hardly ever is there a file of another id: that takes 30 ms more.
remove() {
    [ -e "$1" ] || return 0
    chmod -- 700 "$1"/w/*/work 2>/dev/null
    rm -rf -- "$1" 2>/dev/null || as_root rm -rf -- "$1"
}

# Of containers whose job was taken away while they ran: nobody could clear up after them. Their process is gone, and was a day ago, so that
# nobody is just about to, and whoever wants to see what they had changed has had his time.
forgotten() {
    for each in "${place%-*}"-*; do
        # shellcheck disable=SC3067 # dash and busybox have it
        if ! { [ -O "$each" ] && read -r pid <"$each/process"; } then continue; fi
        case $(kill -0 "$pid" 2>&1) in
        *"No such process"*)
            if [ ! -e "$each/gone" ]; then : >"$each/gone"; fi
            if [ "$(find "$each/gone" -mmin +1440)" ]; then remove "$each"; fi
            ;;
        *) rm -f -- "$each/gone" ;;
        esac
    done
}

prolog() {
    : >"$here/begun" && mkdir "$place" && echo "$PPID" >"$place/process" &&
        if [ -e "$here/owners" ]; then as_root cp -a -- "$here/skeleton/." "$place/"; else cp -a -- "$here/skeleton/." "$place/"; fi
}

# A sparse file stays one, attributes and ids stay what they are; a socket, which nobody can bring anywhere, is left out.
collect() {
    if [ -e "$place/u" ] && [ -e "$here/keep" ] && [ ! -e "$here/changes.tar" ]; then
        new=$here/changes.tar.$$
        as_root tar --create --sparse --acls --xattrs --xattrs-include='*' --format=posix --numeric-owner --warning=no-file-ignored --directory "$place/u" . >"$new" || return
        mv -- "$new" "$here/changes.tar"
    fi
    remove "$place" && : >"$here/cleared"
}

case ${0##*/} in
prolog)
    if ! why=$(prolog 2>&1); then
        echo "$why" >"$here/failure"
        exit 1
    fi
    (forgotten) >/dev/null 2>&1 </dev/null
    if [ -e "$here/task-prolog" ]; then exec "$here/task-prolog"; fi
    ;;
collect) collect ;;
esac
