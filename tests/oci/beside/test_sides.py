"""That the suite can fail: what differs between the two sides is seen, and nothing of a row is left."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.oci.beside import compare, sides, table
from tests.oci.beside.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Cluster

NUMBERS = itertools.count()
CASE = table.Case("of-the-suite", "a-row", "podman", "")


@pytest.fixture(scope="module")
def place(cluster: Cluster, adopts_nobody: None) -> Iterator[Place]:
    """Both sides with one runtime, which differ only in its name."""
    made = Place("podman", cluster.runner("as-user"), {"runc": "runc", "scrun": "/usr/sbin/runc"}, {})
    yield made
    made.close()


def judge(place: Place, script: str, terminal: table.Terminal | None = None) -> compare.Verdict:
    case = dataclasses.replace(CASE, script=script, terminal=terminal)
    return compare.judge(case, *sides.run(place, case, next(NUMBERS)))


def test_every_difference_is_seen(place: Place) -> None:
    verdict = judge(place, 'echo $RUNTIME; echo $RUNTIME >&2; echo $RUNTIME >file; test "$RUNTIME" = runc')
    assert verdict.differing == {"stdout", "stderr", "files", "status"}
    assert verdict.complaint.endswith("and no reason is given")


def test_names_of_a_side_are_no_difference(place: Place) -> None:
    verdict = judge(place, "pwd; echo $C-x; echo $C >file; engine create --name $C busybox true")
    assert verdict.differing == set(), verdict.report


def test_a_difference_at_a_terminal_is_seen(place: Place) -> None:
    terminal = table.Terminal(20, 70, typed=(("ready", "word\r"),))
    same = "stty size; echo ready; read -r x; echo got $x; test -t 0 -a -t 1 -a -t 2"
    verdict = judge(place, same, terminal)
    assert verdict.differing == set(), verdict.report
    assert judge(place, f"{same}; echo $RUNTIME", terminal).differing == {"stdout"}


def test_what_does_not_end_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "LIMIT", 2.0)
    verdict = judge(place, 'echo begun; [ "$RUNTIME" = runc ] || sleep 1000')
    assert verdict.differing == {"status", "time"}


def test_what_is_never_said_is_not_waited_for_for_ever(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "LIMIT", 2.0)
    terminal = table.Terminal(20, 70, typed=(("never", "x"),))
    assert judge(place, "cat", terminal).complaint == "the row is wrong: with runc it is without 'never'"


def test_containers_of_a_row_are_removed(place: Place) -> None:
    verdict = judge(place, "engine run --detach busybox sleep 60; engine create --name $C busybox true; exit 3")
    assert verdict.differing == set(), verdict.report
    left = place.runner(["podman", "ps", "--all", "--format", '{{index .Labels "beside"}}'])
    assert place.prefix not in left.stdout
