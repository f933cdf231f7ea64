"""What ``create`` refuses of a container's mounts before a job is asked for, and which of them several would share."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci.copies import Copy
from actors.staging import sources
from proto.errors import StagingError
from proto.host.paths import ContainerPaths
from scrun.box import directory
from scrun.create.neighbours import claim
from tests.unit.creations import creation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that counts as this host's alone, by the setting."""
    made = tmp_path / "place"
    made.mkdir()
    return made


def check(place: Path, source: Path, *options: str, limit: int = 1) -> list[Copy]:
    container = creation(settings__staging__binds=((str(place), "copy"),), settings__staging__volume_limit=limit)
    mount = {"destination": "/d", "type": "bind", "source": str(source), "options": ["rbind", *options]}
    return sources.check(container, {"mounts": [mount]})


def test_a_small_one_is_taken(place: Path) -> None:
    (place / "f").write_bytes(bytes(1000))
    assert check(place, place) == [Copy(str(place), 0, "directory", "/d", (), users=True, returns=True)]
    assert check(place, place / "f")[0].kind == "file"


def test_one_that_is_too_large_is_refused_unless_nothing_comes_back(place: Path) -> None:
    for name in ("f", "g"):
        (place / name).write_bytes(os.urandom(600_000))
    with pytest.raises(StagingError, match=rf"{place}, which is wanted as /d, .* more than 1 MiB"):
        check(place, place)
    assert check(place, place / "f")
    assert check(place, place, "ro")
    assert check(place, place, limit=0)
    assert check(place, place, limit=2)


def test_the_directory_that_the_copy_would_be_in(place: Path) -> None:
    container = creation(settings__staging__binds=(("/", "copy"),), settings__staging__directory=f"{place}/staging")
    mount = {"destination": "/d", "type": "bind", "source": str(place), "options": ["rbind"]}
    with pytest.raises(StagingError, match="the staging directory is in it"):
        sources.check(container, {"mounts": [mount]})


def test_holes_weigh_nothing(place: Path) -> None:
    with open(place / "f", "wb") as file:
        file.truncate(1 << 30)
    assert check(place, place)


def test_too_many_files(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FILES_LIMIT", 10)
    for number in range(10):
        (place / str(number)).touch()
    assert check(place, place)
    (place / "one more").touch()
    with pytest.raises(StagingError, match="more than 10 files"):
        check(place, place)


def test_a_socket_and_what_is_not_there(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / "s"))
        with pytest.raises(StagingError, match="/s, which is wanted as /d, is a socket of this host"):
            check(place, place / "s")
    with pytest.raises(StagingError, match="/gone, which is wanted as /d, is not there"):
        check(place, place / "gone")


class Crowd:
    """Containers below one root, each with its lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.locks: dict[str, int] = {}

    def claim(self, name: str, source: Path, *, returns: bool = True) -> None:
        paths = ContainerPaths(str(self.root), name)
        self.locks[name] = directory.reserve(paths)
        try:
            claim(paths, [Copy(str(source), 0, "directory", "/d", (), users=True, returns=returns)])
        except StagingError:
            self.end(name)
            directory.remove(paths)
            raise

    def end(self, name: str) -> None:
        os.close(self.locks.pop(name))

    def close(self) -> None:
        for name in list(self.locks):
            self.end(name)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    (tmp_path / "root").mkdir()
    made = Crowd(tmp_path / "root")
    yield made
    made.close()


def test_who_writes_is_alone(crowd: Crowd, place: Path) -> None:
    (place / "inner").mkdir()
    (place / "inner2").mkdir()
    crowd.claim("a", place / "inner")
    for others in (place, place / "inner"):
        for returns in (True, False):
            with pytest.raises(StagingError, match=f"/d, is on this host only, and container a has a copy of {place}"):
                crowd.claim("b", others, returns=returns)
    crowd.claim("b", place / "inner2")
    crowd.end("a")
    crowd.claim("c", place / "inner")


def test_readers_are_many(crowd: Crowd, place: Path) -> None:
    for name in "abc":
        crowd.claim(name, place, returns=False)
    with pytest.raises(StagingError, match=r"container [abc] has a copy"):
        crowd.claim("d", place)


def test_another_name_is_the_same_directory(crowd: Crowd, place: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(place)
    crowd.claim("a", place)
    with pytest.raises(StagingError, match="container a"):
        crowd.claim("b", tmp_path / "link")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": '])
def test_a_note_that_cannot_be_read_keeps_nobody(crowd: Crowd, place: Path, text: str) -> None:
    crowd.claim("a", place)
    (crowd.root / "a/sources").write_text(text)
    (crowd.root / "no container").mkdir()
    crowd.claim("b", place)


def test_facts_of_a_mount_that_names_no_path() -> None:
    mounts: list[dict[str, Any]] = [{"destination": "/a", "type": "bind", "source": "\0"}]
    assert sources.bind_facts(mounts)["\0"].kind == "missing"
