"""Namespaces with a path: another container's, one of this host, and those of an engine's own making."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scrun.create import joining
from tests.unit.creations import creation
from tests.unit.scrun.hub import anchor, write_state

if TYPE_CHECKING:
    import pathlib


def config(**paths: str) -> dict[str, Any]:
    return {"linux": {"namespaces": [{"type": "mount"}, *({"type": k, "path": p} for k, p in paths.items())]}}


@pytest.mark.parametrize(
    "path", ["/run/user/1001/netns/netns-1", "/run/netns/cni-2", "/run/docker/exec/netns/default", ""]
)
def test_an_engine_s_own_network_is_nobody_s(path: str) -> None:
    assert joining.refusal(creation(), config(network=path)) == ""
    assert joining.refusal(creation(), {}) == ""


@pytest.mark.parametrize(("kind", "option"), [("pid", "pid"), ("user", "userns"), ("cgroup", "cgroupns")])
def test_another_container_s(kind: str, option: str) -> None:
    assert f"(--{option}=container:…)" in joining.refusal(creation(), config(**{kind: f"/proc/12/ns/{kind}"}))


def test_one_of_this_host() -> None:
    for path in ("/proc/self/ns/net", "/my/namespace"):
        assert joining.refusal(creation(), config(network=path)).startswith(f"the namespace {path} is one of this host")


def test_a_pod_s() -> None:
    in_pod = creation(annotations={"io.kubernetes.cri-o.SandboxID": "x"})
    sentence = joining.refusal(in_pod, config(ipc="/proc/12/ns/ipc", uts="/proc/12/ns/uts"))
    assert sentence.startswith("containers of one pod cannot share ipc and uts: ")


@pytest.mark.parametrize(
    ("job", "nodes", "shared"),
    [("7", "node1", True), ("8", "node1", False), ("7", "node[1-2]", False), ("", "", False)],
)
def test_the_network_of_one_on_the_same_node(tmp_path: pathlib.Path, job: str, nodes: str, shared: bool) -> None:
    with anchor(tmp_path / "other") as process:
        state = (tmp_path / "other/state.json").read_text()
        told = f'"annotations": {{"scrun.job-id": "{job}", "scrun.nodes": "{nodes}"}}'
        (tmp_path / "other/state.json").write_text(state.replace('"annotations": {}', told))
        (tmp_path / "none").mkdir()
        wanted = config(network=f"/proc/{process.pid}/ns/net")
        assert (joining.refusal(creation(root=str(tmp_path), job_id=7), wanted) == "") is shared
        assert joining.refusal(creation(root=str(tmp_path)), wanted)
        write_state(tmp_path / "other", process.pid, "running", 1)  # the pid is somebody else's now
        assert joining.refusal(creation(root=str(tmp_path), job_id=7), wanted)
