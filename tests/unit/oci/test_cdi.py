"""CDI files: what is read, what is refused and in which words, which device has which files, what a node does."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from actors.oci.cdi.calls import calls, destinations, moments, variables
from actors.oci.cdi.registry import Registry, register
from actors.oci.cdi.specification import Edits, Hook, Mount, Node, read
from proto.errors import StagingError

NVIDIA = b"""---
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
    - name: "0"
      containerEdits:
        deviceNodes:
            - path: /dev/nvidia0
            - path: /dev/dri/card1
              hostPath: /dev/dri/card1
    - name: GPU-955ef018-3bd9-5f27-80b3-fa20ee8d19c5
      containerEdits:
        deviceNodes: [{path: /dev/nvidia0}, {path: /dev/dri/card1}]
    - name: "1:0"
      containerEdits:
        deviceNodes: [{path: /dev/nvidia1}, {path: /dev/nvidia-caps/nvidia-cap21}]
    - name: "1:1"
      containerEdits:
        deviceNodes: [{path: /dev/nvidia1}, {path: /dev/nvidia-caps/nvidia-cap30}]
    - name: all
      containerEdits:
        deviceNodes: [{path: /dev/nvidia0}, {path: /dev/dri/card1}, {path: /dev/nvidia1}]
containerEdits:
    env: [NVIDIA_VISIBLE_DEVICES=void]
    deviceNodes: [{path: /dev/nvidiactl, major: 195, minor: 255, fileMode: 438, permissions: rw, uid: 0}]
    hooks:
        - hookName: createContainer
          path: /usr/bin/nvidia-ctk
          args: [nvidia-ctk, hook, create-symlinks, --link, "a b::/usr/lib/c"]
          env: [A=1]
          timeout: 5
    mounts:
        - hostPath: /usr/lib/libcuda.so.550
          containerPath: /usr/lib/libcuda.so.550
          options: [ro, nosuid, nodev, rbind, rprivate]
        - {hostPath: tmpfs, containerPath: /run/x, type: tmpfs, options: [mode=755]}
