# shellcheck shell=sh
# Whether a node can give a container a writable root file system without a copy. Wants the directory for changes as $1, one on the
# shared file system with a directory "d" in it as $2; as $3 "root" if the job is root's, "mapped" if the container has several ids, else
# "own"; and the runtime's program as $4.
# Says lines NAME=VALUE; the last is end=yes.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LC_ALL=C LIBMOUNT_FORCE_MOUNT2=always  # see node_overlay.sh
say() { printf '%s=%s\n' "$1" "$2"; }
say kernel "$(uname -srm)"
for each in chown cut find mkfifo mktemp mount mv rm sed tar unshare; do
    if ! command -v "$each" >/dev/null; then say missing "$each"; fi
done
if [ "$3" = mapped ] && ! command -v newuidmap >/dev/null; then say missing newuidmap; fi
base=$(mktemp -d "$1/.scrun-probe-XXXXXX") || exit
# crun wants a runtime directory even for that, and the job has the login host's word for one.
say runtime "$(XDG_RUNTIME_DIR=$base "$4" --version 2>/dev/null | head -n 1)"
if [ "$3" = root ]; then namespace=-m; else namespace=-rm; fi
mkdir "$base/u" "$base/w" "$base/m"
# shellcheck disable=SC2016 # the inner shell expands it
try='
    options="userxattr,lowerdir=$2,upperdir=$1/u,workdir=$1/w"
    if mount -t overlay overlay -o "$options,volatile" "$1/m" 2>/dev/null; then
        echo volatile=yes >&3
    else
        mount -t overlay overlay -o "$options" "$1/m"
    fi && rm -r "$1/m/d" && mkdir "$1/m/d" && [ -z "$(ls "$1/m/d")" ]'
exec 3>&1
if why=$(unshare $namespace -- sh -c "$try" overlay "$base" "$2" 2>&1); then say overlay yes; else say why "$(echo "$why" | head -n 1)"; fi
if [ "$3" = root ]; then rm -rf "$base"; else unshare -r -- rm -rf "$base"; fi
say end yes
