"""Whatever is in an archive of changes, nothing outside the tree is written, and half an archive changes nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.staging.tree.archive import members
from actors.staging.tree.changes import apply_changes
from proto.errors import StagingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", text: bytes = b"", pax: Mapping[str, str] | None = None
) -> tuple[bytes, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode, info.pax_headers = kind, link, len(text), 0o755, dict(pax or {})
    info.uid, info.gid = os.getuid(), os.getgid()
    header = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return header, text.ljust((len(text) + 511) // 512 * 512, b"\0")


def archive(path: Path, *parts: tuple[bytes, bytes]) -> str:
    path.write_bytes(b"".join(b"".join(part) for part in parts) + bytes(10240))
    return str(path)


def tree(tmp_path: Path) -> Path:
    top = tmp_path / "original"
    (top / "etc").mkdir(parents=True)
    (top / "etc/kept").write_text("kept")
    (top / "away").symlink_to(tmp_path / "outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("mine")
    return top


def everything(top: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in (top, *top.rglob("*"))
    }


@pytest.mark.parametrize(
    "bad",
    [
        member("../outside/file", text=b"theirs"),
        member("./etc/../../outside/file", text=b"theirs"),
        member("/etc/passwd", text=b"theirs"),
        member("", text=b"theirs"),
        member("./etc/passwd", tarfile.LNKTYPE, "../outside/file"),
        member("./etc/passwd", tarfile.LNKTYPE, "/etc/passwd"),
        member("./x", b"D"),
        member("./x", tarfile.GNUTYPE_SPARSE),
        member("./x", tarfile.DIRTYPE, text=b"contents"),
        member("./x", pax={"size": "-1"}),
        member("./x", pax={"size": "99999999999999999999"}),
        member("./x", pax={"uid": "4294967295"}),
        member("./x", pax={"GNU.sparse.major": "0", "GNU.sparse.minor": "1"}),
        member("./x", text=b"2\n0\n1\n", pax=SPARSE),
        member("./x", text=b"1\n8\n9\n" + bytes(506) + b"123456789",
               pax=SPARSE),
        member("./x", pax={"SCHILY.xattr.trusted.overlay.metacopy": ""}),
        member("./x", tarfile.DIRTYPE, pax={"SCHILY.xattr.user.overlay.redirect": "/etc"}),
    ],
)  # fmt: skip
def test_an_archive_with_something_impossible_is_refused_as_a_whole(tmp_path: Path, bad: tuple[bytes, bytes]) -> None:
    top = tree(tmp_path)
    before = everything(tmp_path)
    path = archive(tmp_path / "tar", member("./etc", tarfile.DIRTYPE), member("./etc/new", text=b"n"), bad)
    with pytest.raises(StagingError):
        apply_changes(path, str(top), frozenset())
    os.unlink(path)
    os.utime(tmp_path, ns=(before[str(tmp_path)][0],) * 2)
    assert everything(tmp_path) == before


def test_nothing_is_written_through_a_link_of_the_tree_or_of_the_archive(tmp_path: Path) -> None:
    top = tree(tmp_path)
    path = archive(
        tmp_path / "tar",
        member("./away/file", text=b"theirs"),
        member("./mine", tarfile.SYMTYPE, str(tmp_path / "outside")),
        member("./mine/file", text=b"theirs"),
        member("./second", tarfile.LNKTYPE, "./mine/file"),
        member("./third", tarfile.LNKTYPE, "./etc/kept"),  # of the tree, and not of the archive
        member("./last", text=b"last"),
    )
    count = apply_changes(path, str(top), frozenset())
    assert count.failed == 4
    assert (tmp_path / "outside/file").read_text() == "mine"
    assert sorted(os.listdir(tmp_path / "outside")) == ["file"]
    assert (top / "last").read_text() == "last"
    assert sorted(os.listdir(top)) == ["away", "etc", "last", "mine"]


def test_a_directory_in_the_place_of_a_link_is_the_trees_own(tmp_path: Path) -> None:
    top = tree(tmp_path)
    path = archive(tmp_path / "tar", member("./away", tarfile.DIRTYPE), member("./away/file", text=b"theirs"))
    assert apply_changes(path, str(top), frozenset()).failed == 0
    assert (tmp_path / "outside/file").read_text() == "mine"
    assert (top / "away/file").read_text() == "theirs"


def test_mount_points_stay_and_what_leads_only_there_does_not_come(tmp_path: Path) -> None:
    top = tree(tmp_path)
    (top / "srv").mkdir()
    os.utime(top / "srv", (1, 1))
    directories = ("etc", "var", "var/run", "var/run/slurm", "own", "own/run", "srv", "srv/data", "proc", "usr")
    path = archive(
        tmp_path / "tar",
        *(member(f"./{name}", tarfile.DIRTYPE, pax={"SCHILY.xattr.user.overlay.opaque": "y"} if name == "etc" else {})
          for name in directories),
        member("./etc/kept", text=b""),
        member("./proc/x", text=b"x"),
        member("./usr/new", text=b"n"),
        member("./srv/data/file", text=b"x"),
    )  # fmt: skip
    excluded = frozenset({"etc/kept", "var/run/slurm", "own/run/slurm", "srv/data"})
    assert apply_changes(path, str(top), excluded).failed == 0
    assert (top / "etc/kept").read_text() == "kept"
    assert sorted(os.listdir(top)) == ["away", "etc", "own", "srv", "usr"]
    assert os.listdir(top / "own") == ["run"]
    assert (os.listdir(top / "srv"), (top / "srv").stat().st_mtime) == ([], 1)


def test_upper_directories_of_several_overlays_in_one_archive(tmp_path: Path) -> None:
    top = tree(tmp_path)
    before = top.stat()
    path = archive(
        tmp_path / "tar",
        member("etc/u", tarfile.DIRTYPE, pax={"mtime": "5.000000007"}),
        member("etc/u/new", text=b"n"),
        member("etc/u/again", tarfile.LNKTYPE, "etc/u/new"),
        member("etc/w", tarfile.DIRTYPE),
        member("etc/w/work", text=b"w"),
    )
    count = apply_changes(path, str(top), frozenset(), {"etc/u": "etc"})
    assert count.failed == 0
    assert sorted(os.listdir(top / "etc")) == ["again", "kept", "new"]
    assert (top / "etc/again").samefile(top / "etc/new")
    assert (top / "etc").stat().st_mtime_ns == 5_000_000_007
    after = top.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns), "it is not in the archive"


def test_what_replaces_the_directory_of_a_mount_point_leaves_that_alone(tmp_path: Path) -> None:
    top = tree(tmp_path)
    (top / "etc/deep/mount").mkdir(parents=True)
    (top / "etc/deep/file").touch()
    whiteout = tarfile.TarInfo("./etc")
    whiteout.type = tarfile.CHRTYPE
    path = archive(tmp_path / "tar", (whiteout.tobuf(tarfile.PAX_FORMAT), b""))
    count = apply_changes(path, str(top), frozenset({"etc/deep/mount"}))
    assert (count.removed, count.failed) == (2, 0)
    assert [str(one.relative_to(top)) for one in (top / "etc").rglob("*")] == ["etc/deep", "etc/deep/mount"]


def test_an_empty_archive_changes_nothing(tmp_path: Path) -> None:
    top = tree(tmp_path)
    path = archive(tmp_path / "tar")
    before = everything(tmp_path)
    count = apply_changes(path, str(top), frozenset())
    assert (count.copied, count.changed, count.removed, count.failed) == (0, 0, 0, 0)
    assert everything(tmp_path) == before


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    for text in (b"", bytes(512), b"no" * 600):
        (tmp_path / "tar").write_bytes(text)
        with pytest.raises(StagingError):
            apply_changes(str(tmp_path / "tar"), str(tmp_path), frozenset())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.integers(0, 10239), st.binary(min_size=1, max_size=12))
def test_a_damaged_archive_ends_in_a_sentence_or_is_read(tmp_path: Path, at: int, garbage: bytes) -> None:
    source = tmp_path / "source"
    if not source.exists():
        source.mkdir()
        (source / "file").write_bytes(b"text")
        (source / "hole").touch()
        os.truncate(source / "hole", 1 << 20)
        os.setxattr(source / "file", "user.a", b"\0\xff")
        words = ["tar", "--format=posix", "--xattrs", "--xattrs-include=*", "--sparse", "-cf", f"{tmp_path}/whole"]
        subprocess.run([*words, "-C", str(source), "."], check=True)
    whole = bytearray((tmp_path / "whole").read_bytes())
    whole[at : at + len(garbage)] = garbage
    (tmp_path / "damaged").write_bytes(whole)
    with open(tmp_path / "damaged", "rb") as file:
        try:
            found = list(members(file.fileno()))
        except StagingError:
            return
    assert all(one.data + one.stored <= len(whole) for one in found)


def test_devices_and_whiteouts_are_told_apart(tmp_path: Path) -> None:
    top = tree(tmp_path)
    info = tarfile.TarInfo("./etc/kept")
    info.type = tarfile.CHRTYPE
    whiteout = info.tobuf(tarfile.PAX_FORMAT), b""
    path = archive(tmp_path / "tar", member("./etc", tarfile.DIRTYPE), whiteout, member("./etc/p", tarfile.FIFOTYPE))
    count = apply_changes(path, str(top), frozenset())
    assert (count.removed, count.failed) == (1, 0)
    assert os.listdir(top / "etc") == ["p"]
    assert stat.S_ISFIFO((top / "etc/p").stat().st_mode)
