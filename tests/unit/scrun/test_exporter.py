"""What messages of the tap change in the exporter's numbers, and what another user may do to root's exporter."""

from __future__ import annotations

import contextlib
import os
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrun.box.all_users import Folder
from scrun.exporter.life import Life
from scrun.exporter.metrics import BY_NAME, METRICS, OTHER, PHASES
from scrun.exporter.registry import Numbers
from scrun.tap.crowd import NONSENSE
from scrun.tap.hearing import LAYERS, Hearing

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from scrun.exporter.metrics import Change

ME = os.getuid()
START = 100.0
TREES = {"found": 2, "imported": 1, "size": 900}
Message = tuple[str, dict[str, Any]]


def state(phase: str, created: float = 101.0, kind: str = "") -> dict[str, Any]:
    return {"phase": phase, "created": created, "ending": {"kind": kind} if kind else None}


def hello(phase: str = "requested", created: float = 101.0, moments: Any = None, **restarts: int) -> Message:
    processes = [{"actor": actor, "restarts": count} for actor, count in restarts.items()]
    data = {"state": state(phase, created), "processes": processes}
    return "hello", {"time": created, "data": data if moments is None else data | {"moments": moments}}


def said(phase: str, created: float = 101.0, kind: str = "") -> Message:
    return "state", {"time": 0.0, "data": state(phase, created, kind)}


def fact(word: str, at: float = 0.0, **data: Any) -> Message:
    return f"fact.somebody.{word}", {"time": at, "data": data}


def total(life: Life, *messages: Message) -> dict[str, float]:
    """Metric, or metric and word, to what all messages have added to it."""
    found: Counter[str] = Counter()
    for topic, body in messages:
        for change in life.hear(topic, body):
            assert change.metric in BY_NAME
            assert bool(change.word) == bool(BY_NAME[change.metric].label)
            found[" ".join(filter(None, (change.metric, change.word)))] += change.amount  # type: ignore[assignment]
    return {key: value for key, value in found.items() if value}


@pytest.fixture
def life() -> Life:
    return Life(START)


def test_a_whole_life(life: Life) -> None:
    messages = [
        hello(), fact("job-granted", 104.0), said("staging in"), fact("staged-in", 106.5, trees=TREES), said("created"),
        fact("launch-requested", 110.0), fact("step-started", 110.5), said("running"),
        ("note.client.exec-started", {"data": {"pid": "7"}}),
        ("note.stdio.moved", {"data": {"stdout": "5", "stdin": "1"}}),
        ("note.allocation.command-ended", {"data": {"name": "watch-3", "status": "0"}}),
        ("note.allocation.command-ended", {"data": {"name": "prayer", "status": "0"}}),
        fact("output-drained", stdin=1, stdout=7, stderr=0),
        said("stopped", kind="exited"), said("stopped", kind="exited"),
    ]  # fmt: skip
    assert total(life, *messages) == {
        "scrun_containers_seen_total": 1,
        "scrun_queue_seconds": 3,
        "scrun_staging_seconds": 2.5,
        "scrun_launch_seconds": 0.5,
        "scrun_stagings_total ready": 1,
        "scrun_image_trees_total found": 2,
        "scrun_image_trees_total imported": 1,
        "scrun_image_imported_bytes_total": 900,
        "scrun_execs_total": 1,
        "scrun_slurm_commands_total watch": 1,
        "scrun_slurm_commands_total other": 1,
        "scrun_stdio_bytes_total stdin": 1,
        "scrun_stdio_bytes_total stdout": 7,
        "scrun_container_ends_total exited": 1,
    }
    assert list(life.leave()) == []


def test_what_was_before_the_exporter_is_not_counted(life: Life) -> None:
    assert total(life, hello("running", 50.0, state=3), fact("output-drained", stdout=7)) == {
        "scrun_containers_seen_total": 1,
        "scrun_containers running": 1,
    }
    assert total(life, hello("running", 50.0, state=4)) == {"scrun_actor_restarts_total state": 1}
    assert total(life, fact("output-drained", stdout=9)) == {"scrun_stdio_bytes_total stdout": 2}


