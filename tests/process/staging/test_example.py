"""The example in the repository does what it says, with real commands."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from actors.oci.entry import ENTRY_NAME
from actors.slurm.job_environment import JobFacts, job_environment
from actors.staging.commands import Commands
from actors.staging.lua.stager import LuaStager
from proto.host.paths import ContainerPaths
from tests.unit.creations import changed, creation

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/scrun.lua"
SAMPLE = ROOT / "tests/unit/oci/samples/podman-rootless.json"

pytestmark = pytest.mark.skipif(not shutil.which("rsync"), reason="the example copies with rsync")


@pytest.fixture
def stager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LuaStager:
    bundle = tmp_path / "bundle 'one'"
    (bundle / "rootfs/etc").mkdir(parents=True)
    (bundle / "rootfs/etc/file").write_text("old")
    os.utime(bundle / "rootfs/etc/file", (1, 1))  # rsync compares whole seconds
    (bundle / "hosts").write_text("127.0.0.1 localhost\n")
    config = json.loads(SAMPLE.read_text())
    config["root"]["path"] = "rootfs"
    config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] not in {
        "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"}]  # fmt: skip
    hosts = next(mount for mount in config["mounts"] if mount["destination"] == "/etc/hosts")
    local = tmp_path / "containers/storage/hosts"
    local.parent.mkdir(parents=True)
    local.write_text("127.0.0.1 localhost\n")
    hosts["source"] = str(local)
    (bundle / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("SCRUN_EXAMPLE_SCRATCH", str(tmp_path / "scratch"))
    container = creation(
        root=str(tmp_path / "run"),
        bundle=str(bundle),
        rootfs=str(bundle / "rootfs"),
        caller__home=str(tmp_path / "home"),
        settings__scrun__lua=str(EXAMPLE),
        annotations={"note": "two words"},
    )
    environment = job_environment(container, JobFacts(job_id=42), ContainerPaths(container.root, container.id), 1)

    def no_remote(command: bytes) -> tuple[list[bytes], list[bytes]]:
        raise AssertionError(command)

    commands = Commands(environment, no_remote, lambda *_: None)
    return LuaStager(container, JobFacts(42), environment, commands, lambda *_: None)


def mounts(bundle: str) -> dict[str, dict[str, Any]]:
    config = json.loads(Path(bundle, "config.json").read_text())
    return {mount["destination"]: mount for mount in config["mounts"]}


def test_the_example_stages_in_and_out(stager: LuaStager, tmp_path: Path) -> None:
    staged = stager.stage_in()
    bundle, rootfs = staged.bundle, staged.rootfs
    assert bundle == str(tmp_path / "scratch/1001/box1")
    assert staged.entry
    config = json.loads(Path(bundle, "config.json").read_text())
    assert config["root"]["path"] == rootfs
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": 1001, "size": 1}]
    assert "rlimits" not in config["process"]
    assert config["process"]["env"] == []
    variables = Path(bundle, ENTRY_NAME).read_bytes()
    assert b"\0SLURM_JOB_ID=42\0" in variables
    assert b"\0SCRUN_ANNOTATION_note=two words\0" in variables
    assert variables.count(b"\0PATH=") == 1
    assert config["linux"]["seccomp"] == json.loads(SAMPLE.read_text())["linux"]["seccomp"]
    found = mounts(bundle)
    assert list(found)[-1] == "/dev/.scrun-c00kie"
    assert "/etc/hosts" not in found
    assert Path(rootfs, "etc/hosts").read_text() == "127.0.0.1 localhost\n"
    Path(rootfs, "etc/file").write_text("new")
    Path(rootfs, "etc/made").write_text("made")
    stager.stage_out(bundle, rootfs, complete=True)
    original = next(tmp_path.glob("bundle*")) / "rootfs/etc"
    assert sorted(os.listdir(original)) == ["file", "made"]
    assert (original / "file").read_text() == "new"
    assert not os.path.exists(bundle)


def test_a_script_that_stages_nothing_sees_its_own_bundle_again(tmp_path: Path, stager: LuaStager) -> None:
    script = tmp_path / "scrun.lua"
    script.write_text(
        "function slurm_scrun_stage_in() return slurm.SUCCESS end\n"
        "function slurm_scrun_stage_out(id, bundle, orig) assert(bundle == orig) return slurm.SUCCESS end"
    )
    container = changed(stager._creation, settings__scrun__lua=str(script))
    quiet = LuaStager(container, JobFacts(42), (), stager._api.run, lambda *_: None)
    staged = quiet.stage_in()
    bundle, rootfs = staged.bundle, staged.rootfs
    assert staged.entry
    assert bundle == f"{container.caller.home}/.scrun/box1~c00kie"
    quiet.stage_out(bundle, rootfs, complete=True)
    assert not os.path.exists(bundle)
    quiet.stage_out("", "", complete=False)
