"""GPUs on a node: a container has what Slurm gives its task, as the node's CDI files describe it, and nothing else.

``tests/cluster/gpus.sh`` has the node: the numbers of its devices tell them apart.
"""

from __future__ import annotations

import pathlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm import site_conf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime

SHOW = """cd /dev
for each in nvidia* kfd dri/*; do if [ -c $each ]; then echo "$each=$(/bin/busybox stat -c %T $each)"; fi; done
env | /bin/busybox grep -E '^(CUDA|ROCR|NVIDIA)_VISIBLE_DEVICES|^SLURM_STEP_GPUS|^ZE_|^GPU_DEV|^SLURM_SHARDS'
if [ -e /usr/lib/libcuda.so ]; then cat /usr/lib/libcuda.so; fi
if touch /usr/lib/written 2>/dev/null; then echo written; fi
exit 5"""
NVIDIA = {"nvidiactl": "7", "NVIDIA_VISIBLE_DEVICES": "void", "the driver's library": ""}
ENV = ["PATH=/bin", "NVIDIA_VISIBLE_DEVICES=all"]  # as NVIDIA's images have it


@pytest.fixture
def cdi(cluster: Any) -> Iterator[pathlib.Path]:
    """The directory that node3 sees as /var/run/cdi; what a test does there is taken back."""
    directory = pathlib.Path(cluster.slurm_conf).parent.parent / "cdi"
    before = {path: path.read_text() for path in directory.iterdir()}
    yield directory
    for path in set(directory.iterdir()) - set(before):
        path.unlink()
    for path, text in before.items():
        path.write_text(text)


@pytest.fixture(autouse=True)
def nothing_remembered(as_user: Any) -> None:
    as_user(["sh", "-c", "rm -rf ~/.scrun/cache/gpus"])


def numbers(count: int) -> dict[str, str]:
    value = ",".join(map(str, range(count)))
    names = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "GPU_DEVICE_ORDINAL")
    return dict.fromkeys(names, value)


def show(runtime: Runtime, **annotations: str) -> Box:
    named = {f"scrun.{name}": value for name, value in annotations.items()}
    return runtime.box("/bin/sh", "-c", SHOW, annotations=named, env=ENV)


def shown(box: Box) -> dict[str, str]:
    box.runtime.ok("start", box.id)
    assert box.wait() == 5, box.read("err")
    return read(box.read())


def read(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("gpu:tesla:1", {"nvidia0": "3", "SLURM_STEP_GPUS": "0", **NVIDIA, **numbers(1)}),
        ("gpu:tesla:2", {"nvidia0": "3", "nvidia1": "5", "SLURM_STEP_GPUS": "0,1", **NVIDIA, **numbers(2)}),
        ("gpu:mi100:1", {"kfd": "7", "dri/renderD128": "8", "SLURM_STEP_GPUS": "2", "NVIDIA_VISIBLE_DEVICES": "all",
                         **numbers(1)}),
        ("shard:1", {"nvidia0": "3", "SLURM_STEP_GPUS": "0", "SLURM_SHARDS_ON_NODE": "1", **NVIDIA, **numbers(1)}),
    ],
)  # fmt: skip
def test_a_container_has_its_own_gpus(runtime: Runtime, asked: str, expected: dict[str, str]) -> None:
    found = shown(show(runtime, gres=asked))
    if "NVIDIA_VISIBLE_DEVICES" not in expected or expected["NVIDIA_VISIBLE_DEVICES"] == "all":
        found["NVIDIA_VISIBLE_DEVICES"] = "all"  # of the other vendor's file, which has the variable, too
    assert found == expected


def test_containers_side_by_side(runtime: Runtime) -> None:
    """Each is numbered from 0, since it sees no other."""
    boxes = [show(runtime, gres="gpu:tesla:1") for _ in range(2)]
    first, second = map(shown, boxes)
    assert first == {"nvidia0": "3", "SLURM_STEP_GPUS": "0", **NVIDIA, **numbers(1)}
    assert second == {"nvidia1": "5", "SLURM_STEP_GPUS": "1", **NVIDIA, **numbers(1)}


@pytest.mark.parametrize(("asked", "count"), [({}, 2), ({"scrun.gres": "gpu:tesla:1"}, 1)])
def test_in_an_allocation_that_is_there_already(runtime: Runtime, asked: dict[str, str], count: int) -> None:
    words = ["salloc", "--no-shell", "--gres=gpu:tesla:2"]
    said = runtime.runner(words).stderr
    job = re.findall(r"Granted job allocation (\d+)", said)[0]
    try:
        box = runtime.box("/bin/sh", "-c", SHOW, annotations=asked, env=ENV, environ={"SLURM_JOB_ID": job})
        found = shown(box)
    finally:
        runtime.runner(["scancel", job])
    assert (
        {name for name in found if re.fullmatch(r"nvidia\d", name)} == {"nvidia0", "nvidia1"}
        if count == 2
        else {"nvidia0"}
    )
    assert found["CUDA_VISIBLE_DEVICES"] == ("0,1" if count == 2 else "0")