def test_a_queue_is_timed_from_the_creation_though_the_exporter_is_late(life: Life) -> None:
    assert total(life, hello("queued", 50.0), fact("job-granted", 110.0))["scrun_queue_seconds"] == 60


def test_facts_that_were_not_heard_are_in_the_hello_and_counted_once(life: Life) -> None:
    early = {"job-granted": 104.0, "staged-in": 106.5}
    assert total(life, hello("created", moments=early), fact("staged-in", 106.5), hello("created", moments=early)) == {
        "scrun_containers_seen_total": 1,
        "scrun_containers created": 1,
        "scrun_queue_seconds": 3,
        "scrun_staging_seconds": 2.5,
        "scrun_stagings_total ready": 1,
    }
    swallowed = early | {"launch-requested": 110.0, "step-started": 110.5}
    assert total(life, hello("running", moments=swallowed))["scrun_launch_seconds"] == 0.5


def test_of_facts_before_the_exporter_only_the_moment_counts(life: Life) -> None:
    early = {"job-granted": 60.0, "staging-failed": 70.0}
    assert not [key for key in total(life, hello("staging in", 50.0, early)) if "containers" not in key]
    assert total(life, fact("staged-in", 110.0))["scrun_staging_seconds"] == 50


@pytest.mark.parametrize(
    "moments", [{"job-granted": "1"}, {"staged-in": None}, ["job-granted"], {1: 2, "job-granted": []}]
)
def test_moments_that_are_none_are_nonsense(life: Life, moments: Any) -> None:
    with pytest.raises(NONSENSE):
        total(life, hello(moments=moments))


def test_a_time_whose_beginning_was_lost_is_none(life: Life) -> None:
    told = total(life, hello("staging in"), fact("staged-in", 110.0), fact("step-started", 111.0))
    assert not [key for key in told if key.endswith("_seconds")]


def test_a_clock_that_is_set_back_gives_no_time_below_zero(life: Life) -> None:
    assert "scrun_queue_seconds" not in total(life, hello(), fact("job-granted", 90.0))


def test_restarts_in_a_gap_are_in_the_next_count(life: Life) -> None:
    child: Message = "child.stdio.child", {"data": {"actor": "stdio", "restarts": 2}}
    assert total(life, hello(stdio=0), child, child)["scrun_actor_restarts_total stdio"] == 2


def test_trees_of_an_image_are_told_from_nothing_each(life: Life) -> None:
    parts = [fact("staging-progress", part=part, size=size) for part, size in ((1, 5), (1, 9), (2, 20), (2, 21))]
    assert total(life, hello(), *parts)["scrun_staging_copied_bytes_total"] == 30


def test_an_id_that_is_used_again_is_another_container(life: Life) -> None:
    assert total(life, hello("running"), hello("queued", 200.0)) == {
        "scrun_containers_seen_total": 2,
        "scrun_containers queued": 1,
        "scrun_container_ends_total unknown": 1,
    }


def test_an_end_that_was_not_heard(life: Life) -> None:
    total(life, hello("running"))
    assert [(change.metric, change.word, change.amount) for change in life.leave()] == [
        ("scrun_containers", "running", -1),
        ("scrun_container_ends_total", "unknown", 1),
    ]


def test_what_comes_before_the_hello_is_in_it(life: Life) -> None:
    assert total(life, fact("job-granted", 104.0), said("running")) == {}
    assert list(life.leave()) == []


def test_new_words_are_one_word(life: Life) -> None:
    topics: list[Message] = [
        ("request.client.dance", {"data": {}}),
        ("child.x.child", {"data": {"actor": "x", "restarts": 1}}),
    ]
    assert total(life, hello("flying"), *topics, said("stopped", kind="bored")) == {
        "scrun_containers_seen_total": 1,
        f"scrun_requests_total {OTHER}": 1,
        f"scrun_actor_restarts_total {OTHER}": 1,
        f"scrun_container_ends_total {OTHER}": 1,
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "x", None, [], 1 << 80])
def test_what_no_sum_can_bear_is_refused(life: Life, value: Any) -> None:
    for message in (hello(created=value), fact("job-granted", value), fact("staging-progress", part=1, size=value)):
        total(Life(START), hello())
        with pytest.raises((ValueError, TypeError)):
            total(life, hello(), message)


