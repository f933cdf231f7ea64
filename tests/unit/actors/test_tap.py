"""The tap and its listeners on real sockets: who comes late, who does not read, and nobody at all."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
import zmq

from actors.anchor.descriptors import listen
from actors.state.tap import QUEUE, Tap
from proto.life import events as e
from proto.life import intents

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

STATE = {"state": {"phase": "queued"}, "processes": []}
Sock = zmq.Socket[bytes]


class Bench:
    """A tap, and listeners that come to it."""

    def __init__(self, stack: contextlib.ExitStack, path: str, wait_until: WaitUntil) -> None:
        self.path = path
        self.wait_until = wait_until
        self.made = 0
        self.context = stack.enter_context(zmq.Context())
        self.stack = stack
        self.listener = listen(path)
        stack.callback(os.close, self.listener)
        self.tap = self.born(1)

    def born(self, incarnation: int) -> Tap:
        tap = Tap(self.context, self.listener, self.path, "x", incarnation, lambda: dict(STATE))
        self.stack.callback(tap.close)
        return tap

    def subscriber(self, *topics: str, queue: int = 1000) -> Sock:
        sock = self.stack.enter_context(self.context.socket(zmq.SUB))
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.RCVHWM, queue)
        for topic in topics:
            sock.subscribe(topic)
        sock.connect(f"ipc://{self.path}")
        return sock

    def comes(self, *topics: str) -> tuple[Sock, dict[str, Any]]:
        """A listener that has been greeted, and the greeting."""
        sock = self.subscriber(*topics)
        return sock, self.greeting(sock)

    def greeting(self, sock: Sock) -> dict[str, Any]:
        self.wait_until(lambda: (self.tap.subscriptions(), sock.poll(10))[1])
        topic, body = hear(sock)
        assert topic == "hello"
        return body

    def quiet(self) -> bool:
        """Whether nobody listens, as far as the tap knows."""
        before = self.made
        self.tap.subscriptions()
        self.tap.publish_data("note", ("a", "b"), self.make)
        return self.made == before

    def make(self) -> dict[str, object]:
        self.made += 1
        return {}


@pytest.fixture
def bench(tmp_path: pathlib.Path, wait_until: WaitUntil) -> Iterator[Bench]:
    with contextlib.ExitStack() as stack:
        yield Bench(stack, str(tmp_path / "tap"), wait_until)


def hear(sock: Sock) -> tuple[str, dict[str, Any]]:
    assert sock.poll(5000)
    topic, body = sock.recv_multipart()
    return topic.decode(), msgpack.unpackb(body)


def test_who_comes_late_is_told_what_there_is_and_where_it_begins(bench: Bench) -> None:
    for number in range(3):
        bench.tap.publish("fact", "allocation", e.JobQueued(number))
    sock, body = bench.comes("fact.", "hello")
    assert {key: body[key] for key in ("tap", "container", "incarnation", "number")} == {
        "tap": 1, "container": "x", "incarnation": 1, "number": 1,
    }  # fmt: skip
    assert body["data"]["numbers"] == {"fact": 3, "hello": 1}
    assert body["data"]["state"] == STATE["state"]
    bench.tap.publish("intent", "allocation", intents.WatchJob(7))
    bench.tap.publish("fact", "allocation", e.JobQueued(7))
    topic, body = hear(sock)
    assert (topic, body["number"], body["data"]["job_id"]) == ("fact.allocation.job-queued", 4, 7)


def test_the_second_newcomer_s_hello_reaches_the_first_one_and_tells_him_nothing_new(bench: Bench) -> None:
    first, before = bench.comes("")
    bench.comes("")
    topic, body = hear(first)
    assert topic == "hello"
    assert body["data"]["numbers"] | {"hello": 1} == before["data"]["numbers"]


def test_a_new_incarnation_greets_whoever_was_there(bench: Bench) -> None:
    sock, _ = bench.comes("")
    bench.tap.publish("fact", "allocation", e.JobQueued(1))
    assert hear(sock)[1]["number"] == 1
    bench.tap.close()
    bench.tap = bench.born(2)
    body = bench.greeting(sock)
    assert (body["incarnation"], body["number"], body["data"]["numbers"]) == (2, 1, {"hello": 1})


def test_while_nobody_listens_nothing_is_made_and_everything_counted(bench: Bench) -> None:
    assert bench.quiet()
    sock, body = bench.comes("")
    assert body["data"]["numbers"]["note"] == 1
    assert not bench.quiet()
    sock.close()
    bench.wait_until(bench.quiet)
    assert bench.made


def test_one_of_two_listeners_goes_and_the_other_still_hears(bench: Bench) -> None:
    stays, _ = bench.comes("")
    goes, _ = bench.comes("")
    hear(stays)
    goes.close()
    for number in range(1, 20):
        assert not bench.quiet()
        assert hear(stays)[1]["number"] == number


def test_secrets_are_sizes(bench: Bench) -> None:
    sock, _ = bench.comes("")
    bench.tap.publish("intent", "allocation", intents.LaunchStep(1, "/b", (b"secret", b"words")))
    assert hear(sock)[1]["data"]["argv"] == "<2>"


def test_who_does_not_read_holds_up_nobody_and_sees_the_gap(bench: Bench) -> None:
    quick, _ = bench.comes("")
    stalled, _ = bench.comes("note.", "hello")
    hear(quick)
    # More than the queues of both sides and the kernel's buffers hold.
    count = 20 * QUEUE
    for number in range(1, count + 1):
        bench.tap.publish_data("note", ("stdio", "moved"), lambda: {"padding": "x" * 200})
        assert hear(quick)[1]["number"] == number
    heard = []
    while stalled.poll(100):
        heard.append(hear(stalled)[1]["number"])
    assert heard == list(range(1, len(heard) + 1))
    assert QUEUE <= len(heard) < count
    bench.tap.publish_data("note", ("stdio", "moved"), dict)
    assert hear(stalled)[1]["number"] == count + 1
