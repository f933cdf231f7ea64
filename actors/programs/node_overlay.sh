#!/bin/sh
# A container's root file system on its node, and what becomes of its changes there. The runtime runs it outside of the container's
# root: as "enter" when the container's mounts are made (createContainer: in its namespaces, as its root), as "collect" after
# its end (poststop: as the user). Where the runtime was killed, a step of its own runs "collect". Where the runtime mounts an
# overlay for each top directory itself, srun's prolog runs "lay" before it, as the user, in place of "enter". A
# --task-epilog would do for "collect", but slurmstepd looks once a second whether that has ended.
#
# Beside it in the bundle:
#   root     a line: the root directory that the runtime knows     point    an empty directory to mount on
#   lower    lower directories, with colons                        ids      how "collect" becomes root of the container's ids:
#   place    directory on the node to make for the changes;                 "root", "own", or "mapped" and lines of
#            empty: read-only                                               newuidmap and newgidmap
#   mode     mode and owner of /                                   keep     if changes are wanted
#   volatile if nothing of it need be on a disk before it is collected, and the kernel knows that
#   skeleton/  what "lay" makes in place: u/TOP, w/TOP          owners   if some of it is another id's
# What it leaves there: begun, the mounts, and made, when the root file system is there; failure, why it is not; changes.tar, what was
# changed; shown.tar, what was changed so far, if "show" was asked for it; cleared, when nothing is left on the node.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LC_ALL=C
# util-linux since 2.39 would otherwise name the lower directories by fsconfig(2), which takes 255 bytes.
export LIBMOUNT_FORCE_MOUNT2=always
umask 077
here=${0%/*}
read -r place <"$here/place"

# --- enter

overlay() {
    read -r lower <"$here/lower"
    options=userxattr,lowerdir=$lower
    if [ "$place" ]; then
        read -r mode owner <"$here/mode"
        mkdir "$place" "$place/u" "$place/w" || return
        # In the container's process namespace, but /proc is still the node's.
        read -r _ _ _ process _ </proc/self/stat && echo "$process" >"$place/process"
        if [ "$owner" != 0:0 ]; then chown "$owner" "$place/u" || return; fi
        chmod "$mode" "$place/u" || return
        options=$options,upperdir=$place/u,workdir=$place/w
        if [ -e "$here/volatile" ]; then options=$options,volatile; fi
    else
        options=$options,ro
    fi
    mount -t overlay overlay -o "$options" "$here/point"
}

# What the runtime has mounted below its root, but not what is below that: a line of fstab(5), which escapes as mountinfo does.
mounts() (
    set -f
    IFS='
'
    # shellcheck disable=SC2013 # IFS has only the end of a line
    for each in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
        case $each in "$1"/*) ;; *) continue ;; esac
        below=
        for done in $taken; do
            case $each in "$done"/* | "$done") below=yes ;; esac
        done
        if [ -z "$below" ]; then
            taken="$taken$IFS$each"
            printf '%s\n' "$each $2${each#"$1"} none rbind 0 0"  # echo would take \040 for a blank
        fi
    done
)

# One overlay over the root, with all that the runtime has mounted in it: pivot_root(2) then takes what is on top. The container
# waits for this, and each process that is started here takes it 2 ms.
enter() {
    read -r root <"$here/root"
    escape "$here/point"
    point=$escaped
    escape "$root"
    root=$escaped
    mounts "$root" "$point" >"$here/begun"  # mount(8) takes no pipe
    overlay || return
    {
        with_points <"$here/begun"
        printf '%s\n' "$point $root none rbind 0 0"
    } >"$here/fstab"
    mount --all --fstab "$here/fstab"
}

# There is a mount point for all but slurmd's own mount, whose place cannot always be known; no program needs that one.
with_points() {
    while read -r source target rest; do
        case $target in
        *\\*) path=$(printf %b "$target") ;;
        *) path=$target ;;
        esac
        if [ -e "$path" ]; then printf '%s\n' "$source $target $rest"; fi
    done
}

# Blanks of a path as fstab(5) has them, in $escaped.
escape() {
    escaped=${1%%' '*} left=$1
    while [ "$left" != "${left#*' '}" ]; do
        left=${left#*' '}
        escaped=$escaped\\040${left%%' '*}
    done
}

# --- lay

lay() {
    # The step that finds out why a first one ended comes here again. (A directory of another user's is none of ours.)
    if [ -e "$here/begun" ] && [ "$(find "$place" -prune -type d -user "$(id -u)" 2>/dev/null)" ]; then
        opened "$place"
        rm -rf -- "$place"/w/*/work/incompat  # a volatile overlay is mounted once
        return
    fi
    : >"$here/begun" && mkdir "$place" && echo "$PPID" >"$place/process" || return
    if [ -e "$here/owners" ]; then set -- as_root cp; else set -- cp; fi
    "$@" -a -- "$here/skeleton/." "$place/"
}

