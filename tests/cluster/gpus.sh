# shellcheck shell=bash disable=SC2154,SC2086
# gpus.sh: what node3 has of GPUs: files that are devices of other kinds, Slurm's word of them, and CDI files in the form of
# NVIDIA's and AMD's tools. Sourced by up, never run.

gpu_node=node3
gpu_devices=$lib/dev # of the whole machine, whose own /dev is left alone
gpu_cdi=$lib/cdi     # $gpu_node alone sees it as /run/cdi
gpu_driver=$lib/driver
gpu_login=$lib/login # what makes docker take --gpus: it is not run

# What is behind a name can be told by its number: 1:3 is /dev/null, 1:5 zero, 1:7 full, 1:8 random, 1:9 urandom.
make_gpus() {
    local name minor
    install -d -m 0755 $gpu_devices/dri $gpu_cdi $gpu_driver $gpu_login
    ln -sfn /bin/false $gpu_login/nvidia-container-runtime-hook
    while read -r name minor; do
        [ -c "$gpu_devices/$name" ] || mknod -m 0666 "$gpu_devices/$name" c 1 "$minor" || die "no device can be made here"
    done <<<'nvidia0 3
nvidia1 5
nvidiactl 7
dri/renderD128 8
dri/renderD129 9
kfd 7'
    echo "the driver's library" >$gpu_driver/libcuda.so.550
    # As NVIDIA's "create-symlinks": the container's root is found by the state, TARGET::LINK.
    cat >$gpu_driver/hook <<'END'
#!/bin/sh
bundle=$(sed -n 's/.*"bundle" *: *"\([^"]*\)".*/\1/p' | tr -d '\\')
root=$(tr -d '\n\\' <"$bundle/config.json" | sed -n 's/.*"root" *: *{[^}]*"path" *: *"\([^"]*\)".*/\1/p')
exec ln -sf "${3%%::*}" "$root${3#*::}"
END
    chmod 0755 $gpu_driver/hook
    nvidia_yaml >$gpu_cdi/nvidia.yaml
    amd_json >$gpu_cdi/amd.json
}

nvidia_yaml() {
    cat <<END
---
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
    - name: "0"
      containerEdits:
        deviceNodes:
            - {path: /dev/nvidia0, hostPath: $gpu_devices/nvidia0}
    - name: "1"
      containerEdits:
        deviceNodes:
            - path: /dev/nvidia1
              hostPath: $gpu_devices/nvidia1
    - name: all
      containerEdits:
        deviceNodes:
            - {path: /dev/nvidia0, hostPath: $gpu_devices/nvidia0}
            - {path: /dev/nvidia1, hostPath: $gpu_devices/nvidia1}
containerEdits:
    env:
        - NVIDIA_VISIBLE_DEVICES=void
    deviceNodes:
        - {path: /dev/nvidiactl, hostPath: $gpu_devices/nvidiactl}
    hooks:
        - hookName: createContainer
          path: $gpu_driver/hook
          args: [nvidia-cdi-hook, create-symlinks, --link, libcuda.so.550::/usr/lib/libcuda.so]
    mounts:
        - hostPath: $gpu_driver/libcuda.so.550
          containerPath: /usr/lib/libcuda.so.550
          options: [ro, nosuid, nodev, rbind, rprivate]
END
}

amd_json() {
    cat <<END
{"cdiVersion": "0.6.0", "kind": "amd.com/gpu",
 "containerEdits": {"deviceNodes": [{"path": "/dev/kfd", "hostPath": "$gpu_devices/kfd"}]},
 "devices": [
  {"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/dri/renderD128", "hostPath": "$gpu_devices/dri/renderD128"}]}},
  {"name": "1", "containerEdits": {"deviceNodes": [{"path": "/dev/dri/renderD129", "hostPath": "$gpu_devices/dri/renderD129"}]}}]}
END
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
