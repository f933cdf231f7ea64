"""Who is heard at the hub: a real ROUTER and real DEALERs, and an anchor that introduces them late."""

from __future__ import annotations

import itertools
import os
import socket
from typing import TYPE_CHECKING

import pytest
import zmq

from actors.process.peer import dealer
from actors.state import hub as hub_module
from actors.state.early_words import LONGEST, PROCESSES, SECONDS, WORDS, EarlyWords, Word
from actors.state.hub import Arrival, Hub, Reached
from proto.life import events as e
from proto.life import requests
from proto.wire.envelope import Envelope, new_id

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from proto.wire.registry import Message

PATIENCE = 5000
"""Milliseconds that a frame may take from here to here."""
US = os.getpid()
NOBODY = 1
"""A pid that no test has."""
MARK = "mark"


class Clock:
    """It stands, unless somebody moves it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Peers:
    """A hub, and connections of this process to it."""

    def __init__(self, directory: pathlib.Path, clock: Clock) -> None:
        self._context = zmq.Context()
        self._path = str(directory / "hub")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen()
        self._file = os.open(self._path, os.O_PATH | os.O_CLOEXEC)
        self._numbers = itertools.count(1)
        self._sockets: list[zmq.Socket[bytes]] = []
        self.hub = Hub(self._context, self._listener.fileno(), self._path, 1, clock)

    def connect(self) -> zmq.Socket[bytes]:
        """A connection as actors have them; it begins with an empty frame."""
        self._sockets.append(dealer(self._context, self._file))
        return self._sockets[-1]

    def say(self, sock: zmq.Socket[bytes], *messages: Message, source: str = "allocation") -> list[Message]:
        """Say all that, and return what the hub has heard when it has read it."""
        for message in messages:
            sock.send(Envelope("state", source, message, new_id()).pack())
        mark = requests.Inspect(f"{MARK} {next(self._numbers)}")
        sock.send(Envelope("state", "client", mark, new_id()).pack())
        heard: list[Message] = []
        while mark not in heard:
            assert self.hub.socket.poll(PATIENCE), "the hub has not got all frames"
            heard += words(self.hub.arrivals())
        return [message for message in heard if message != mark]

    def close(self) -> None:
        for sock in self._sockets:
            sock.close(linger=0)
        self.hub.socket.close(linger=0)
        self._context.term()
        self._listener.close()
        os.close(self._file)


def words(arrivals: Iterator[Arrival | Reached] | list[Arrival | Reached]) -> list[Message]:
    """The messages among them."""
    return [arrival.envelope.message for arrival in arrivals if isinstance(arrival, Arrival)]


def facts(number: int) -> list[Message]:
    return [e.JobQueued(7, str(n)) for n in range(number)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def peers(tmp_path: pathlib.Path, clock: Clock) -> Iterator[Peers]:
    peers = Peers(tmp_path, clock)
    try:
        yield peers
    finally:
        peers.close()


def test_who_has_been_introduced_is_heard_at_once(peers: Peers) -> None:
    assert not peers.hub.introduce("allocation", US)
    assert peers.say(peers.connect(), *facts(2)) == facts(2)


def test_what_came_too_early_is_heard_after_the_introduction_in_its_order_and_once(peers: Peers) -> None:
    assert peers.say(peers.connect(), *facts(3)) == []
    heard = peers.hub.introduce("allocation", US)
    assert heard[0] == Reached("allocation")
    assert words(heard) == facts(3)
    assert peers.hub.introduce("allocation", US) == []


def test_an_early_word_can_be_answered(peers: Peers) -> None:
    sock = peers.connect()
    peers.say(sock, *facts(1))
    [arrival] = [one for one in peers.hub.introduce("allocation", US) if isinstance(one, Arrival)]
    peers.hub.reply(arrival, requests.Heard())
    assert sock.poll(PATIENCE)


def test_each_connection_that_came_too_early_is_known_afterwards(peers: Peers) -> None:
    peers.say(peers.connect())
    peers.say(peers.connect())
    assert peers.hub.introduce("stdio", US) == [Reached("stdio")] * 2


def test_a_stranger_is_never_heard(peers: Peers) -> None:
    sock = peers.connect()
    assert peers.say(sock, *facts(2)) == []
    assert peers.hub.introduce("allocation", NOBODY) == []
    assert peers.say(sock, *facts(2)) == []


@pytest.mark.parametrize("claimed", ["allocation", "state", "anchor", ""])
def test_who_spoke_in_another_actor_s_name_is_not_heard(peers: Peers, claimed: str) -> None:
    sock = peers.connect()
    peers.say(sock, *facts(2), source=claimed)
    peers.say(sock, e.OutputDrained(0, 0, 0), source="stdio")
    assert words(peers.hub.introduce("stdio", US)) == [e.OutputDrained(0, 0, 0)]
    assert peers.hub.introduce("allocation", US) == []


def test_another_user_is_not_heard(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    sock = peers.connect()
    peers.say(sock)
    peer = hub_module._peer

    def lie(frame: zmq.Frame) -> tuple[int, int]:
        """What marks the end stays this user's, so that it is known when all was read."""
        uid, pid = peer(frame)
        return (uid + 4242 if b"queued" in frame.bytes else uid), pid

    with monkeypatch.context() as patch:
        patch.setattr(hub_module, "_peer", lie)
        assert peers.say(sock, *facts(2)) == []
    assert words(peers.hub.introduce("allocation", US)) == []


def test_garbage_is_not_kept(peers: Peers) -> None:
    sock = peers.connect()
    peers.say(sock)
    for _ in range(WORDS):
        sock.send(b"\xc1" * 50)
    peers.say(sock, *facts(2))
    assert words(peers.hub.introduce("allocation", US)) == facts(2)


def test_what_is_too_old_is_not_heard(peers: Peers, clock: Clock) -> None:
    sock = peers.connect()
    peers.say(sock, *facts(2))
    clock.now += SECONDS + 0.1
    assert peers.say(sock, e.JobGranted(7)) == []
    assert words(peers.hub.introduce("allocation", US)) == [e.JobGranted(7)]


def test_of_a_flood_the_first_words_are_kept(peers: Peers) -> None:
    peers.say(peers.connect(), *facts(5 * WORDS))
    assert words(peers.hub.introduce("allocation", US)) == facts(WORDS - 1)  # and the connection's empty frame


# --- the bounds by themselves -----------------------------------------------------


def word(pid: int, text: bytes = b"") -> Word:
    return Word(pid, b"route", text)


@pytest.fixture
def early(clock: Callable[[], float]) -> EarlyWords:
    return EarlyWords(clock)


def test_of_too_many_processes_the_first_ones_are_forgotten(early: EarlyWords) -> None:
    for pid in range(PROCESSES + 3):
        early.keep(word(pid))
    assert [pid for pid in range(PROCESSES + 3) if list(early.take(pid))] == list(range(3, PROCESSES + 3))


def test_words_that_are_too_long_are_not_kept(early: EarlyWords) -> None:
    early.keep(word(5, bytes(LONGEST + 1)))
    early.keep(word(5, bytes(LONGEST)))
    assert list(early.take(5)) == [word(5, bytes(LONGEST))]


def test_old_words_make_room(early: EarlyWords, clock: Clock) -> None:
    for _ in range(WORDS):
        early.keep(word(5, b"old"))
    clock.now += SECONDS + 0.1
    early.keep(word(5, b"new"))
    assert list(early.take(5)) == [word(5, b"new")]


def test_what_was_taken_is_gone(early: EarlyWords) -> None:
    early.keep(word(5))
    assert list(early.take(5))
    assert not list(early.take(5))
