# shellcheck shell=bash
# gpus.sh: what node3 has of GPUs: files that are devices of other kinds, Slurm's word of them, and CDI files in the form of
# NVIDIA's and AMD's tools. Sourced by up, never run.

gpu_node=node3
gpu_devices=$lib/dev # of the whole machine, whose own /dev is left alone
gpu_cdi=$lib/cdi     # $gpu_node alone sees it as /run/cdi
gpu_drivers=$lib/driver

# What is behind a name can be told by its number: 1:3 is /dev/null, 1:5 zero, 1:7 full, 1:8 random, 1:9 urandom.
make_gpus() {
    local name minor
    install -d -m 0755 $gpu_devices/dri $gpu_cdi $gpu_drivers /run/cdi
    while read -r name minor; do
        [ -c "$gpu_devices/$name" ] || mknod -m 0666 "$gpu_devices/$name" c 1 "$minor" || die "no device can be made here"
    done <<<'nvidia0 3
nvidia1 5
nvidiactl 7
dri/renderD128 8
dri/renderD129 9
kfd 7'
}

# gres_of NODE: its words in slurm.conf.
gres_of() { [ "$1" != $gpu_node ] || echo " Gres=gpu:tesla:2,gpu:mi100:2,shard:8"; }

write_gres_conf() {
    write $conf/gres.conf <<END
# Written by tests/cluster/up of scrun.
NodeName=$gpu_node Name=gpu Type=tesla File=$gpu_devices/nvidia[0-1]
NodeName=$gpu_node Name=gpu Type=mi100 File=$gpu_devices/dri/renderD[128-129]
NodeName=$gpu_node Name=shard Count=8
END
    ln -sfn $conf/gres.conf $bare_conf/gres.conf
}
