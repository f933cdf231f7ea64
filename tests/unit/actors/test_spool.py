"""When a file that grows is looked at again."""

from __future__ import annotations

import itertools

from actors.process.looks import Looks


def test_what_took_long_is_known_an_eighth_of_that_later_at_most() -> None:
    looks, passed = Looks(), 0.0
    for _ in range(100):
        pause = looks.next()
        assert pause <= Looks.FIRST + passed / 8 + 1e-9
        passed += pause


def test_what_takes_for_ever_is_looked_at_seldom() -> None:
    looks = Looks()
    pauses = list(itertools.islice(iter(looks.next, None), 100))
    assert pauses == sorted(pauses)
    assert pauses[-1] == Looks.LAST
    assert sum(pause < Looks.LAST for pause in pauses) < 50
