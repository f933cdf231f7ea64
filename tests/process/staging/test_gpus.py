"""What is put into a bundle for a container's GPUs, and what its node's program makes of that."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actors.staging.builtin import stage_in, stage_out
from actors.staging.bundle import content_of
from actors.staging.commands import Commands
from actors.staging.container_ids import CallerMaps
from proto.errors import StagingError
from proto.life.creation import Creation
from tests.unit.creations import changed, creation

PLAIN = CallerMaps("0 0 4294967295\n", "0 0 4294967295\n")
CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"args": ["true"], "cwd": "/", "env": ["A=1", "NVIDIA_VISIBLE_DEVICES=all"]},
    "mounts": [{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
}
SPECIFICATION = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
  - {name: "0", containerEdits: {deviceNodes: [{path: /dev/nvidia0}], env: [OF_0=a "b" c]}}
  - {name: "1", containerEdits: {deviceNodes: [{path: /dev/nvidia1}]}}
containerEdits:
  env: [NVIDIA_VISIBLE_DEVICES=void]
  mounts: [{hostPath: /usr/lib/DRIVER, containerPath: /usr/lib/DRIVER, options: [ro]}]
"""
GRES = """slurmd: Gres Name=gpu Type=a Count=1 Index=0 ID=7 File=/dev/nvidia1 (null)
slurmd: Gres Name=gpu Type=a Count=1 Index=1 ID=7 File=/dev/nvidia0 (null)
"""
SCONTROL = """#!/bin/sh
case "$2 $3" in
"hostnames n[1-2]") printf 'n1\\nn2\\n' ;;
job*) echo "JobId=7 NodeList=n1 GRES=gpu:1(IDX:0)" ;;
*) exit 1 ;;
esac
"""