MESSAGES = st.one_of(
    st.builds(hello, st.sampled_from(PHASES), st.sampled_from([50.0, 101.0, 102.0])),
    st.builds(said, st.sampled_from((*PHASES, "stopped")), st.sampled_from([50.0, 101.0, 102.0])),
    st.builds(
        fact, st.sampled_from(["job-granted", "staged-in", "launch-requested", "step-started"]), st.floats(0, 1e9)
    ),
)


@given(st.lists(MESSAGES))
def test_whatever_is_said_a_container_is_in_one_phase_and_ends_as_often_as_it_was_seen(messages: list[Message]) -> None:
    life, found = Life(START), Counter[str]()
    for topic, body in messages:
        for change in life.hear(topic, body):
            found[change.metric] += change.amount  # type: ignore[assignment]
        assert found["scrun_containers"] in {0, 1}
    for change in life.leave():
        found[change.metric] += change.amount  # type: ignore[assignment]
    assert found["scrun_containers"] == 0
    assert found["scrun_containers_seen_total"] == found["scrun_container_ends_total"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(["hello", "state", "fact.a.staging-progress", "note.a.moved", "child.a.child"]), JSON)
def test_nonsense_is_refused_by_errors_that_are_expected(topic: str, data: Any) -> None:
    life, found = Life(START), Counter[str]()

    def add(changes: Iterator[Change]) -> None:
        for change in changes:
            found[change.metric] += change.amount  # type: ignore[assignment]

    add(life.hear(*hello()))
    with contextlib.suppress(*NONSENSE):
        add(life.hear(topic, {"time": 1.0, "data": data}))
    add(life.leave())
    assert found["scrun_containers"] == 0
    assert found["scrun_containers_seen_total"] == found["scrun_container_ends_total"]


def test_a_state_that_is_nonsense_in_its_ending_leaves_the_phases_right(life: Life) -> None:
    phases = Counter[str]()
    for topic, body in (hello("running"), ("state", {"data": state("stopped") | {"ending": 7}})):
        with contextlib.suppress(*NONSENSE):
            for change in life.hear(topic, body):
                phases[change.metric] += change.amount  # type: ignore[assignment]
    assert phases["scrun_containers"] == 0


def test_layers_have_a_bound() -> None:
    hearing = Hearing()
    numbers = {f"layer{number}": 1 for number in range(LAYERS + 1)}
    body = {"incarnation": 1, "number": 1, "data": {"numbers": {"hello": 1} | numbers}}
    with pytest.raises(ValueError):
        hearing.hear("hello", body)


def test_every_metric_is_there_before_anything_has_happened() -> None:
    told = Numbers()
    for metric in METRICS:
        for word in metric.words:
            suffix = "_sum" if metric.kind == "histogram" else ""
            assert told.registry.get_sample_value(metric.name + suffix, {metric.label: word}) == 0


# --- another user's state directory -----------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "x").mkdir()
    return tmp_path


def test_a_socket_is_held_whatever_is_put_in_its_place(place: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(str(place / "x/tap"))
        listener.listen()
        folder = Folder(ME, str(place))
        held = folder.socket("x")
        (place / "x").rename(place / "other")
        (place / "x").mkdir()
        caller.connect(f"/proc/self/fd/{held}")
        os.close(held)
        folder.close()


@pytest.mark.parametrize("trap", ["link", "file", "pipe", "nothing", "directory link"])
def test_what_is_no_socket_of_the_user(place: pathlib.Path, trap: str) -> None:
    tap = place / "x/tap"
    with socket.socket(socket.AF_UNIX) as listener:
        (place / "y").mkdir()
        listener.bind(str(place / "y/tap"))
        match trap:
            case "link":
                tap.symlink_to(place / "y/tap")
            case "file":
                tap.touch()
            case "pipe":
                os.mkfifo(tap)
            case "directory link":
                (place / "x").rmdir()
                (place / "x").symlink_to(place / "y")
        folder = Folder(ME, str(place))
        with pytest.raises(OSError):
            folder.socket("x")
        folder.close()


def test_a_directory_that_is_another_users(place: pathlib.Path) -> None:
    with pytest.raises(PermissionError):
        Folder(ME + 1, str(place))
