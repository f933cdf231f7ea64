"""The book: what cannot be written has not been heard, and a disk that is gone for good is not waited for."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.process.logbook import Logbook
from actors.state.recorder import Recorder
from proto.errors import StorageError
from proto.life import events as e
from proto.life import journal as journals
from proto.life.container import Container
from proto.life.journal import ROOM, Journal
from proto.life.talk import Begin
from proto.value import replace
from proto.wire.registry import Message
from tests.unit.creations import creation

ASKED, FAILED, OVER = e.JobRequested("c"), e.StagingFailed("it is full"), e.JobReleased()
TERM, KILL = e.SignalRequested(1, 15, "r"), e.SignalRequested(1, 9, "r")


class Disk:
    """Whether the journal's disk takes anything; ``errno`` of the error with which it does not."""

    def __init__(self) -> None:
        self.error = 0
        self.full = False
        self.reserved: list[int] = []

    def open(self, path: str) -> Journal:
        disk = self

        class Checked(Journal):
            def append(self, event: Message) -> journals.Record:
                if disk.error:
                    raise OSError(disk.error, os.strerror(disk.error))
                return super().append(event)

            def reserve(self, size: int = ROOM) -> None:
                if disk.full:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                disk.reserved.append(size)

        return Checked(path)


class Desk:
    """A book on a disk that may fail, with what the log says of it."""

    def __init__(self, path: Path) -> None:
        self.disk = Disk()
        self.creation = creation(root=str(path))
        self.directory = path / self.creation.id
        self.directory.mkdir()
        self.path = self.directory / "journal"
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self.log = Logbook(self.creation, "state")
        self._books: list[Recorder] = []
        self.recorder = self.open()

    def open(self) -> Recorder:
        begin = Begin("state", 1, self.creation, os.getpid(), {"journal": self.descriptor})
        self._books.append(Recorder(begin, self.log, self.disk.open))
        return self._books[-1]

    def written(self) -> list[Message]:
        return [record.event for record in journals.read(str(self.path))]

    def complaints(self) -> int:
        return (self.directory / "log").read_text().count("cannot be written")

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self.log._fd)
        for book in self._books:
            book._journal.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def remembered(book: Recorder) -> list[Message]:
    return [record.event for record in book.records]


def test_what_is_noted_is_in_the_journal_and_its_successor_reads_it(desk: Desk) -> None:
    desk.recorder.note(ASKED)
    desk.recorder.note(FAILED)
    assert desk.written() == remembered(desk.recorder) == remembered(desk.open()) == [ASKED, FAILED]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_what_cannot_be_written_has_not_been_heard_and_may_be_told_again(desk: Desk, error: int) -> None:
    desk.recorder.note(ASKED)
    desk.disk.error = error
    for _ in range(3):
        with pytest.raises(StorageError, match="cannot be written"):
            desk.recorder.note(FAILED)
    assert desk.written() == remembered(desk.recorder) == [ASKED]
    desk.disk.error = 0
    desk.recorder.note(FAILED)
    assert desk.written() == remembered(desk.recorder) == [ASKED, FAILED]


def test_each_time_of_trouble_is_logged_once(desk: Desk) -> None:
    for number in (1, 2):
        desk.disk.error = errno.ENOSPC
        for _ in range(3):
            with pytest.raises(StorageError):
                desk.recorder.note(ASKED)
        assert desk.complaints() == number
        desk.disk.error = 0
        desk.recorder.note(ASKED)


@pytest.mark.parametrize("error", [errno.EROFS, errno.EIO, errno.ESTALE])
def test_a_disk_that_is_gone_for_good_is_not_waited_for_and_not_trusted_again(desk: Desk, error: int) -> None:
    desk.recorder.note(ASKED)
    desk.disk.error = error
    desk.recorder.note(FAILED)
    desk.disk.error = 0
    desk.recorder.note(OVER)
    assert remembered(desk.recorder) == [ASKED, FAILED, OVER]
    assert desk.written() == [ASKED]
    assert desk.complaints() == 1


def test_a_signal_must_find_room_of_its_own_but_sigkill_may_use_what_is_kept(desk: Desk) -> None:
    desk.disk.full = True
    with pytest.raises(StorageError):
        desk.recorder.note(TERM)
    desk.recorder.note(KILL)
    desk.recorder.note(FAILED)
    desk.disk.full = False
    desk.recorder.note(TERM)
    assert desk.written() == [KILL, FAILED, TERM]
    assert desk.disk.reserved == [ROOM]


def test_what_changes_no_life_must_find_room_of_its_own_and_uses_nothing_of_what_is_kept(desk: Desk) -> None:
    event = e.Intervened("kill", "stdio", 7, 8, "r")
    desk.disk.full = True
    with pytest.raises(StorageError):
        desk.recorder.note(event)
    assert desk.written() == []
    desk.disk.full = False
    desk.recorder.note(event)
    assert desk.written() == [event]
    assert desk.disk.reserved == [ROOM + os.path.getsize(desk.path)]


def test_state_json_is_written_when_there_is_something_new(desk: Desk) -> None:
    container = Container(creation=desk.creation)
    state = desk.directory / "state.json"
    assert desk.recorder.show(container)
    state.unlink()
    assert desk.recorder.show(container)
    assert not state.exists()
    assert desk.recorder.show(replace(container, answered=True))
    assert '"status": "created"' in state.read_text()


def test_a_state_json_that_cannot_be_written_is_written_later(desk: Desk) -> None:
    container = Container(creation=desk.creation)
    (desk.directory / "state.json.next").mkdir()
    assert not desk.recorder.show(container)
    assert not desk.recorder.show(container)
    assert desk.complaints() == 1
    (desk.directory / "state.json.next").rmdir()
    assert desk.recorder.show(container)
    assert '"status": "creating"' in (desk.directory / "state.json").read_text()
