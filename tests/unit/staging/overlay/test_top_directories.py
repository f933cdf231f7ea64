import os
import stat
from pathlib import Path

import pytest

from actors.staging.images.marks import OPAQUE
from actors.staging.overlay.top_directories import Top, lay_ground, tops
from tests.unit.creations import is_root


def layer(base: Path, *directories: str) -> str:
    base.mkdir()
    for name in directories:
        (base / name).mkdir(parents=True)
    return str(base)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return layer(tmp_path / "root", "usr", "etc", "proc", "sys", "dev")


def test_a_top_directory_has_all_layers_that_have_it(root: str, tmp_path: Path) -> None:
    high, low = layer(tmp_path / "high", "usr"), layer(tmp_path / "low", "usr", "etc", "proc")
    (Path(root) / "bin").symlink_to("usr/bin")
    assert tops(root, (high, low)) == [Top("etc", (f"{low}/etc",)), Top("usr", (f"{high}/usr", f"{low}/usr"))]


def test_an_opaque_one_hides_what_is_below(root: str, tmp_path: Path) -> None:
    high, low = layer(tmp_path / "high", "usr"), layer(tmp_path / "low", "usr", "etc")
    os.setxattr(f"{high}/usr", OPAQUE, b"y")
    assert tops(root, (high, low))[1] == Top("usr", (f"{high}/usr",))


@pytest.mark.skipif(not is_root(), reason="only root makes a device in the initial user namespace before Linux 5.8")
def test_a_whiteout_hides_it_too(root: str, tmp_path: Path) -> None:
    top, high, low = layer(tmp_path / "top", "usr"), layer(tmp_path / "high"), layer(tmp_path / "low", "usr", "etc")
    os.mknod(f"{high}/usr", 0o020000, 0)
    assert tops(root, (top, high, low))[1] == Top("usr", (f"{top}/usr",))


def test_a_file_in_a_directory_s_place_hides_it_too(root: str, tmp_path: Path) -> None:
    top, high, low = layer(tmp_path / "top", "usr"), layer(tmp_path / "high"), layer(tmp_path / "low", "usr", "etc")
    Path(f"{high}/usr").write_text("")
    assert tops(root, (top, high, low))[1] == Top("usr", (f"{top}/usr",))


def test_the_ground_has_what_is_in_the_root_and_nothing_below(root: str, tmp_path: Path) -> None:
    (Path(root) / "usr/lib").mkdir()
    (Path(root) / "usr").chmod(0o751)
    (Path(root) / "bin").symlink_to("usr/bin")
    (Path(root) / "start.sh").write_text("#!/bin/sh")
    (Path(root) / "start.sh").chmod(0o4750)
    os.mkfifo(Path(root) / "pipe")
    ground = tmp_path / "ground"
    assert lay_ground(root, str(ground), owners=is_root()) == ()
    assert sorted(os.listdir(ground)) == sorted(os.listdir(root))
    assert os.listdir(ground / "usr") == []
    assert stat.S_IMODE((ground / "usr").stat().st_mode) == 0o751
    assert os.readlink(ground / "bin") == "usr/bin"
    assert stat.S_IMODE((ground / "start.sh").stat().st_mode) == 0o4750
    assert stat.S_ISFIFO((ground / "pipe").stat().st_mode)


@pytest.mark.skipif(not is_root(), reason="only root makes a device")
def test_what_the_ground_cannot_have_is_named(root: str, tmp_path: Path) -> None:
    os.mknod(Path(root) / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert lay_ground(root, str(tmp_path / "ground"), owners=True) == ("null",)


def test_what_the_ground_has_is_as_old_as_in_the_root(root: str, tmp_path: Path) -> None:
    """What a container's own copy has anew counts as changed by it."""
    (Path(root) / "bin").symlink_to("usr/bin")
    (Path(root) / "file").touch()
    os.mkfifo(f"{root}/pipe")
    for name in ("bin", "file", "pipe", "usr"):
        os.utime(f"{root}/{name}", (1, 2), follow_symlinks=False)
    lay_ground(root, str(tmp_path / "ground"), owners=is_root())
    found = {name: os.lstat(tmp_path / "ground" / name).st_mtime for name in ("bin", "file", "pipe", "usr")}
    assert found == {"bin": 2, "file": 2, "pipe": 2, "usr": 2}