# --- collect

# As root of the container's ids, so that files of all of them can be read and removed.
as_root() {
    { read -r ids; read -r uids; read -r gids; } <"$here/ids"
    case $ids in
    root) "$@" ;;
    own) unshare -r -- "$@" ;;
    *)
        wire=$place.${0##*/}.$$ && mkfifo "$wire" || return
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

opened() {
    chmod -- 700 "$1/u"
    chmod -R -- 700 "$1/w"  # a few empty directories
} 2>/dev/null

# An image's root may be closed to its owner, as is what the kernel makes there for itself. Hardly ever is there a file of another id: that takes 30 ms more.
remove() {
    [ -e "$1" ] || return 0
    opened "$1"
    rm -rf -- "$1" 2>/dev/null || as_root rm -rf -- "$1"
}

# Of containers whose job was taken away while they ran: nobody could clear up after them. Their process is gone, and was a day ago, so that
# nobody is just about to, and whoever wants to see what they had changed has had his time.
forgotten() {
    for each in "${place%-*}"-*; do
        # shellcheck disable=SC3067 # dash and busybox have it
        if ! { [ -O "$each" ] && read -r process <"$each/process"; } then continue; fi
        case $(kill -0 "$process" 2>&1) in
        *"No such process"*)
            if [ ! -e "$each/gone" ]; then : >"$each/gone"; fi
            if [ "$(find "$each/gone" -mmin +1440)" ]; then remove "$each"; fi
            ;;
        *) rm -f -- "$each/gone" ;;
        esac
    done
}

# A sparse file stays one, attributes and ids stay what they are; a socket, which nobody can bring anywhere, is left out.
pack() {
    as_root tar --create --sparse --acls --xattrs --xattrs-include='*' --format=posix --numeric-owner \
        --warning=no-file-ignored --directory "$place/u" . >"$here/$1.$$" && mv -- "$here/$1.$$" "$here/$1"
}

# Of a container whose step is being killed.
until_gone() {
    for _ in $(seq 50); do
        if ! { read -r process <"$place/process" && kill -0 "$process"; } then return; fi
        sleep 0.1
    done
}

collect() {
    [ "$place" ] || return 0
    rm -f -- "$place".collect.* "$place".lay.*  # of one that was killed
    if [ -e "$place/u" ] && [ -e "$here/keep" ] && [ ! -e "$here/changes.tar" ]; then pack changes.tar || return; fi
    remove "$place" && : >"$here/cleared"
    forgotten
}

failed() {
    echo "$1" >"$here/failure"
    exit 1
}

# Hooks get the container's state: a runtime that cannot get rid of it says so in the program's output.
case ${0##*/} in
enter)
    read -r _
    why=$(enter 2>&1 </dev/null) || failed "$why"
    : >"$here/made"
    ;;
collect)
    if read -r state || [ "$state" ]; then
        collect >/dev/null 2>&1 </dev/null
    else
        until_gone 2>/dev/null
        collect
    fi
    ;;
show) pack shown.tar ;;
lay)
    why=$(lay 2>&1 </dev/null) || failed "$why"
    : >"$here/made"
    ;;
esac