def test_a_terminal(runtime: Runtime, screen: Any) -> None:
    bundle = runtime.bundle(
        "/bin/sh", "-c", "ls /dev/nvidia*; exit 6", terminal=True, annotations={"scrun.gpus": "tesla:1"}
    )
    runtime.ids.append("run")
    screen.run("--root", str(runtime.root), "run", "--bundle", str(bundle), "run")
    screen.expect("/dev/nvidia0")
    assert screen.exit_code() == 6


def test_a_node_is_asked_once(runtime: Runtime, as_user: Any, cdi: pathlib.Path) -> None:
    look = ["sh", "-c", "stat -c %i ~/.scrun/cache/gpus/node3"]
    shown(show(runtime, gres="gpu:tesla:1"))
    before = as_user(look).stdout
    shown(show(runtime, gres="gpu:tesla:1"))
    assert as_user(look).stdout == before != ""
    # What has changed there is seen when a container starts, and the next one has it.
    (cdi / "amd.json").unlink()
    box = show(runtime, gres="gpu:tesla:1")
    runtime("start", box.id)
    assert box.wait() == 125
    assert "node3 have changed since they were read; start the container again" in box.read("err")
    assert shown(show(runtime, gres="gpu:tesla:1"))["nvidia0"] == "3"


def test_what_no_file_describes(runtime: Runtime, cdi: pathlib.Path) -> None:
    (cdi / "amd.json").unlink()
    box = show(runtime, gres="gpu:mi100:1")
    runtime("start", box.id)
    assert box.wait() == 125
    assert "no CDI file of node node3 describes its GPU 2" in box.read("err")


def test_a_node_without_any_file(runtime: Runtime, cdi: pathlib.Path) -> None:
    """The program is told what Slurm says, as without a container; its devices are the user's affair."""
    for path in cdi.iterdir():
        path.unlink()
    box = show(runtime, gres="gpu:mi100:2")
    found = shown(box)
    assert found["CUDA_VISIBLE_DEVICES"] == found["SLURM_STEP_GPUS"] == "2,3"
    assert not {name for name in found if name.startswith(("nvidia", "kfd", "dri"))}


def test_a_file_that_cannot_be_read(runtime: Runtime, cdi: pathlib.Path) -> None:
    (cdi / "nvidia.yaml").write_text("kind: [\n")
    (cdi / "amd.json").unlink()
    sentence = create_fails(runtime, {"scrun.gres": "gpu:tesla:1"})
    assert "which GPUs node node3 has cannot be told: /var/run/cdi/nvidia.yaml is not YAML" in sentence


def test_one_id_that_is_not_roots(runtime: Runtime) -> None:
    sentence = create_fails(runtime, {"scrun.gres": "gpu:tesla:1"}, user={"uid": 1000, "gid": 1000})
    # (runc takes none in any case.)
    assert "cannot get GPUs, since no hook can mount for it" in sentence or "runc runs none" in sentence


def create_fails(runtime: Runtime, annotations: dict[str, str], **more: Any) -> str:
    bundle = runtime.bundle("/bin/true", annotations=annotations, **more)
    runtime.ids.append("bad")
    return runtime.fails("create", "--bundle", str(bundle), "bad")


HOOK = {
    "prestart": [
        {"path": "/usr/bin/nvidia-container-runtime-hook", "args": ["nvidia-container-runtime-hook", "prestart"]}
    ]
}


@pytest.mark.parametrize(
    ("env", "hooks", "gres", "nodes"),
    [
        ("NVIDIA_VISIBLE_DEVICES=0,1", {}, "gpu:2", "cpu=1"),
        ("NVIDIA_VISIBLE_DEVICES=all", HOOK, "gpu:1", "cpu=16"),
        ("NVIDIA_VISIBLE_DEVICES=all", {}, "", "cpu=1"),
    ],
)
def test_an_engines_user_asks(runtime: Runtime, env: str, hooks: dict[str, Any], gres: str, nodes: str) -> None:
    box = runtime.box("/bin/true", env=["PATH=/bin", env], config={"hooks": hooks})
    about = runtime.runner(["scontrol", "--details", "show", "job", str(box.job())]).stdout
    # "gres:gpu:2" with Slurm 22.05, "gres/gpu:2" with 24.11.
    assert re.findall(r"TresPerNode=gres[:/](\S+)", about) == ([gres] if gres else [])
    assert nodes in about
    runtime.ok("start", box.id)
    assert box.wait() == 0


def test_with_nvidias_runtime_on_the_nodes(runtime: Runtime) -> None:
    """It is told which, and does the rest."""
    site = runtime.site("")
    conf = pathlib.Path(site["SLURM_CONF"]).parent / "oci.conf"
    run = 'RunTimeRun="exec nvidia-container-runtime run --bundle %b %n"\n'
    runtime.runner(["tee", str(conf)], site_conf.common("nvidia-container-runtime") + run)
    box = runtime.box(
        "/bin/sh", "-c", SHOW, annotations={"scrun.gres": "gpu:tesla:2"}, env=ENV, environ=site
    )  # fmt: skip
    found = shown(box)
    assert found["NVIDIA_VISIBLE_DEVICES"] == found["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert "nvidia0" not in found
