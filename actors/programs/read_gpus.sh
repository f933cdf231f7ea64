# shellcheck shell=sh
# On each node of a job, with a directory that all see as $1: copies there, in a directory by the node's name, what the node says of
# its GPUs.
#   etc, run   the files of /etc/cdi and /var/run/cdi           gres          what slurmd makes of Slurm's configuration
#   sum        what shows whether the files are still the same  directories   those paths in them that are directories
umask 077
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
new=$1/.$SLURMD_NODENAME.$$
mkdir "$new" "$new/etc" "$new/run" || exit
for file in /etc/cdi/*.json /etc/cdi/*.yaml; do
    if [ -r "$file" ]; then head -c 4194304 <"$file" >"$new/etc/${file##*/}"; fi
done
for file in /var/run/cdi/*.json /var/run/cdi/*.yaml; do
    if [ -r "$file" ]; then head -c 4194304 <"$file" >"$new/run/${file##*/}"; fi
done
cksum /etc/cdi/*.json /etc/cdi/*.yaml /var/run/cdi/*.json /var/run/cdi/*.yaml >"$new/sum" 2>/dev/null
gres() { slurmd -G -N "$SLURMD_NODENAME" 2>&1 | head -c 1048576 >"$new/gres"; }
gres
# With auth/slurm it wants a key, though it talks to nobody, and the node's own is not the user's to read. Without auth/slurm
# the key has it fail instead: 24.11 wants to make /run/slurm then.
if ! grep -q 'Gres Name=' "$new/gres"; then
    printf %064d 0 >"$new/key"
    export SLURM_SACK_KEY="$new/key"
    gres
    rm "$new/key"
fi
find "$new/etc" "$new/run" -type f -exec grep -ohE "/[^][:space:]\"',[]+" {} + | sort -u | while IFS= read -r path; do
    if [ -d "$path" ]; then printf '%s\n' "$path"; fi
done >"$new/directories"
rm -rf -- "${1:?}/$SLURMD_NODENAME"
mv -- "$new" "$1/$SLURMD_NODENAME"
