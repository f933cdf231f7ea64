"""docs/protocol.md: every message with its fields, their types and defaults, who says it and who listens."""

from __future__ import annotations

import re
import typing

import msgpack
import pytest

from actors.process import supervision
from actors.state import hub, inspection
from proto import PROTOCOL_VERSION, errors
from proto.host.paths import ContainerPaths
from proto.life import lifecycle, requests
from proto.value import Value, has_default, replace
from proto.wire import registry
from proto.wire.codec import to_plain
from proto.wire.envelope import Envelope, unpack
from tests.unit.docs import markdown, speakers

DOCUMENT = "docs/protocol.md"
ENVELOPE = markdown.table(DOCUMENT, "Envelope", "#")
REQUESTS = markdown.table(DOCUMENT, "Requests", "type")
REPLIES = markdown.table(DOCUMENT, "Requests", "reply")
CODES = markdown.table(DOCUMENT, "Requests", "code")
INTENTS = markdown.table(DOCUMENT, "Intents and facts", "intent")
FACTS = markdown.table(DOCUMENT, "Intents and facts", "fact")
REPORTS = markdown.table(DOCUMENT, "Intents and facts", "report")
TALK = markdown.table(DOCUMENT, "The anchor's socketpair", "word")

WORDS = {
    row[0].strip("`"): dict(zip(table.header, row, strict=True))
    for table in (REQUESTS, REPLIES, INTENTS, FACTS, REPORTS, TALK)
    for row in table.rows
}
EVERY_ACTOR = frozenset(speakers.ACTORS)
PEERS = EVERY_ACTOR - {"state"}
NAMES = {"actor": EVERY_ACTOR}


def type_word(hint: object) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return "word"
    if origin is tuple:
        assert arguments[1:] == (...,)
        return f"list of {type_word(arguments[0])}"
    if origin is dict:
        return f"map of {type_word(arguments[1])}"
    assert isinstance(hint, type)
    return {"bytes": "bin"}.get(hint.__name__, hint.__name__.lower())


def default(value: object) -> str:
    if isinstance(value, Value):
        return "empty" if value == type(value)() else str(value)
    return str(value).lower() if isinstance(value, bool) else "empty" if value in ("", {}) else str(value)


def body(cls: type[Value]) -> str:
    """The cell of the document for a class, up to the colon after which it may explain."""
    hints = typing.get_type_hints(cls)
    fields = (
        f"`{name}` {type_word(hints[name])}" + (f" ({default(getattr(cls, name))})" if has_default(cls, name) else "")
        for name in cls.__fields__
    )
    return ", ".join(fields) or markdown.NOTHING


def named(cell: str) -> frozenset[str]:
    """The processes of a cell: names with commas; "actor" is all actors."""
    return frozenset().union(*(NAMES.get(name, frozenset({name})) for name in cell.split(", ")))


def test_the_tables_have_every_message_and_no_other() -> None:
    assert sorted(WORDS) == sorted(registry.words())
    assert sum(len(table.rows) for table in (REQUESTS, REPLIES, INTENTS, FACTS, REPORTS, TALK)) == len(WORDS)


@pytest.mark.parametrize("word", registry.words())
def test_a_row_has_the_fields_of_its_message(word: str) -> None:
    assert WORDS[word]["body"].partition(":")[0] == body(registry.class_of(word))


def test_the_facts_are_those_of_the_life_cycle() -> None:
    assert markdown.spans(" ".join(FACTS.column("fact"))) == [registry.word_of(fact) for fact in lifecycle.RULES]


@pytest.mark.parametrize("word", [row[0].strip("`") for row in (*FACTS.rows, *REPORTS.rows)])
def test_who_tells_a_fact(word: str) -> None:
    assert named(WORDS[word]["from"]) == speakers.makers(registry.class_of(word).__name__)


@pytest.mark.parametrize("word", [row[0].strip("`") for row in INTENTS.rows])
def test_whom_an_intent_is_for(word: str) -> None:
    takers = speakers.takers(registry.class_of(word).__name__)
    assert frozenset({WORDS[word]["to"]}) == takers
    assert speakers.makers(registry.class_of(word).__name__) == {"state"}
    assert set(re.findall(r"[\w-]+", " ".join(markdown.spans(WORDS[word]["answered by"])))) <= set(registry.words())