"""


LINKS = ("nvidia-ctk", "hook", "create-symlinks", "--link", "a b::/usr/lib/c")


def specification(**changes: Any) -> bytes:
    device = {"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/kfd"}]}}
    return json.dumps({"cdiVersion": "0.6.0", "kind": "amd.com/gpu", "devices": [device], **changes}).encode()


def edits(**of_device: Any) -> bytes:
    return specification(devices=[{"name": "0", "containerEdits": of_device}])


def test_a_file_of_nvidias() -> None:
    first, by_uuid, *_ = read(NVIDIA, "/etc/cdi/nvidia.yaml")
    assert first.qualified == "nvidia.com/gpu=0"
    assert (
        first.own
        == by_uuid.own
        == Edits(nodes=(Node("/dev/nvidia0", "/dev/nvidia0"), Node("/dev/dri/card1", "/dev/dri/card1")))
    )
    assert first.common == Edits(
        env=("NVIDIA_VISIBLE_DEVICES=void",),
        nodes=(Node("/dev/nvidiactl", "/dev/nvidiactl"),),
        mounts=(
            Mount("/usr/lib/libcuda.so.550", "/usr/lib/libcuda.so.550", ("ro", "nosuid", "nodev", "rbind", "rprivate")),
            Mount("tmpfs", "/run/x", ("mode=755",), "tmpfs"),
        ),
        hooks=(Hook("createContainer", "/usr/bin/nvidia-ctk", LINKS, ("A=1",), 5),),
    )  # fmt: skip


UNKNOWN = "/etc/cdi/a.json is not known: scrun knows 0.3 to 1.x"


@pytest.mark.parametrize("version", ["0.3.0", "0.5.0", "v0.8.0", "1.0.0", "1.1.0", "1.2.0-dev"])
def test_versions(version: str) -> None:
    assert read(specification(cdiVersion=version), "a.json")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "/etc/cdi/a.json is not JSON: "),
        (b"[]", "/etc/cdi/a.json must be an object"),
        (b"[" * 100000, "/etc/cdi/a.json is not JSON: "),
        (specification(cdiVersion="0.2.0"), f"cdiVersion '0.2.0' of {UNKNOWN}"),
        (specification(cdiVersion="2.0.0"), f"cdiVersion '2.0.0' of {UNKNOWN}"),
        (specification(cdiVersion=None), f"cdiVersion '' of {UNKNOWN}"),
        (specification(cdiVersion=1), "cdiVersion of /etc/cdi/a.json must be a text"),
        (specification(kind="gpu"), "kind of /etc/cdi/a.json must be VENDOR/CLASS, not 'gpu'"),
        (specification(devices=[]), "/etc/cdi/a.json has no devices"),
        (specification(devices={}), "devices of /etc/cdi/a.json must be a list"),
        (specification(devices=[{"name": "0"}, {"name": "0"}]), "/etc/cdi/a.json has device 0 twice"),
        (specification(devices=[{"name": "../0"}]), "/etc/cdi/a.json has a device whose name is '../0'"),
        (edits(deviceNodes=[{"path": "kfd"}]), "/etc/cdi/a.json has a path that does not begin with /: 'kfd'"),
        (edits(deviceNodes=[{}]), "/etc/cdi/a.json has a path that does not begin with /: None"),
        (edits(env=["A"]), "/etc/cdi/a.json has a variable without a name or a value: 'A'"),
        (edits(env=["A=1\n2"]), "/etc/cdi/a.json has a line break in one of its texts"),
        (edits(env=["A=\0"]), "devices.containerEdits.env of /etc/cdi/a.json has a character 0"),
        (edits(hooks=[{"hookName": "later", "path": "/bin/a"}]), "/etc/cdi/a.json has a hook for 'later', "),
        (edits(hooks=[{"hookName": "poststop", "path": "/bin/a", "timeout": 0}]),
         "devices.containerEdits.hooks.timeout of /etc/cdi/a.json must be a number above 0"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(text: bytes, sentence: str) -> None:
    with pytest.raises(StagingError) as caught:
        read(text, "/etc/cdi/a.json")
    assert caught.value.sentence.startswith(sentence)
    assert "\n" not in caught.value.sentence


def test_yaml_that_is_none() -> None:
    with pytest.raises(StagingError, match=r"^/etc/cdi/a.yaml is not YAML: "):
        read(b"a: [\n", "/etc/cdi/a.yaml")


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["/dev/nvidia0"], "0"),
        (["/dev/nvidia1", "/dev/nvidia-caps/nvidia-cap30"], "1:1"),
        (["/dev/nvidia2"], ""),
        ([], ""),
    ],
)
def test_which_device_has_the_files(files: list[str], name: str) -> None:
    found = register([[("nvidia.yaml", NVIDIA)]]).with_files(files)
    assert (found.name if found else "") == name


def test_a_name_is_rather_a_gpus() -> None:
    network = specification(kind="vendor.com/nic")
    registry = register([[("a.json", network), ("nvidia.yaml", NVIDIA)]])
    found = registry.named("0")
    assert found is not None
    assert found.kind == "nvidia.com/gpu"
    assert registry.named("9") is None


def test_the_later_directory_goes_first() -> None:
    other = edits(env=["OTHER=1"])
    registry = register([[("/etc/cdi/a.json", specification())], [("/var/run/cdi/a.json", other)]])
    assert [device.own.env for device in registry.devices] == [("OTHER=1",)]
    assert registry.faults == ()


def test_two_files_of_one_directory_have_the_same_device() -> None:
    more = specification(devices=[{"name": "0"}, {"name": "1"}])
    registry = register([[("/etc/cdi/a.json", specification()), ("/etc/cdi/b.json", more)]])
    assert [device.name for device in registry.devices] == ["1"]
    assert registry.faults == ("device amd.com/gpu=0 is in /etc/cdi/a.json and /etc/cdi/b.json, and cannot be had",)


def test_a_bad_file_keeps_no_other_from_being_read() -> None:
    registry = register([[("/etc/cdi/a.json", b"no"), ("/etc/cdi/b.json", specification())], []])
    assert [device.qualified for device in registry.devices] == ["amd.com/gpu=0"]
    assert len(registry.faults) == 1
    assert register([]) == Registry()


def test_what_a_node_does() -> None:
    device = read(NVIDIA, "a.yaml")[0]
    lines = [shlex.split(line) for line in calls(device, {"/usr/lib/libcuda.so.550": "/usr/lib64/libcuda.so.550"})]
    assert lines == [
        ["variable", "NVIDIA_VISIBLE_DEVICES=void"],
        ["device", "/dev/nvidiactl", "/dev/nvidiactl"],
        ["device", "/dev/nvidia0", "/dev/nvidia0"],
        ["device", "/dev/dri/card1", "/dev/dri/card1"],
        ["part", "/usr/lib/libcuda.so.550", "/usr/lib64/libcuda.so.550", "ro,nosuid,nodev"],
        ["file_system", "tmpfs", "/run/x", "mode=755"],
        ["hook", "createContainer", "timeout", "5", "env", "-i", "A=1", "/usr/bin/nvidia-ctk", *LINKS[1:]],
    ]  # fmt: skip
    assert moments([device]) == {"createContainer"}
    assert variables([device]) == {"NVIDIA_VISIBLE_DEVICES"}
    assert destinations([device])["/run/x"] == ""


def test_a_text_is_no_command() -> None:
    device = read(edits(env=["A=$(id); `id` 'x"]), "a.json")[0]
    (line,) = calls(device, {})
    assert shlex.split(line) == ["variable", "A=$(id); `id` 'x"]


def test_moments() -> None:
    hooks = [{"hookName": name, "path": "/bin/a"} for name in ("poststop", "startContainer", "createRuntime")]
    device = read(edits(hooks=hooks), "a.json")[0]
    assert moments([device]) == {"createContainer", "poststop", "createRuntime"}
    assert [shlex.split(line)[1] for line in calls(device, {})] == ["poststop", "createRuntime"]
