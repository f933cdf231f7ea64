"""The journal: every prefix of it can be read, and what cannot be read is its end."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import ProtocolError
from proto.life import events as e
from proto.life.journal import ROOM, Journal, pack, read, scan
from proto.wire.registry import Message

from .strategies import events, wild


@given(wild, st.data())
def test_every_prefix_is_readable(history: list[Message], data: st.DataObject) -> None:
    packed = [pack(event, 1.0) for event in history]
    whole = b"".join(packed)
    cut = data.draw(st.integers(0, len(whole)))
    found = [record.event for _, record in scan(whole[:cut])]
    assert found == history[: len(found)]
    assert sum(len(p) for p in packed[: len(found) + 1]) >= cut or len(found) == len(history)


@given(events, events, st.data())
def test_a_damaged_record_ends_the_journal(first: Message, second: Message, data: st.DataObject) -> None:
    head, tail = pack(first, 1.0), bytearray(pack(second, 2.0))
    position = data.draw(st.integers(8, len(tail) - 1))
    tail[position] ^= 0xFF
    assert [record.event for _, record in scan(head + bytes(tail))] == [first]


@given(st.binary(max_size=200))
def test_garbage_never_raises_anything_but_protocol_errors(garbage: bytes) -> None:
    try:
        list(scan(garbage))
    except ProtocolError:
        pass


@given(wild)
def test_a_writer_goes_on_after_a_cut_tail(history: list[Message]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "journal")
        journal = Journal(path)
        for event in history:
            journal.append(event)
        journal.close()
        with open(path, "ab") as file:
            file.write(pack(history[0], 3.0)[:-1])
        journal = Journal(path)
        journal.append(history[-1])
        journal.close()
        assert [record.event for record in read(path)] == [*history, history[-1]]


@pytest.fixture
def size_limit() -> Iterator[Callable[[int], None]]:
    """Sets the size beyond which this process cannot make a file longer: a write is cut, the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_written_whole_is_not_written(tmp_path: Path, size_limit: Callable[[int], None]) -> None:
    path = str(tmp_path / "journal")
    journal = Journal(path)
    journal.append(e.JobRequested("a"))
    whole = (tmp_path / "journal").read_bytes()
    size_limit(len(whole) + 5)
    with pytest.raises(OSError):
        journal.append(e.JobRequested("b"))
    assert (tmp_path / "journal").read_bytes() == whole
    size_limit(1 << 20)
    journal.append(e.JobRequested("c"))
    journal.close()
    expected = [e.JobRequested("a"), e.JobRequested("c")]
    assert [record.event for record in read(path)] == [record.event for record in journal.records] == expected


def test_reserved_room_is_no_part_of_the_journal_and_stays_for_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(str(path))
    journal.append(e.JobRequested("a"))
    size = path.stat().st_size
    journal.reserve()
    journal.close()
    assert path.stat().st_size == size
    if path.stat().st_blocks * 512 < ROOM:
        pytest.skip("this file system reserves nothing")
    Journal(str(path)).close()
    assert path.stat().st_blocks * 512 >= ROOM


def test_an_event_of_another_version_is_an_error_and_not_the_end() -> None:
    import struct
    from zlib import crc32

    import msgpack

    payload = msgpack.packb([1.0, "from-the-future", {}])
    with pytest.raises(ProtocolError, match="from-the-future"):
        list(scan(struct.pack("<II", len(payload), crc32(payload)) + payload))
