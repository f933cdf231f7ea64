from pathlib import Path

import pytest

from actors.staging import single_id
from proto.errors import StagingError
from proto.life.creation import Creation
from tests.unit.creations import creation


def container(directory: Path, runtime: str) -> Creation:
    (directory / "oci.conf").write_text(f'RunTimeRun="exec env -u X {runtime} run --bundle %b %n"\n')
    return creation(
        settings__scrun__slurm_conf=str(directory / "slurm.conf"),
        settings__scrun__id_mapping="single",
        caller__home=str(directory),
        caller__namespaced=False,
    )


def config(uid: int) -> dict[str, object]:
    return {"process": {"user": {"uid": uid, "gid": 0}}}


def test_runc_needs_an_id_for_root(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match=r"would have one id, 1000, and runc runs none .* crun in oci.conf"):
        single_id.check(container(tmp_path, "/usr/sbin/runc --rootless=true"), config(1000))
    single_id.check(container(tmp_path, "runc"), config(0))


@pytest.mark.parametrize("runtime", ["crun", "/opt/runcious", ""])
def test_others_do_not(tmp_path: Path, runtime: str) -> None:
    single_id.check(container(tmp_path, runtime), config(1000))
