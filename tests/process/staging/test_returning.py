"""What a program changes in a copied directory of this host comes back, and nothing else is touched."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.oci.copies import Copy
from actors.staging import mounts, record
from actors.staging.commands import Commands
from proto.errors import StagingError

if TYPE_CHECKING:
    from collections.abc import Callable


class Place:
    """A directory of this host, a bundle with a copy of it, and the log."""

    def __init__(self, path: Path) -> None:
        self.source = path / "source"
        self.bundle = path / "bundle"
        self.log: list[str] = []
        self.bundle.mkdir()
        self.source.mkdir()
        for name in ("kept", "changed", "removed", "deep/er/file", "gone/a", "gone/b", "dev/null", "proc/1"):
            write(self.source / name, f"first {name}")

    def stage(self, *copies: Copy, owners: bool = True) -> None:
        run = Commands((), lambda _: ((), ()), lambda _level, _text: None)
        wanted = copies or (Copy(str(self.source), 0, "directory", "/w", (), users=True, returns=True),)
        log: Callable[[int, str], None] = lambda _, text: self.log.append(text)  # noqa: E731
        mounts.stage(str(self.bundle), str(self.bundle), wanted, run, log, owners=owners)

    @property
    def copy(self) -> Path:
        return self.bundle / "mounts/0"

    def bring_back(self) -> str:
        return mounts.bring_back(str(self.bundle), lambda _, text: self.log.append(text))

    def present(self) -> dict[str, str]:
        found = (path for path in self.source.rglob("*") if path.is_file() or path.is_symlink())
        return {
            str(path.relative_to(self.source)): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
            for path in found
        }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_made_changed_and_removed_comes_back(place: Place) -> None:
    place.stage()
    before = place.present()
    write(place.copy / "changed", "second")
    write(place.copy / "new/deep", "made")
    (place.copy / "link").symlink_to("/elsewhere")
    (place.copy / "removed").unlink()
    shutil.rmtree(place.copy / "gone")
    (place.copy / "deep/er/file").chmod(0o600)
    assert place.bring_back() == ""
    unchanged = {name: text for name, text in before.items() if name not in {"removed", "gone/a", "gone/b"}}
    assert place.present() == unchanged | {"changed": "second", "new/deep": "made", "link": "-> /elsewhere"}
    assert stat.S_IMODE((place.source / "deep/er/file").stat().st_mode) == 0o600
    assert not (place.source / "gone").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owners_that_the_copy_has_not_stay(place: Place) -> None:
    for path in (place.source / "deep", place.source / "changed"):
        os.chown(path, 4711, 4712)
    place.stage(owners=False)
    write(place.copy / "changed", "second")
    write(place.copy / "deep/new", "made")
    assert place.bring_back() == ""
    assert place.present()["changed"] == "second"
    owners = [(path.stat().st_uid, path.stat().st_gid) for path in (place.source / "deep", place.source / "changed")]
    assert owners == [(4711, 4712)] * 2


def test_hard_links_and_holes_come_back(place: Place) -> None:
    (place.source / "link").hardlink_to(place.source / "kept")
    place.stage()
    with open(place.copy / "kept", "a") as file:
        file.write(" and more")
    with open(place.copy / "sparse", "wb") as file:
        file.truncate(64 << 20)
    assert place.bring_back() == ""
    assert place.present()["link"] == "first kept and more"
    assert (place.source / "kept").stat().st_nlink == 2
    assert (place.source / "sparse").stat().st_blocks * 512 < 1 << 20


def test_a_second_time_changes_nothing_more(place: Place) -> None:
    place.stage()
    write(place.copy / "new", "made")
    (place.copy / "removed").unlink()
    place.bring_back()
    first = place.present()
    assert place.bring_back() == ""
    assert place.present() == first


def test_what_only_this_host_has_changed_meanwhile_stays(place: Place) -> None:
    place.stage()
    write(place.copy / "changed", "by the program")
    (place.copy / "gone/a").unlink()
    (place.copy / "gone/b").unlink()
    (place.copy / "gone").rmdir()
    write(place.source / "kept", "by the host")
    write(place.source / "deep/er/file", "by the host")
    write(place.source / "gone/new", "by the host")
    write(place.source / "mine", "by the host")
    (place.source / "removed").unlink()
    assert place.bring_back() == ""
    present = place.present()
    assert {name for name, text in present.items() if text == "by the host"} == {
        "kept", "deep/er/file", "gone/new", "mine",
    }  # fmt: skip
    assert present["changed"] == "by the program"
    assert not {"removed", "gone/a", "gone/b"} & present.keys()


def test_of_a_file_that_both_have_changed_the_programs_stays(place: Place) -> None:
    place.stage()
    write(place.copy / "changed", "by the program")
    write(place.source / "changed", "by the host")
    place.bring_back()
    assert place.present()["changed"] == "by the program"


def test_a_change_that_leaves_size_and_time_is_seen(place: Place) -> None:
    place.stage()
    path = place.copy / "changed"
    status = path.stat()
    path.write_text(path.read_text().upper())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    assert place.bring_back() == ""
    assert place.present()["changed"] == "FIRST CHANGED"


def test_without_a_change_nothing_is_touched(place: Place) -> None:
    place.stage()
    (place.source / "kept").chmod(0o600)
    before = {path: path.lstat() for path in (place.source, *place.source.rglob("*"))}
    assert place.bring_back() == ""
    after = {path: path.lstat() for path in before}
    assert {path: (s.st_ctime_ns, s.st_ino) for path, s in after.items()} == {
        path: (s.st_ctime_ns, s.st_ino) for path, s in before.items()
    }


def to_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("a file now")


def to_link(path: Path) -> None:
    shutil.rmtree(path)
    path.symlink_to("kept")


@pytest.mark.parametrize("name", ["dev", "proc", "sys"])
@pytest.mark.parametrize("alter", [to_file, to_link, shutil.rmtree, lambda path: write(path / "x/y", "new")])
def test_names_that_a_root_file_system_has_for_mounts_are_names_like_any(
    place: Place, name: str, alter: Callable[[Path], object]
) -> None:
    write(place.source / name / "old", "x")
    place.stage()
    alter(place.copy / name)
    assert place.bring_back() == ""
    ours, theirs = place.copy / name, place.source / name
    assert theirs.is_symlink() == ours.is_symlink()
    assert theirs.exists() == ours.exists()
    assert sorted(map(str, (path.relative_to(theirs) for path in theirs.rglob("*")))) == sorted(
        map(str, (path.relative_to(ours) for path in ours.rglob("*")))
    )
    if ours.is_file():
        assert theirs.read_text() == ours.read_text()


def test_a_file_that_is_new_there_comes_back(place: Place) -> None:
    place.stage()
    write(place.copy / "sys", "a file")
    assert place.bring_back() == ""
    assert place.present()["sys"] == "a file"


def test_a_single_file_is_written_in_place(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "single"
    write(file, "a long first text")
    link = tmp_path / "link"
    link.symlink_to(file)
    place.stage(Copy(str(link), 0, "file", "/f", (), users=True, returns=True))
    inode = file.stat().st_ino
    write(place.copy, "short")
    place.copy.chmod(0o640)
    assert place.bring_back() == ""
    assert (file.read_text(), file.stat().st_ino, stat.S_IMODE(file.stat().st_mode)) == ("short", inode, 0o640)
    assert link.is_symlink()


def test_a_single_file_with_holes_keeps_them(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "image"
    write(file, "x" * (1 << 20))
    place.stage(Copy(str(file), 0, "file", "/f", (), users=True, returns=True))
    inode = file.stat().st_ino
    with open(place.copy, "wb") as copy:
        copy.truncate(64 << 20)
        copy.seek(32 << 20)
        copy.write(b"middle")
    assert place.bring_back() == ""
    assert (file.stat().st_size, file.stat().st_ino) == (64 << 20, inode)
    assert file.stat().st_blocks * 512 < 1 << 20
    assert file.read_bytes().strip(b"\0") == b"middle"
    assert file.read_bytes() == place.copy.read_bytes()


def test_a_file_that_becomes_empty(place: Place, tmp_path: Path) -> None:
    write(tmp_path / "f", "text")
    place.stage(Copy(str(tmp_path / "f"), 0, "file", "/f", (), users=True, returns=True))
    place.copy.write_text("")
    assert place.bring_back() == ""
    assert (tmp_path / "f").read_text() == ""


def test_what_is_not_to_return_does_not(place: Place) -> None:
    place.stage(Copy(str(place.source), 0, "directory", "/w", (), users=True))
    before = place.present()
    write(place.copy / "changed", "second")
    assert place.bring_back() == ""
    assert place.present() == before


def test_something_else_in_its_place_is_left_alone(place: Place, tmp_path: Path) -> None:
    place.stage()
    write(place.copy / "changed", "second")
    place.source.rename(tmp_path / "moved")
    write(place.source / "changed", "another's")
    kept = tmp_path / "kept-bundle-0"
    assert place.bring_back() == (
        f"changes could not be brought back to {place.source}: it is not any more what the program began with; all "
        f"that the program left there is in {kept}"
    )
    assert place.present() == {"changed": "another's"}
    assert (kept / "changed").read_text() == "second"


def test_a_copy_that_was_kept_is_not_taken_for_removed(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other / "f", "x")
    both = [Copy(str(path), index, "directory", "/w", (), users=True, returns=True)
            for index, path in enumerate((place.source, other))]  # fmt: skip
    place.stage(*both)
    place.copy.rename(tmp_path / "kept-bundle-0")
    before = place.present()
    write(place.bundle / "mounts/1/g", "y")
    assert place.bring_back() == ""
    assert place.present() == before
    assert (other / "g").read_text() == "y"


def test_what_its_owner_may_not_read_is_not_taken_for_removed(place: Place) -> None:
    place.stage()
    before = place.present()
    (place.copy / "deep").chmod(0)
    assert place.bring_back() == ""
    assert stat.S_IMODE((place.source / "deep").stat().st_mode) == 0
    (place.source / "deep").chmod(0o755)
    assert place.present() == before


def test_what_is_gone_is_told_and_kept(place: Place, tmp_path: Path) -> None:
    place.stage()
    write(place.copy / "changed", "second")
    place.source.rename(tmp_path / "moved")
    assert "it is not there" in place.bring_back()
    assert (tmp_path / "kept-bundle-0/changed").read_text() == "second"


@pytest.mark.parametrize("replace", ["hardlink_to", "symlink_to", "mkdir"])
def test_a_file_that_was_replaced_is_left_alone(place: Place, tmp_path: Path, replace: str) -> None:
    file, other = tmp_path / "single", tmp_path / "other"
    for path in (file, other):
        write(path, "first")
    place.stage(Copy(str(file), 0, "file", "/f", (), users=True, returns=True))
    write(place.copy, "second")
    file.unlink()
    getattr(file, replace)(*(() if replace == "mkdir" else (other,)))
    assert "not any more" in place.bring_back()
    assert other.read_text() == "first"


def test_a_link_in_its_place_is_not_followed(place: Place, tmp_path: Path) -> None:
    place.stage()
    write(place.copy / "changed", "second")
    place.source.rename(tmp_path / "moved")
    place.source.symlink_to(tmp_path / "moved")
    assert "not any more" in place.bring_back()
    assert (tmp_path / "moved/changed").read_text() == "first changed"


def test_sockets_and_pipes_stay(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place.source / "socket"))
        os.mkfifo(place.source / "pipe")
        before = [(place.source / name).lstat().st_ino for name in ("socket", "pipe")]
        place.stage()
        write(place.copy / "changed", "second")
        (place.source / "kept").unlink()
        assert place.bring_back() == ""
        assert [(place.source / name).lstat().st_ino for name in ("socket", "pipe")] == before
    assert stat.S_ISSOCK((place.source / "socket").lstat().st_mode)
    assert (place.source / "changed").read_text() == "second"


def test_directories_that_are_seen_through_one_another(place: Place, tmp_path: Path) -> None:
    write(tmp_path / "below/under", "below")
    write(tmp_path / "below/kept", "hidden")
    below = (str(tmp_path / "below"),)
    place.stage(Copy(str(place.source), 0, "directory", "/im", below))
    assert (place.copy / "under").read_text() == "below"
    assert (place.copy / "kept").read_text() == "first kept"


def test_the_staging_directory_is_never_copied_into_itself(place: Place) -> None:
    with pytest.raises(StagingError, match="the staging directory is in it"):
        place.stage(Copy(str(place.bundle.parent), 0, "directory", "/w"))


def test_a_source_that_has_gone_is_told(place: Place) -> None:
    with pytest.raises(StagingError, match="No such file"):
        place.stage(Copy("/no/such/thing", 0, "directory", "/w"))


def test_names_that_are_no_text(place: Place) -> None:
    name = os.fsdecode(b"\xff\xfe")
    write(place.source / name / "a", "x")
    place.stage()
    write(place.copy / name / "b", "y")
    assert place.bring_back() == ""
    assert (place.source / name / "b").read_text() == "y"


def test_a_record_that_cannot_be_read_is_told(place: Place) -> None:
    place.stage()
    (place.bundle / mounts.RECORDS).write_text("{")
    assert "cannot be found" in place.bring_back()


def test_a_record_is_as_long_as_the_directory_and_no_longer(place: Place) -> None:
    place.stage()
    [taken] = json.loads((place.bundle / mounts.RECORDS).read_text())
    assert taken["record"] == record.take(str(place.copy))
    assert taken["record"].keys() == {""} | {str(p.relative_to(place.copy)) for p in place.copy.rglob("*")}


NAMES = [f"{directory}{name}" for directory in ("", "a/", "a/b/", "dev/", "dev/proc/", "new/") for name in "fg"]
changes = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), st.text("xyz", max_size=3)))


@settings(max_examples=60, deadline=None)
@given(base=changes, host=changes, program=changes)
def test_whatever_both_do_each_has_its_own_and_the_program_has_the_last_word(
    base: dict[str, str | None], host: dict[str, str | None], program: dict[str, str | None]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name))
        shutil.rmtree(place.source)
        place.source.mkdir()
        apply(place.source, base)
        place.stage()
        apply(place.copy, program)
        apply(place.source, host)
        # What a program writes anew it has changed, be it to the same; what it removes need not have been there.
        present = {path for path, text in base.items() if text is not None}
        said = {path: text for path, text in program.items() if text is not None or path in present}
        assert place.bring_back() == ""
        wanted = {path: text for path, text in (base | host | said).items() if text is not None}
        assert place.present() == wanted


def apply(top: Path, what: dict[str, str | None]) -> None:
    for name, text in what.items():
        (top / name).unlink(missing_ok=True)
        if text is not None:
            write(top / name, text)
