"""A container's directory and its lock."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

import pytest

from proto.errors import AlreadyExistsError, DeadlineError
from proto.host.paths import ContainerPaths
from scrun.box import directory

if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def paths(tmp_path: pathlib.Path) -> ContainerPaths:
    return ContainerPaths(str(tmp_path), "x")


def test_reserved_once(paths: ContainerPaths) -> None:
    lock = directory.reserve(paths)
    assert os.get_inheritable(lock)
    assert os.stat(paths.directory).st_mode & 0o777 == 0o700
    with pytest.raises(AlreadyExistsError, match="container with given ID already exists"):
        directory.reserve(paths)
    os.close(lock)


def test_one_that_is_swept_away_at_once_is_made_again(paths: ContainerPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose clock is ahead takes it for an old one, in the moment between its making and its locking."""
    locks: list[int] = []
    mkdir = os.mkdir

    def make(path: str, mode: int) -> None:
        mkdir(path, mode)
        if not locks:
            lock = directory.try_lock(paths)
            assert lock is not None
            locks.append(lock)

    def sweep(_seconds: float) -> None:
        directory.remove(paths)
        os.close(locks[0])

    monkeypatch.setattr(os, "mkdir", make)
    monkeypatch.setattr(time, "sleep", sweep)
    os.close(directory.reserve(paths))
    assert os.listdir(paths.directory) == ["lock"]


def test_a_half_made_one_is_taken_over(paths: ContainerPaths) -> None:
    os.close(directory.reserve(paths))
    os.makedirs(f"{paths.spool}/deep")
    lock = directory.reserve(paths)
    assert os.listdir(paths.directory) == ["lock"]
    os.close(lock)


def test_a_stopped_one_is_not(paths: ContainerPaths) -> None:
    os.close(directory.reserve(paths))
    open(paths.state, "w", encoding="utf-8").close()
    with pytest.raises(AlreadyExistsError):
        directory.reserve(paths)


def test_the_lock_of_a_directory_that_is_gone_is_worth_nothing(
    paths: ContainerPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(directory.reserve(paths))

    def flock(_descriptor: int, _operation: int) -> None:
        directory.remove(paths)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert directory.try_lock(paths) is None


def test_waiting(paths: ContainerPaths) -> None:
    lock = directory.reserve(paths)
    with pytest.raises(DeadlineError):
        directory.wait_for_lock(paths, time.monotonic())
    directory.remove(paths)
    assert directory.wait_for_lock(paths, time.monotonic() + 1) is None
    os.close(lock)


def test_waiting_ends_with_the_last_process(paths: ContainerPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = directory.reserve(paths)
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            os.close(lock)

    monkeypatch.setattr(time, "sleep", sleep)
    taken = directory.wait_for_lock(paths, time.monotonic() + 10)
    assert len(slept) == 3
    assert taken is not None
    os.close(taken)


def test_removal_follows_no_links(paths: ContainerPaths, tmp_path: pathlib.Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    os.close(directory.reserve(paths))
    os.symlink(tmp_path / "outside", f"{paths.directory}/link")
    os.mkfifo(f"{paths.directory}/fifo")
    directory.remove(paths)
    assert os.listdir(tmp_path) == ["outside"]
    assert (tmp_path / "outside/file").exists()
    directory.remove(paths)  # of nothing


def test_a_sweep_finishes_what_was_begun(tmp_path: pathlib.Path) -> None:
    (tmp_path / "~x.1/spool").mkdir(parents=True)
    (tmp_path / "x").mkdir()
    directory.sweep(str(tmp_path))
    assert os.listdir(tmp_path) == ["x"]


def test_a_sweep_takes_what_a_killed_create_left(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("half", "locked", "living", "with-journal", ".local-runtime", "no id"):
        (tmp_path / name).mkdir()
    (tmp_path / "living/state.json").touch()
    (tmp_path / "with-journal/journal").touch()
    os.symlink(tmp_path / "half", tmp_path / "link")
    (tmp_path / "file").touch()
    lock = directory.try_lock(ContainerPaths(str(tmp_path), "locked"))
    assert lock is not None
    directory.sweep(str(tmp_path))
    assert (tmp_path / "half").exists(), "it may be a create at work"
    # Nobody can set the time at which a directory was changed.
    monkeypatch.setattr(directory, "YOUNG", 0.0)
    directory.sweep(str(tmp_path))
    os.close(lock)
    left = {"locked", "living", "with-journal", ".local-runtime", "no id", "link", "file"}
    assert set(os.listdir(tmp_path)) == left


def test_a_sweep_of_somebody_else_s_does_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "~x.1").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    directory.sweep(str(tmp_path))
    assert os.listdir(tmp_path) == ["~x.1"]
