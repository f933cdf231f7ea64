"""Whether root of a node, who may be nobody, reaches what is staged."""

import os
import stat
from pathlib import Path

import pytest

from actors.staging import reach
from proto.errors import StagingError
from proto.life.settings import RootSquash, Scrun, Settings, Staging
from tests.unit.creations import is_root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("net", "net/home", "net/home/alice"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o711)
    return tmp_path / "net/home/alice"


def table(home: Path, kind: str = "nfs4") -> dict[str, str]:
    return {"/": "ext4", str(home.parents[1]): kind}


@pytest.mark.parametrize(
    ("kind", "setting", "squashed"),
    [
        ("nfs4", "auto", True),
        ("lustre", "auto", True),
        ("ext4", "auto", False),
        ("fuse", "auto", False),
        ("ext4", "yes", True),
        ("nfs4", "no", False),
    ],
)
def test_where_root_is_nobody(home: Path, kind: str, setting: RootSquash, squashed: bool) -> None:
    assert reach.is_squashed(str(home / ".scrun"), table(home, kind), setting) is squashed


def test_an_open_way_has_no_wall(home: Path) -> None:
    assert reach.wall(str(home / ".scrun"), table(home), "auto") == ""


@pytest.mark.parametrize("closed", ["", ".."])
def test_the_sentence_names_the_directory_that_is_closed(home: Path, closed: str) -> None:
    directory = home / closed
    directory.chmod(0o700)
    sentence = reach.wall(str(home / ".scrun"), table(home), "auto")
    assert f"cannot go through {directory.resolve()} (mode 0700)" in sentence
    assert "chmod go+x" in sentence
    assert "nobody on nfs4" in sentence
    assert reach.wall(str(home / ".scrun"), table(home), "no") == ""


def test_slurm_s_daemon_is_in_the_user_s_group(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.chmod(0o701)
    assert f"cannot go through {home} (mode 0701)" in reach.wall(str(home / ".scrun"), table(home), "auto")
    monkeypatch.setattr(os, "getgid", lambda: home.stat().st_gid + 1)
    monkeypatch.setattr(os, "getgroups", list)
    assert reach.wall(str(home / ".scrun"), table(home), "auto") == ""


def test_a_link_is_followed(home: Path) -> None:
    home.chmod(0o700)
    link = home.parents[2] / "link"
    link.symlink_to(home)
    assert f"cannot go through {home} " in reach.wall(str(link / "scrun"), table(home), "auto")


def test_directories_of_a_local_disk_are_no_wall(home: Path) -> None:
    home.parents[2].chmod(0o700)  # pytest's, above the network file system
    assert reach.wall(str(home / ".scrun"), table(home), "auto") == ""


def test_what_is_not_there_yet_will_be_open(home: Path) -> None:
    assert reach.wall(str(home / "new/place"), table(home), "auto") == ""


def test_a_container_is_refused_before_there_is_a_job(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "current_mounts", lambda: table(home))
    reach.check(Settings(), str(home), tells=False)
    with pytest.raises(StagingError, match="a hook's environment would be readable"):
        reach.check(Settings(), str(home), tells=True)
    with pytest.raises(StagingError, match="entry = false"):
        reach.check(Settings(Scrun(entry=False)), str(home), tells=False)
    home.chmod(0o700)
    with pytest.raises(StagingError, match="cannot go through"):
        reach.check(Settings(), str(home), tells=False)
    reach.check(Settings(Scrun(entry=False), Staging(root_squash="no")), str(home), tells=True)


@pytest.mark.skipif(not is_root(), reason="only root may give files away")
def test_a_local_disk_keeps_owners_and_nothing_is_left_of_the_trial(tmp_path: Path) -> None:
    assert reach.keeps_owners(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_who_may_not_give_files_away_keeps_no_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, uid: int, gid: int) -> None:
        assert stat.S_ISREG(os.fstat(descriptor).st_mode)
        raise PermissionError(uid, gid)

    monkeypatch.setattr(os, "fchown", refuse)
    assert not reach.keeps_owners(str(tmp_path))
    assert os.listdir(tmp_path) == []
