"""How many GPUs an engine's user asks for, and config.json without this host's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci.cdi.registry import register
from actors.oci.gpu_request import gpu_request
from tests.unit.docs.markdown import CHECKOUT

if TYPE_CHECKING:
    from actors.oci.cdi.specification import Device

HOOKED = {"prestart": [{"path": "/usr/bin/nvidia-container-runtime-hook", "args": ["nvidia-container-runtime-hook"]}]}
NAMES = register([[("a.json", (CHECKOUT / "examples/gpus.json").read_bytes())]]).devices


def real() -> tuple[Device, ...]:
    """The file of a host that has two GPUs itself."""
    nodes = [{"path": "/dev/nvidia0"}, {"path": "/dev/nvidia1"}]
    library = {"hostPath": "/usr/lib/libcuda.so.1", "containerPath": "/usr/lib/libcuda.so.1", "options": ["bind"]}
    text = {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [
            {"name": "0", "containerEdits": {"deviceNodes": nodes[:1]}},
            {"name": "GPU-1", "containerEdits": {"deviceNodes": nodes[:1]}},
            {"name": "1", "containerEdits": {"deviceNodes": nodes[1:]}},
            {"name": "all", "containerEdits": {"deviceNodes": nodes}},
        ],
        "containerEdits": {
            "env": ["NVIDIA_VISIBLE_DEVICES=void"],
            "mounts": [library],
            "hooks": [{"hookName": "createContainer", "path": "/usr/bin/nvidia-ctk", "args": ["nvidia-ctk", "hook"]}],
        },
    }
    return register([[("a.json", json.dumps(text).encode())]]).devices


def config(*env: str, **more: Any) -> dict[str, Any]:
    return {"process": {"env": list(env)}, "mounts": [], "hooks": {}, "linux": {"devices": []}, **more}


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (config(), ""),
        (config("NVIDIA_VISIBLE_DEVICES=all"), ""),
        (config("NVIDIA_VISIBLE_DEVICES=void"), ""),
        (config("NVIDIA_VISIBLE_DEVICES="), ""),
        (config("NVIDIA_VISIBLE_DEVICES=0,1,GPU-7"), "3"),
        (config("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES=2"), "1"),
        (config("AMD_VISIBLE_DEVICES=0,1"), "2"),
        (config("NVIDIA_VISIBLE_DEVICES=all", hooks=HOOKED), "all"),
        (config("NVIDIA_VISIBLE_DEVICES=0,1", hooks=HOOKED), "2"),
        (config("NVIDIA_VISIBLE_DEVICES=none", hooks=HOOKED), ""),
        (config("GPU_BY_NAME_3=nvidia.com/gpu"), "1"),
        (config("GPU_BY_NAME_3=nvidia.com/gpu", "GPU_BY_NAME_5=nvidia.com/gpu"), "2"),
        (config("GPU_BY_NAME_ALL=nvidia.com/gpu"), "all"),
    ],
)
def test_how_many(given: dict[str, Any], count: str) -> None:
    assert gpu_request(given, NAMES).count == count


def test_names_are_taken_out() -> None:
    given = config("A=1", "GPU_BY_NAME_3=nvidia.com/gpu", "B=2")
    before = json.dumps(given)
    assert gpu_request(given, NAMES).config["process"]["env"] == ["A=1", "B=2"]
    assert json.dumps(given) == before


def test_what_is_this_hosts_is_taken_out() -> None:
    device = {"path": "/dev/nvidia1", "type": "c", "major": 195, "minor": 1}
    library = {"destination": "/usr/lib/libcuda.so.1", "source": "/usr/lib/libcuda.so.1", "options": ["bind"]}
    users = {"destination": "/data", "source": "/data", "type": "bind"}
    ours = {"path": "/usr/bin/nvidia-ctk", "args": ["nvidia-ctk", "hook"]}
    theirs = {"path": "/usr/bin/hook"}
    given = config(
        "A=1", "NVIDIA_VISIBLE_DEVICES=void", mounts=[users, library], hooks={"createContainer": [ours, theirs]},
        linux={"devices": [device, {"path": "/dev/fuse"}]},
    )  # fmt: skip
    request = gpu_request(given, real())
    assert request.count == "1"
    assert request.config == config(
        "A=1", mounts=[users], hooks={"createContainer": [theirs]}, linux={"devices": [{"path": "/dev/fuse"}]}
    )


def test_all_of_a_host_that_has_some_is_as_many() -> None:
    given = config(linux={"devices": [{"path": "/dev/nvidia0"}, {"path": "/dev/nvidia1"}]})
    assert gpu_request(given, real()).count == "2"


def test_a_device_that_the_user_names_is_no_request_where_no_file_has_it() -> None:
    given = config(linux={"devices": [{"path": "/dev/nvidia0"}]})
    assert gpu_request(given, ()) == gpu_request(given, NAMES)
    assert gpu_request(given, ()).count == ""
    assert gpu_request(given, ()).config == given
