"""Which options ask for GPUs, and which files Slurm knows a node's GPUs by."""

from __future__ import annotations

import pytest

from actors.slurm.gpus import asks, files, has_gpus, is_whole, nodes, with_request

OLD = """slurmd: Gres Name=shard Type=tesla Count=2 Index=0 ID=1918986455 File=/dev/nvidia0 (null)
slurmd: Gres Name=gpu Type=tesla Count=1 Index=0 ID=7696487 File=/dev/nvidia0 (null)
slurmd: Gres Name=gpu Type=tesla Count=1 Index=1 ID=7696487 File=/dev/nvidia1 (null)
slurmd: Gres Name=gpu Type=mi100 Count=1 Index=128 ID=7696487 File=/dev/dri/renderD128 (null)
"""  # 22.05
NEW = """slurmd: Node configuration differs from hardware: CPUs=8:2(hw)
slurmd: Gres Name=gpu Type=tesla Count=2 Index=0 ID=7 File=/dev/nvidia[0-1] Links=(null) Flags=HAS_FILE
slurmd: Gres Name=gpu Type=x Count=3 Index=4 ID=7696487 File=/dev/nvidia[04-05,9] Links=(null) Flags=HAS_FILE
"""  # 24.11
MIG = """slurmd: Gres Name=gpu Type=1g Count=1 Index=0 ID=7 File=/dev/nvidia0,/dev/nvidia-caps/nvidia-cap[21-22] Links
slurmd: Gres Name=gpu Type=1g.5gb Count=1 Index=1 ID=7 File=/dev/nvidia0,/dev/nvidia-caps/nvidia-cap30 Links=(null)
"""
UNKNOWN = "slurmd: Gres Name=gpu Type=(null) Count=2 ID=7696487 Links=(null) File=(null)\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OLD, (("/dev/nvidia0",), ("/dev/nvidia1",), ("/dev/dri/renderD128",))),
        (NEW, (("/dev/nvidia0",), ("/dev/nvidia1",), ("/dev/nvidia04",), ("/dev/nvidia05",), ("/dev/nvidia9",))),
        (MIG, (("/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap21", "/dev/nvidia-caps/nvidia-cap22"),
               ("/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap30"))),
        (UNKNOWN, ((), ())),
        ("sh: slurmd: not found\n", ()),
    ],
)  # fmt: skip
def test_files(text: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert files(text) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"gpus": "2"}, True),
        ({"gpus-per-task": "a100:1"}, True),
        ({"gres": "gpu"}, True),
        ({"gres": "lustre:1,gpu:a100:2"}, True),
        ({"gres": "shard:3"}, True),
        ({"gres": "gres/gpu=1"}, True),
        ({"tres-per-task": "cpu=2,gres/gpu=1"}, True),
        ({"gres": "lustre:1"}, False),
        ({"gres": "gpustat:1"}, False),
        ({"mem": "100"}, False),
    ],
)
def test_asks(options: dict[str, str], expected: bool) -> None:
    assert asks(options) == expected


@pytest.mark.parametrize(
    ("request_", "asked", "defaults", "expected"),
    [
        ("", {}, {"gpus": "1"}, {"gpus": "1"}),
        ("2", {}, {"gpus": "1", "time": "5"}, {"time": "5", "gpus-per-node": "2"}),
        ("2", {"gres": "gpu:1"}, {"time": "5"}, {"time": "5"}),
        ("2", {"gres": "lustre:1"}, {}, {"gpus-per-node": "2"}),
    ],
)
def test_the_engines_request_is_before_the_sites_and_after_the_users(
    request_: str, asked: dict[str, str], defaults: dict[str, str], expected: dict[str, str]
) -> None:
    assert with_request(request_, asked, defaults, foreign=False) == expected


def test_all_gpus_are_those_of_a_node_or_of_the_allocation() -> None:
    assert with_request("all", {}, {"gpus": "1", "time": "5"}, foreign=True) == {"time": "5"}
    whole = with_request("all", {}, {"gpus": "1"}, foreign=False)
    assert whole == {"exclusive": "yes", "gres": "gpu:1"}
    assert is_whole({**whole, "time": "5"})
    assert not is_whole({"gres": "gpu:1"})


def test_a_job() -> None:
    text = """JobId=7 NodeList=node[1-2]
   ReqNodeList=(null) ExcNodeList=(null)
   TRES=cpu=1,node=1,billing=1
   JOB_GRES=gpu:tesla:1
     Nodes=node1 CPU_IDs=0 Mem=0 GRES=gpu:tesla:1(IDX:1)
"""
    assert has_gpus(text)
    assert nodes(text) == "node[1-2]"
    assert not has_gpus(text.replace("gpu", "lustre"))
    assert has_gpus("   TresPerNode=gres/gpu:1\n")
