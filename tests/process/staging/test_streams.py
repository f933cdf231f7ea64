"""What a staged container has for its standard output, or its terminal."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actors.oci.entry import ENTRY_NAME, has_code
from actors.staging.builtin import stage_in, stage_out
from actors.staging.bundle import content_of
from actors.staging.commands import Commands
from actors.staging.container_ids import CallerMaps
from proto.life.creation import Creation
from tests.unit.creations import changed, creation

pytestmark = pytest.mark.skipif(not has_code(os.uname().machine), reason="no entry file for this machine")
PLAIN = CallerMaps("0 0 4294967295\n", "0 0 4294967295\n")
RUN = Commands((b"PATH=/usr/bin:/bin",), lambda command: ([b"/bin/sh", b"-c", command], []), lambda *_: None)
MOUNTS = [
    {"destination": name, "type": kind, "source": kind} for name, kind in (("/dev", "tmpfs"), ("/dev/pts", "devpts"))
]


@pytest.fixture
def container(tmp_path: Path) -> Creation:
    for name in ("rootfs", "bundle", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "oci.conf").write_text('RunTimeRun="crun run --bundle %b %n"\n')
    return creation(
        bundle=str(tmp_path / "bundle"), rootfs=str(tmp_path / "rootfs"), caller__uid=os.getuid(),
        caller__gid=os.getgid(), caller__namespaced=False, caller__home=str(tmp_path / "home"), args=(b"/bin/true",),
        settings__scrun__slurm_conf=str(tmp_path / "slurm.conf"), settings__staging__mode="copy",
    )  # fmt: skip


def staged(container: Creation, **process: Any) -> tuple[dict[str, Any], Path]:
    """config.json of the node, and the directory of what runs there."""
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": container.rootfs},
        "process": {"args": ["true"], "cwd": "/", "env": ["A=1"], **process},
        "mounts": MOUNTS,
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
    }
    bundle = stage_in(container, config, RUN, lambda *_: None, PLAIN, "n1").bundle
    return json.loads(Path(bundle, "config.json").read_text()), Path(content_of(bundle), "node")


def test_a_pipe_that_whoever_the_program_is_can_open(container: Creation) -> None:
    config, node = staged(container)
    mount = config["mounts"][-1]
    assert mount["source"] == f"{node}/stdout"
    status = os.stat(mount["source"])
    assert (stat.S_ISFIFO(status.st_mode), stat.S_IMODE(status.st_mode)) == (True, 0o666)
    assert mount["destination"].encode() in (node.parent / ENTRY_NAME).read_bytes()
    assert {name: len(hooks) for name, hooks in config["hooks"].items()} == {"poststart": 1, "poststop": 1}
    assert not (node / "prolog").exists()
    stage_out(container, RUN, lambda *_: None)
    assert not node.exists()


def test_each_task_makes_its_own(container: Creation) -> None:
    config, node = staged(changed(container, settings__job={"ntasks": "2"}))
    assert config["mounts"][-1]["source"] == "scrun-stdout"
    assert os.access(node / "prolog", os.X_OK)
    assert not (node / "stdout").exists()


def test_a_terminal_is_told_to_the_runtime_by_the_prolog(container: Creation) -> None:
    config, node = staged(changed(container, terminal=True), terminal=True)
    assert list(config["hooks"]) == ["poststart"]
    assert (node / "terminal").exists()
    assert os.access(node / "prolog", os.X_OK)
    assert (node / "stdout").is_fifo()


@pytest.mark.parametrize(("job", "directory"), [("1202", "oci-job01202-00000"), ("120001", "oci-job120001-00000")])
def test_the_prolog_knows_the_task_s_directory(container: Creation, tmp_path: Path, job: str, directory: str) -> None:
    """Of Slurm 22.05, which writes five digits at least."""
    _, node = staged(changed(container, terminal=True), terminal=True)
    (tmp_path / directory).mkdir()
    own = tmp_path / directory / "config.json"
    own.write_text('{"terminal": false}')
    environ = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": job, "SLURM_PTY_PORT": "1"}
    subprocess.run([node / "prolog"], cwd=own.parent, env=environ, check=True, timeout=30)
    assert own.read_text() == '{"terminal": true}'


@pytest.mark.parametrize(
    ("option", "told", "added"),
    [
        ("--preserve-fds=9", {"PMI_FD": "11", "PMI_RANK": "1"}, ["PMI_FD=11", "PMI_RANK=1"]),
        ("", {"PMI_FD": "11", "PMI_RANK": "1"}, []),
        ("", {"PMIX_RANK": "0"}, ["PMIX_MCA_gds=hash", "PMIX_RANK=0"]),
    ],
)
def test_what_mpi_tells_a_task(
    container: Creation, tmp_path: Path, option: str, told: dict[str, str], added: list[str]
) -> None:
    """Of Slurm 22.05, in a part of a heterogeneous job, whose number is not that of the variables."""
    _, node = staged(changed(container, settings__job={"nodes": "2"}))
    own = tmp_path / "oci-job00008-00000"
    own.mkdir()
    (own / "config.json").write_text('{"env": ["A=1", "SLURM_CONTAINER=x"]}')
    slurm_conf = Path(container.settings.scrun.slurm_conf)
    slurm_conf.touch()
    slurm_conf.with_name("oci.conf").write_text(f'RunTimeRun="crun run {option} --bundle %b %n"')
    environ = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": "7", "SLURM_CONF": str(slurm_conf), **told}
    subprocess.run([node / "prolog"], cwd=own, env=environ, check=True, timeout=30)
    assert sorted(json.loads((own / "config.json").read_text())["env"]) == ["A=1", *added, "SLURM_CONTAINER=x"]
    assert (own / "scrun-stdout").is_fifo()


@pytest.mark.parametrize(
    "conf", ['RunTimeRun="singularity run %n"', 'RunTimeRun="crun run %n"\nDisableHooks=poststart', ""]
)
def test_where_no_hook_runs_all_is_as_slurmstepd_makes_it(container: Creation, conf: str) -> None:
    Path(container.settings.scrun.slurm_conf).with_name("oci.conf").write_text(conf)
    config, node = staged(container)
    assert "hooks" not in config
    assert not node.exists()
    assert len(config["mounts"]) == len(MOUNTS) + 1  # the entry file
