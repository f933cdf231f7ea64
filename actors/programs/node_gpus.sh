#!/bin/sh
# A container's GPUs on its node: as Slurm has given them to this task, and as the node's CDI files describe them. The runtime runs it as
# a hook, $1 being its moment; as createContainer in the container's namespaces, before its root becomes "/". And srun's prolog has it
# say which variables the program is to have: "variables".
#
# Beside it: gpus/NODE/
#   gpu-N      what GPU number N needs, a call of the functions below on each line     sum   of the CDI files that it was made from
#   none       if nothing there describes a GPU                                         from  where these are remembered
# and gpus/root, a line: the root directory that the runtime knows; gpus/readonly, if hooks have to write into one that is only read;
# gpus/toolkit, if NVIDIA's runtime does all else.
# What it leaves there: refusal, why there is no such container, a sentence.
export LC_ALL=C
here=${0%/*}

refuse() {
    echo "$1" >"$here/refusal"
    echo "$1" >&2
    exit 1
}

# Lines that are the same are of what several GPUs have in common.
needs() { # GPU...
    for gpu in "$@"; do cat -- "$here/gpus/$node/gpu-$gpu"; done 2>/dev/null | awk '!seen[$0]++'
}

# As words: what Slurm writes with commas.
listed() { echo "$1" | tr , ' '; }

# --- variables

# The program sees its own GPUs only, and so they are numbered from 0; other names, of parts of a GPU, stay what they are.
renumbered() {
    case $1 in *[!0-9,]*) echo "$1" ;; *) listed "$1" | awk '{ for (i = 0; i < NF; i++) printf "%s%d", i ? "," : "", i; print "" }' ;; esac
}

variables() {
    for name in SLURMD_NODENAME SLURM_STEP_GPUS SLURM_GPUS_ON_NODE SLURM_SHARDS_ON_NODE; do
        eval "value=\$$name"
        if [ "$value" ]; then echo "$name=$value"; fi
    done
    if [ -e "$here/gpus/toolkit" ]; then
        echo "NVIDIA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-void}"
        variable() { :; }
    else
        variable() { printf '%s\n' "$1"; }
    fi
    for name in CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES ZE_AFFINITY_MASK GPU_DEVICE_ORDINAL; do
        eval "value=\$$name"
        if [ "$value" ] && [ ! -e "$here/gpus/$node/none" ]; then value=$(renumbered "$value"); fi
        if [ "$value" ]; then echo "$name=$value"; fi
    done
    device() { :; }
    part() { :; }
    file_system() { :; }
    hook() { :; }
    # shellcheck disable=SC2046 # words
    eval "$(needs $(listed "$SLURM_STEP_GPUS"))"
}

# --- createContainer and the other moments

# The paths are the container's, and lead nowhere else: links in them were followed when it was staged.
place() { # SOURCE PATH
    if [ -e "$root$2" ]; then return; fi
    mkdir -p -- "$root${2%/*}"
    if [ -d "$1" ]; then mkdir -- "$root$2"; else : >"$root$2"; fi
}

variable() { :; }
device() { part "$1" "$2" nosuid,noexec; }

# Options that the source's own mount forbids to take back are left to it.
part() { # SOURCE PATH OPTIONS
    [ "$moment" = createContainer ] || return 0
    if [ ! -e "$1" ]; then refuse "node $node has no $1, which its CDI files give to a container with these GPUs"; fi
    if ! { place "$1" "$2" && mount --rbind -- "$1" "$root$2"; } then refuse "$1 of node $node cannot be mounted for the container's GPUs"; fi
    if [ "$3" ]; then mount -o "remount,bind,$3" -- "$root$2" 2>/dev/null; fi
}

file_system() { # TYPE PATH OPTIONS
    [ "$moment" = createContainer ] || return 0
    if ! { place / "$2" && mount -t "$1" -o "$3" -- "$1" "$root$2"; } then refuse "$2 cannot be mounted on node $node for the GPUs"; fi
}

hook() { # MOMENT WORDS...
    if [ "$1" != "$moment" ]; then return; fi
    shift
    printf '%s' "$state" | "$@" >&2 || refuse "a hook of the CDI files of node $node failed: $*"
}

# slurmstepd's own config.json, beside the runtime, has what the task was given.
told() { sed -n "s/.*\"$1=\([^\"]*\)\".*/\1/p" "$bundle/config.json" | tail -n 1; }

give() {
    state=$(cat)
    bundle=$(expr "$state" : '.*"bundle" *: *"\([^"]*\)"' | sed 's,\\,,g') # crun 1.28 writes \/ for each slash
    if [ ! -r "$bundle/config.json" ]; then refuse "the node's OCI runtime does not tell which GPUs are for the container"; fi
    node=$(told SLURMD_NODENAME) given=$(told SLURM_STEP_GPUS)
    if [ -z "$given" ]; then return; fi
    if [ ! -e "$here/gpus/$node/sum" ]; then refuse "what node ${node:-(unknown)} has of GPUs was not read when the container was staged"; fi
    if [ "$(sum)" != "$(cat "$here/gpus/$node/sum")" ]; then
        read -r from <"$here/gpus/$node/from" && rm -rf -- "$from"
        refuse "the CDI files of node $node have changed since they were read; start the container again"
    fi
    if [ -e "$here/gpus/$node/none" ]; then return; fi
    # shellcheck disable=SC2046 # words
    set -- $(listed "$given")
    for gpu in "$@"; do
        if [ ! -e "$here/gpus/$node/gpu-$gpu" ]; then refuse "no CDI file of node $node describes its GPU $gpu"; fi
    done
    read -r root <"$here/gpus/root"
    # crun has made the root what it shall be before hooks run, and a vendor's hook writes there.
    if [ "$moment" = createContainer ] && [ -e "$here/gpus/readonly" ]; then remount rw 2>/dev/null; fi
    eval "$(needs "$@")"
    if [ "$moment" = createContainer ] && [ -e "$here/gpus/readonly" ]; then remount ro || refuse "the root cannot be made read-only"; fi
}

remount() { mount -o "remount,bind,$1" -- "$root"; }

sum() { cksum /etc/cdi/*.json /etc/cdi/*.yaml /var/run/cdi/*.json /var/run/cdi/*.yaml 2>/dev/null; }

moment=$1 node=$SLURMD_NODENAME
case $moment in
variables) variables ;;
*) give ;;
esac
