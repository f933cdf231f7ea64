"""Slurm's own scrun is run where it is, on a machine of its own, and leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import slurms

if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(slurms, "PROGRAM", "/bin/sh")
    monkeypatch.setattr(slurms, "RELEASE", tmp_path)
    monkeypatch.setattr(slurms, "DIRECTORY", tmp_path / "usual")
    return tmp_path / "usual"


def test_the_configuration_is_in_the_usual_place_meanwhile(place: pathlib.Path) -> None:
    place.mkdir()
    (place / "plugstack.conf").touch()
    (place / "slurm.conf").symlink_to("left-over")
    with slurms.configured("/cluster/slurm.conf"):
        assert str((place / "oci.conf").readlink()) == "/cluster/oci.conf"
        assert str((place / "slurm.conf").readlink()) == "/cluster/slurm.conf"
        assert "stage_in" in (place / "scrun.lua").read_text()
    assert [path.name for path in place.iterdir()] == ["plugstack.conf"]


@pytest.mark.parametrize(("name", "words"), [("PROGRAM", "no scrun here"), ("RELEASE", "tests/releases only")])
def test_elsewhere_it_is_refused(
    place: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(slurms, name, tmp_path / "nope")
    with pytest.raises(slurms.NotHereError, match=words), slurms.configured("/cluster/slurm.conf"):
        pass
    assert not place.exists()
