"""Attempts of one command: names, logs, pauses, and where a new actor goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.allocation.attempts import PAUSES, Attempts
from actors.process.spool import Spool
from proto.value import replace
from tests.unit.proto.strategies import CREATION

if TYPE_CHECKING:
    import pathlib


def spool(root: pathlib.Path) -> Spool:
    (root / CREATION.id).mkdir()
    return Spool(replace(CREATION, root=str(root)))


def test_each_attempt_has_a_name_and_a_log_and_a_longer_pause(tmp_path: pathlib.Path) -> None:
    attempts = Attempts(spool(tmp_path), "step", "")
    names, pauses = [], []
    while not attempts.enough:
        names.append(attempts.name)
        pauses.append(attempts.wait())
        assert attempts.waiting
        attempts.next()
        assert not attempts.waiting
    assert names[:3] == ["step", "step-2", "step-3"]
    assert Attempts(Spool(replace(CREATION, root=str(tmp_path))), "step", "").log == "step-log"
    assert attempts.log == f"{tmp_path}/{CREATION.id}/{attempts.name}.log"
    assert tuple(pauses) == PAUSES == tuple(sorted(PAUSES))
    assert attempts.wait() == PAUSES[-1]


def test_a_new_actor_goes_on_with_the_last_attempt(tmp_path: pathlib.Path) -> None:
    first = Attempts(spool(tmp_path), "step", "")
    first.next()
    for name in ("step", "step-2"):
        (tmp_path / CREATION.id / f"{name}.log").write_text(name)
    again = Attempts(Spool(replace(CREATION, root=str(tmp_path))), "step", "")
    assert (again.name, again.said, again.waiting) == ("step-2", "step-2", False)