class Site:
    """A login host with a container, and what its nodes have said."""

    def __init__(self, path: Path) -> None:
        for name in ("rootfs/usr/lib", "bundle", "home/.scrun", "bin"):
            (path / name).mkdir(parents=True)
        (path / "rootfs/lib64").symlink_to("usr/lib")
        (path / "home/.scrun").chmod(0o700)
        (path / "bin/scontrol").write_text(SCONTROL)
        (path / "bin/scontrol").chmod(0o755)
        self.path = path
        self.memory = path / "home/.scrun/cache/gpus"
        self.asked = 0
        self.said: list[str] = []
        self.run = Commands((f"PATH={path}/bin:/usr/bin:/bin".encode(),), self._remote, self._log)
        self.oci_conf('RunTimeRun="crun run --bundle %b %n"')
        self.container = creation(
            bundle=str(path / "bundle"), rootfs=str(path / "rootfs"), caller__uid=os.getuid(),
            caller__gid=os.getgid(), caller__namespaced=False, caller__home=str(path / "home"), args=(b"/bin/true",),
            settings__scrun__slurm_conf=str(path / "slurm.conf"), settings__staging__mode="copy",
            settings__job={"gres": "gpu:1"},
        )  # fmt: skip

    def oci_conf(self, text: str) -> None:
        (self.path / "oci.conf").write_text(f"{text}\n")

    def _remote(self, _: bytes) -> tuple[list[bytes], list[bytes]]:
        self.asked += 1
        return [b"/bin/false"], []

    def _log(self, _: int, text: str) -> None:
        self.said.append(text)

    def node(self, name: str, driver: str = "libcuda.so.1", text: str = SPECIFICATION, gres: str = GRES) -> None:
        """What a node has said."""
        for copies in ("etc", "run"):
            (self.memory / name / copies).mkdir(parents=True)
        if text:
            (self.memory / name / "etc/nvidia.yaml").write_text(text.replace("DRIVER", driver))
        for file, content in (("gres", gres), ("sum", "1 2 /etc/cdi/nvidia.yaml\n"), ("directories", "")):
            (self.memory / name / file).write_text(content)

    def stage(self, nodes: str = "n1", container: Creation | None = None) -> tuple[dict[str, Any], Path]:
        """config.json of the nodes, and the directory of what runs there."""
        container = container or self.container
        config = {**CONFIG, "root": {"path": container.rootfs}}
        bundle = stage_in(container, config, self.run, self._log, PLAIN, nodes, 7).bundle
        return json.loads(Path(bundle, "config.json").read_text()), Path(content_of(bundle), "node")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def program(node: Path, *words: str, cwd: Path | None = None, stdin: str = "", **environ: Any) -> Any:
    variables = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": "7", **environ}
    return subprocess.run(
        [f"{node}/{words[0]}", *words[1:]],
        env=variables, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_slurms_number_is_that_of_its_list_and_not_of_the_file(site: Site) -> None:
    site.node("n1")
    config, node = site.stage()
    assert (node / "gpus/n1/gpu-0").read_text().splitlines() == [
        "variable NVIDIA_VISIBLE_DEVICES=void", "device /dev/nvidia1 /dev/nvidia1",
        "part /usr/lib/libcuda.so.1 /usr/lib/libcuda.so.1 ro",
    ]  # fmt: skip
    assert "device /dev/nvidia0 /dev/nvidia0" in (node / "gpus/n1/gpu-1").read_text()
    assert config["hooks"]["createContainer"] == [
        {"path": "/bin/sh", "args": ["sh", f"{node}/give", "createContainer"]}
    ]
    assert site.asked == 0
    assert (Path(node.parent) / "rootfs/usr/lib/libcuda.so.1").is_file()
    assert b"NVIDIA_VISIBLE_DEVICES" not in (node.parent / ".scrun-entry").read_bytes()
    stage_out(site.container, site.run, lambda *_: None)
    assert not (site.path / "rootfs/usr/lib/libcuda.so.1").exists()


def test_each_node_has_its_own_driver(site: Site) -> None:
    site.node("n1", "libcuda.so.1")
    site.node("n2", "libcuda.so.2")
    _, node = site.stage("n[1-2]")
    for name in ("1", "2"):
        assert f"/usr/lib/libcuda.so.{name} ro" in (node / f"gpus/n{name}/gpu-0").read_text()


def test_a_place_behind_a_link_of_the_image(site: Site) -> None:
    site.node("n1", text=SPECIFICATION.replace("containerPath: /usr/lib/", "containerPath: /lib64/"))
    _, node = site.stage()
    assert "part /usr/lib/libcuda.so.1 /usr/lib/libcuda.so.1 ro" in (node / "gpus/n1/gpu-0").read_text()


def test_a_link_that_leads_to_nothing(site: Site) -> None:
    (site.path / "rootfs/loop").symlink_to("loop")
    site.node("n1", text=SPECIFICATION.replace("containerPath: /usr/lib/", "containerPath: /loop/"))
    with pytest.raises(StagingError, match=r"^/loop/libcuda.so.1, where the GPUs' files belong, is a link"):
        site.stage()


def test_a_container_without_gpus_has_nothing_of_it(site: Site) -> None:
    _, node = site.stage(container=changed(site.container, settings__job={"gres": "lustre:1"}))
    assert not (node / "give").exists()
    assert site.asked == 0


def test_an_allocation_that_is_there_already_is_asked_for_its_gpus(site: Site) -> None:
    site.node("n1")
    _, node = site.stage("", changed(site.container, job_id=7, settings__job={}))
    assert (node / "gpus/n1/gpu-0").exists()


def test_a_node_that_says_nothing(site: Site) -> None:
    with pytest.raises(StagingError, match=r"^node n1 did not say what it has of GPUs"):
        site.stage()
    assert site.asked == 1


def test_what_was_said_a_day_ago_is_asked_again(site: Site) -> None:
    site.node("n1")
    os.utime(site.memory / "n1/sum", (0, 0))
    with pytest.raises(StagingError, match=r"^node n1 did not say"):
        site.stage()


def test_hooks_that_the_site_does_not_run(site: Site) -> None:
    site.node("n1")
    site.oci_conf("DisableHooks=createContainer,prestart")
    with pytest.raises(StagingError, match=r"DisableHooks in oci.conf has createContainer$"):
        site.stage()


def test_a_node_whose_slurmd_tells_nothing_has_its_gpus_by_name(site: Site) -> None:
    site.node("n1", gres="sh: slurmd: not found\n")
    _, node = site.stage()
    assert "device /dev/nvidia0 /dev/nvidia0" in (node / "gpus/n1/gpu-0").read_text()


VARIABLES: dict[str, Any] = {"SLURMD_NODENAME": "n1", "CUDA_VISIBLE_DEVICES": "1", "SLURM_STEP_GPUS": "1"}


def test_what_variables_say(site: Site) -> None:
    site.node("n1")
    _, node = site.stage()
    done = program(node, "give", "variables", **VARIABLES)
    assert done.stdout.splitlines() == [
        "SLURMD_NODENAME=n1", "SLURM_STEP_GPUS=1", "CUDA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=void",
        'OF_0=a "b" c',
    ]  # fmt: skip
    parts = program(node, "give", "variables", SLURMD_NODENAME="n1", CUDA_VISIBLE_DEVICES="MIG-4,MIG-7")
    assert "CUDA_VISIBLE_DEVICES=MIG-4,MIG-7" in parts.stdout.splitlines()


def test_variables_where_nothing_is_described_are_slurms(site: Site) -> None:
    site.node("n1", text="")
    _, node = site.stage()
    assert "CUDA_VISIBLE_DEVICES=1" in program(node, "give", "variables", **VARIABLES).stdout.splitlines()
    assert "node n1: its CDI files (/etc/cdi, /var/run/cdi) describe no GPU" in " ".join(site.said)


def test_nvidias_runtime_is_told_which_by_slurms_number(site: Site) -> None:
    site.oci_conf('RunTimeRun="exec nvidia-container-runtime.cdi run --bundle %b %n"')
    config, node = site.stage()
    assert "createContainer" not in config.get("hooks", {})
    lines = program(node, "give", "variables", **VARIABLES).stdout.splitlines()
    assert {"NVIDIA_VISIBLE_DEVICES=1", "CUDA_VISIBLE_DEVICES=0"} <= set(lines)
    assert site.asked == 0


def test_the_prolog_tells_slurmstepd(site: Site, tmp_path: Path) -> None:
    """From 23.02 on config.json is written after the prolog."""
    site.node("n1")
    _, node = site.stage()
    done = program(node, "prolog", cwd=tmp_path, **VARIABLES)
    assert done.returncode == 0, done.stderr
    assert {"export CUDA_VISIBLE_DEVICES=0", 'export OF_0=a "b" c'} <= set(done.stdout.splitlines())


@pytest.mark.parametrize("name", ["oci-job00007-00000", "oci-job7-0"])
def test_the_prolog_puts_them_into_a_config_json_that_is_there(site: Site, tmp_path: Path, name: str) -> None:
    """As with 22.05."""
    site.node("n1")
    _, node = site.stage()
    task = tmp_path / name
    task.mkdir()
    own = {"process": {"env": ["A=1", "SLURM_CONTAINER=/x", "B=2"]}, "hooks": {"poststop": [{"env": ["C=3"]}]}}
    (task / "config.json").write_text(json.dumps(own, indent=2))
    assert program(node, "prolog", cwd=task, **VARIABLES).returncode == 0
    changed = json.loads((task / "config.json").read_text())
    assert changed["hooks"] == own["hooks"]
    env = changed["process"]["env"]
    assert env[0] == "A=1"
    assert env[-2:] == ["SLURM_CONTAINER=/x", "B=2"]
    assert {"CUDA_VISIBLE_DEVICES=0", "SLURM_STEP_GPUS=1", 'OF_0=a "b" c'} <= set(env)


def state(path: Path, *env: str) -> str:
    """A runtime's state, with a config.json as slurmstepd writes one."""
    (path / "config.json").write_text(json.dumps({"process": {"env": list(env)}}, indent=1))
    return json.dumps({"ociVersion": "1.0", "id": "x", "pid": 1, "bundle": str(path)}).replace("/", "\\/")


def test_a_task_without_gpus_has_none(site: Site, tmp_path: Path) -> None:
    site.node("n1")
    _, node = site.stage()
    done = program(node, "give", "createContainer", stdin=state(tmp_path, "SLURMD_NODENAME=n1"))
    assert done.returncode == 0, done.stderr
    (tmp_path / "config.json").unlink()
    unknown = program(node, "give", "createContainer", stdin=json.dumps({"bundle": str(tmp_path)}))
    assert (unknown.returncode, unknown.stderr) == (1, (node / "refusal").read_text())


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        (("SLURMD_NODENAME=n1", "SLURM_STEP_GPUS=0"), "the CDI files of node n1 have changed since they were read; "),
        (("SLURMD_NODENAME=n9", "SLURM_STEP_GPUS=0"), "what node n9 has of GPUs was not read when the container was"),
    ],
)
def test_what_a_node_refuses(site: Site, tmp_path: Path, env: tuple[str, ...], sentence: str) -> None:
    site.node("n1")
    _, node = site.stage()
    done = program(node, "give", "createContainer", stdin=state(tmp_path, *env))
    assert done.returncode == 1
    assert (node / "refusal").read_text().startswith(sentence)
    # It is asked again the next time.
    assert (site.memory / "n1").exists() == ("n9" in sentence)