@pytest.mark.parametrize("word", [row[0].strip("`") for row in TALK.rows])
def test_which_way_the_anchors_talk_goes(word: str) -> None:
    name = registry.class_of(word).__name__
    makers, takers = speakers.makers(name), speakers.takers(name)
    source, target = (named(cell) for cell in WORDS[word]["direction"].split(" → "))
    if "anchor" in takers and makers - {"anchor"}:
        assert source == makers - {"anchor"}
        assert target == {"anchor"}
    else:
        assert source == makers == {"anchor"}
        # What the shell of all actors, or of all peers, takes may be said to one of them only.
        assert target == takers - {"anchor"} or (target < takers and takers in {EVERY_ACTOR, PEERS})


def test_the_requests_are_what_the_state_actor_takes_and_no_actor_says() -> None:
    names = {word: cls.__name__ for word, cls in registry.words().items()}
    asked = [word for word, name in names.items() if "state" in speakers.takers(name) and not speakers.makers(name)]
    assert sorted(asked) == sorted(markdown.spans(" ".join(REQUESTS.column("type"))))
    for row in REQUESTS.rows:
        assert set(re.findall(r"`([a-z]+)`", row[2])) <= {"done", "failed", "table"}


def test_the_tables_of_the_console_are_named() -> None:
    assert markdown.spans(WORDS["inspect"]["body"].partition(":")[2]) == list(inspection.TABLES)


def test_every_error_has_a_row() -> None:
    rows = [(row[0].strip("`"), row[2] == "yes") for row in CODES.rows]
    assert sorted(rows) == sorted((code, cls.transient) for code, cls in errors.BY_CODE.items())
    assert set(CODES.column("trying again may help")) == {"", "yes"}


def test_the_envelope() -> None:
    envelope = Envelope("state", "client", requests.Kill(9), "00112233445566ff", "a cause", 17, 23)
    frame = msgpack.unpackb(envelope.pack())
    known = {
        "version": PROTOCOL_VERSION,
        "type": registry.word_of(requests.Kill),
        "body": to_plain(envelope.message),
        **{name: getattr(envelope, name) for name in Envelope.__fields__ if name != "message"},
    }
    assert ENVELOPE.column("#") == [str(at) for at in range(len(frame))]
    assert [known[name] for name in ENVELOPE.column("field")] == frame
    assert sorted(ENVELOPE.column("field")) == sorted(known)
    kinds: dict[str, type] = {"int": int, "str": str, "str or nil": str, "map": dict}
    types = [kinds[word] for word in ENVELOPE.column("type")]
    assert [type(value) for value in frame] == types
    assert [row[1] for row in ENVELOPE.rows if row[2] == "str or nil"] == ["cause"]
    assert unpack(replace(envelope, cause=None).pack()).cause is None
    assert ENVELOPE.rows[0][3] == str(PROTOCOL_VERSION)
    assert f"**Protocol version: {PROTOCOL_VERSION}.**" in markdown.text(DOCUMENT)


def test_who_may_be_in_an_envelope() -> None:
    destination = next(row[3] for row in ENVELOPE.rows if row[1] == "destination")
    assert set(markdown.spans(destination)) == {*(child.name for child in supervision.TABLE), *hub.CLIENTS}


def test_the_sockets_are_files_of_the_container() -> None:
    sockets = markdown.spans(" ".join(markdown.table(DOCUMENT, "Sockets", "socket").column("socket")))
    assert sockets == ["hub", "tap"]
    paths = ContainerPaths("/root", "x")
    assert [f"{paths.directory}/{name}" for name in sockets] == [paths.hub, paths.tap]


def test_the_life_of_a_container_has_every_intent() -> None:
    """docs/architecture.md: what is wanted of whom, and facts that answer it."""
    life = markdown.table("docs/architecture.md", "The life of a container", "state")
    intents = {word: row["to"] for word, row in WORDS.items() if "answered by" in row}
    asked = re.compile(rf"({'|'.join(speakers.ACTORS)}): `([\w-]+)`")
    wanted: dict[str, str] = {}
    for _, cell, facts in life.rows:
        here = {word: to for to, word in asked.findall(cell)}
        answers = {fact for word in here for fact in markdown.spans(WORDS[word]["answered by"])}
        assert set(markdown.spans(facts)) <= answers
        assert bool(here) == (facts != markdown.NOTHING)
        wanted |= here
    assert wanted == intents
    own = {word for cell in life.column("what is wanted") for word in re.findall(r"`([\w-]+)` in the journal", cell)}
    assert own == {word for word in own if speakers.makers(registry.class_of(word).__name__) & {"state"}}
