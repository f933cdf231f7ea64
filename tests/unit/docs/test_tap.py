"""docs/tap.md, the contract with listeners, against the code that speaks and the one that listens."""

from __future__ import annotations

import ast
import contextlib
import pathlib
import re
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
import zmq

from actors.anchor.descriptors import listen
from actors.state.snapshot import greeting, snapshot
from actors.state.tap import HIDDEN, Tap
from proto import TAP_VERSION
from proto.life import events, talk
from proto.life.container import Container
from proto.life.ending import Ending
from proto.life.journal import Record
from proto.wire import registry
from proto.wire.codec import to_plain
from scrun.tap import hearing, lines
from tests.unit.creations import creation
from tests.unit.docs import markdown, sources, speakers

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "docs/tap.md"
HEADER = markdown.table(DOCUMENT, "Messages", "field")
TOPICS = markdown.table(DOCUMENT, "Messages", "topic")
HELLO = markdown.table(DOCUMENT, "The hello", "field")
GAPS = markdown.table(DOCUMENT, "What a gap means", "`why`")
ENDING = Ending("exited", 7)
CHILD = talk.ChildChanged("state", 7, 1, 0, "running")
MAPS = dict.fromkeys(("map", "map of int", "map of float"), dict)
TYPES = {"int": int, "float": float, "str": str, "list of map": list} | MAPS


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The first message of a container, as the state actor would send it."""
    container = Container(creation=creation(), ending=ENDING)
    path = str(tmp_path_factory.mktemp("tap") / "tap")
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        with open(listen(path), "rb") as listener:
            records = [Record(when, events.JobRequested("x")) for when in (5.0, 6.0)]
            tap = Tap(context, listener.fileno(), path, "x", 1, lambda: greeting(container, 7, [CHILD], records))
            stack.callback(tap.close)
        sock = stack.enter_context(context.socket(zmq.SUB))
        sock.subscribe("")
        sock.connect(f"ipc://{path}")
        while not sock.poll(20):
            tap.subscriptions()
        topic, body = sock.recv_multipart()
        assert topic == b"hello"
        yield msgpack.unpackb(body)


def fields(table: markdown.Table) -> dict[str, type]:
    return {row[0].strip("`"): TYPES[row[1]] for row in table.rows}


def test_the_version() -> None:
    assert f"**Version of the tap: {TAP_VERSION}.**" in markdown.text(DOCUMENT)
    assert HEADER.rows[0] == ("`tap`", "int", f"version of this contract: {TAP_VERSION}")


def test_a_message_has_the_fields_of_the_header(hello: dict[str, Any]) -> None:
    assert {key: type(value) for key, value in hello.items()} == fields(HEADER)


def test_every_layer_has_a_row() -> None:
    topics = [cell.strip("`").split(".") for cell in TOPICS.column("topic")]
    assert sorted(topic[0] for topic in topics) == sorted(speakers.layers())
    request = next(row for row in TOPICS.rows if row[0].startswith("`request"))
    assert set(markdown.spans(request[1])) == {"start", "kill", "delete"}


def test_a_hello_has_the_fields_of_its_table(hello: dict[str, Any]) -> None:
    data = hello["data"]
    assert {key: type(value) for key, value in data.items()} == fields(HELLO)
    cells = {row[0].strip("`"): row[2] for row in HELLO.rows}
    words = re.sub(r"`scrun state`", "", cells["state"])
    assert markdown.spans(words) == [*data["state"], *to_plain(ENDING)]  # type: ignore[misc]
    assert data["moments"] == {"job-requested": 5.0}
    assert markdown.spans(cells["processes"]) == list(data["processes"][0]) == list(talk.ChildChanged.__fields__)


def test_a_snapshot_has_no_annotation_of_the_user() -> None:
    made = creation(annotations={"token": "secret", "scrun.partition": "debug"})
    told = snapshot(Container(creation=made, job="queued", job_id=5), 7)
    assert told["annotations"] == {"scrun.job-id": "5", "scrun.job-state": "PENDING"}
    assert "secret" not in str(told)


def test_what_the_tap_hides() -> None:
    sentence = re.search(r"Secrets stay home: (.*?) are shown as `<SIZE>`", markdown.flat(DOCUMENT))
    assert sentence is not None
    names = {name for cls in registry.words().values() for name in cls.__fields__}
    assert set(markdown.spans(sentence[1])) == HIDDEN & names


def test_every_gap_has_a_row_and_a_sentence() -> None:
    files = [pathlib.Path(hearing.__file__), markdown.CHECKOUT / "scrun/commands/tap.py"]
    calls = [node for path in files for node in sources.nodes(path) if isinstance(node, ast.Call)]
    made = {ast.literal_eval(call.args[0]) for call in calls if sources.called(call) == "Gap"}
    assert [row[0].strip("`") for row in GAPS.rows] == list(lines.SENTENCES)
    assert made == set(lines.SENTENCES)
    assert "gap" not in speakers.layers()
