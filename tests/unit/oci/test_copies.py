"""Sources of which one is in another: one copy, seen by both."""

from __future__ import annotations

from typing import Any

import pytest

from actors.oci.bind_source import BindFact
from actors.oci.copies import Copy, nest


def fact(real: str, device: int = 1, kind: Any = "directory") -> BindFact:
    return BindFact(kind, "tmpfs", real=real, device=device)


def nested(sources: dict[str, BindFact], **changes: Any) -> tuple[list[str], list[Copy]]:
    """Where the mounts of these sources lead, and the copies."""
    copies = [
        Copy(source, index, fact.kind, f"/d{index}", users=True, **changes)
        for index, (source, fact) in enumerate(sources.items())
    ]
    mounts = [{"destination": f"/d{copy.index}", "source": f"/c/mounts/{copy.index}"} for copy in copies]
    moved, needed = nest(mounts, copies, sources, "/c")
    return [mount["source"] for mount in moved], needed


@pytest.mark.parametrize("reverse", [False, True])
def test_a_part_is_seen_in_the_whole_whichever_comes_first(reverse: bool) -> None:
    sources = {"/t/w": fact("/t/w"), "/t/w/a": fact("/t/w/a"), "/t/w/a/f": fact("/t/w/a/f", kind="file")}
    ordered = dict(reversed(sources.items())) if reverse else sources
    places, needed = nested(ordered)
    whole = 2 if reverse else 0
    assert sorted(places) == [f"/c/mounts/{whole}", f"/c/mounts/{whole}/a", f"/c/mounts/{whole}/a/f"]
    assert [copy.source for copy in needed] == ["/t/w"]


def test_two_names_of_one_thing_are_one() -> None:
    places, needed = nested({"/t/w": fact("/t/w"), "/l": fact("/t/w")})
    assert places == ["/c/mounts/0", "/c/mounts/0"]
    assert len(needed) == 1


@pytest.mark.parametrize(
    "other",
    [fact("/t/w2"), fact("/t/w/a", device=2), fact(""), BindFact("directory", "tmpfs")],
)
def test_others_are_for_themselves(other: BindFact) -> None:
    places, needed = nested({"/t/w": fact("/t/w"), "/other": other})
    assert places == ["/c/mounts/0", "/c/mounts/1"]
    assert len(needed) == 2


def test_the_engines_are_for_themselves() -> None:
    copies = [Copy("/t", 0, "directory", "/a", users=True), Copy("/t/x", 1, "file", "/etc/hosts")]
    facts = {"/t": fact("/t"), "/t/x": fact("/t/x")}
    assert nest([], copies, facts, "/c")[1] == copies


@pytest.mark.parametrize(("outer", "inner"), [(True, False), (False, True), (False, False)])
def test_the_whole_comes_back_if_a_part_does(outer: bool, inner: bool) -> None:
    copies = [
        Copy("/t", 0, "directory", "/a", users=True, returns=outer),
        Copy("/t/x", 1, "directory", "/b", users=True, returns=inner),
    ]
    [whole] = nest([], copies, {"/t": fact("/t"), "/t/x": fact("/t/x")}, "/c")[1]
    assert whole.returns is (outer or inner)
