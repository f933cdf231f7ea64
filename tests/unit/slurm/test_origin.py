"""Where a job was asked for: here, here before the last start of the machine, or somewhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.slurm import origin
from proto.host import machine

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

ROOT = "/run/user/7/scrun"
ID, OTHER_ID = "3d1219c7c4c5404aaa1f6d2a48adfda4", "0f1219c7c4c5404aaa1f6d2a48adfda4"


@pytest.fixture
def login(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Be that machine."""

    def be(boot: str = "1-1", number: str = ID, name: str = "login") -> None:
        (tmp_path / "boot").write_text(f"{boot}\n")
        (tmp_path / "id").write_text(f"{number}\n")
        monkeypatch.setattr(machine, "BOOT_ID", str(tmp_path / "boot"))
        monkeypatch.setattr(machine, "MACHINE_ID", str(tmp_path / "id"))
        monkeypatch.setattr(origin, "host", lambda: name)

    be()
    return be


def test_the_same_place_is_known_again(login: Callable[..., None]) -> None:
    login()
    assert origin.here(ROOT) == origin.here(ROOT)
    assert not origin.was_here(origin.here(ROOT), ROOT)


def test_the_same_machine_after_its_next_start(login: Callable[..., None]) -> None:
    before = origin.here(ROOT)
    login(boot="2-2")
    assert origin.here(ROOT) != before
    assert origin.was_here(before, ROOT)
    assert not origin.was_here(before, f"{ROOT}2")


@pytest.mark.parametrize("other", [{"number": OTHER_ID}, {"name": "login2"}, {"number": OTHER_ID, "name": "login2"}])
def test_another_machine_that_shares_name_or_image(login: Callable[..., None], other: dict[str, str]) -> None:
    before = origin.here(ROOT)
    login(boot="2-2", **other)
    assert not origin.was_here(before, ROOT)


@pytest.mark.parametrize("number", ["", "uninitialized", "0" * 32, "short", ID.upper()])
def test_a_machine_without_an_id_is_never_taken_for_itself(login: Callable[..., None], number: str) -> None:
    login(number=number)
    before = origin.here(ROOT)
    assert origin.here(ROOT) == before
    login(boot="2-2", number=number)
    assert not origin.was_here(before, ROOT)


def test_another_process_table_of_the_same_machine(login: Callable[..., None]) -> None:
    boot, table, rest = origin.here(ROOT).split(".", 2)
    login(boot="2-2")
    assert not origin.was_here(f"{boot}.{table}1.{rest}", ROOT)


@pytest.mark.parametrize("mark", ["", "x", "x.", ".", "k.1.8d5b4c11"])
@pytest.mark.parametrize("boot", ["", "2-2"])
def test_marks_of_earlier_versions_and_nonsense(login: Callable[..., None], mark: str, boot: str) -> None:
    login(boot=boot)
    assert not origin.was_here(mark, ROOT)


def test_the_machine_s_id_is_not_shown(login: Callable[..., None]) -> None:
    login()
    assert ID[:8] not in origin.here(ROOT)
