"""What the doctor makes of the staging directory and of owners there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from actors.staging import reach
from scrun.cli.parsing import Line
from scrun.doctor import owners, staging
from scrun.host import Host, Keeps
from tests.unit.creations import changed

if TYPE_CHECKING:
    from pathlib import Path

    from proto.life.settings import IdMapping

PLACE = "/etc/scrun/scrun.toml"
MUCH = 1 << 40


@pytest.mark.parametrize(
    ("failure", "kind", "left", "level"),
    [
        ("", "nfs4", MUCH, "ok"),
        ("", "lustre", MUCH, "ok"),
        ("", "ext4", MUCH, "warning"),
        ("", "tmpfs", MUCH, "warning"),
        ("", "", MUCH, "warning"),
        ("", "nfs4", 100 << 20, "warning"),
        ("disk quota exceeded", "nfs4", MUCH, "fault"),
    ],
)
def test_staging_directory(failure: str, kind: str, left: int, level: str) -> None:
    finding = staging.judge_staging("/s", failure, kind, left, PLACE)
    assert finding.level == level
    assert failure in finding.sentence
    assert bool(finding.lines) == (level != "ok")


def test_writing_is_tried(tmp_path: Path) -> None:
    assert not staging.try_to_write(str(tmp_path))
    assert not list(tmp_path.iterdir())
    assert staging.try_to_write(f"{tmp_path}/none") == "it is not there"


def host_with(directory: Path, **settings: object) -> Host:
    host = Host(Line())
    host.settings = changed(host.settings, scrun__scheduler="slurm", staging__directory=f"{directory}/s", **settings)
    return host


def test_a_wall_in_the_way_of_the_nodes_root(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o700)
    finding = staging.root_squash(host_with(tmp_path, staging__root_squash="yes"))
    assert (finding.level, f"{tmp_path} (mode 0700)" in finding.sentence) == ("fault", True)
    assert finding.lines == ("[staging]", 'directory = "/scratch/%u/scrun"')
    assert staging.root_squash(host_with(tmp_path, staging__root_squash="no")).level == "ok"


def test_an_environment_that_everybody_could_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "wall", lambda *_: "")
    assert staging.root_squash(host_with(tmp_path, staging__root_squash="yes")).level == "ok"
    finding = staging.root_squash(host_with(tmp_path, staging__root_squash="yes", scrun__entry=False))
    assert (finding.level, "entry = false" in finding.sentence) == ("fault", True)


@pytest.mark.parametrize(
    ("wish", "keeps", "uid", "level", "words"),
    [
        ("auto", "yes", 5, "ok", "newuidmap"),
        ("auto", "no", 5, "ok", "one id"),
        ("auto", "unknown", 5, "ok", "not found out"),
        ("full", "no", 5, "fault", "keeps no owners"),
        ("full", "yes", 5, "ok", "newuidmap"),
        ("single", "yes", 5, "ok", "one id"),
        ("auto", "no", 0, "ok", "keep their ids"),
    ],
)
def test_owners(wish: IdMapping, keeps: Keeps, uid: int, level: str, words: str) -> None:
    finding = owners.judge_owners("/s", wish, keeps, uid, PLACE)
    assert (finding.level, words in finding.sentence) == (level, True)


@pytest.mark.parametrize(
    ("default", "keeps", "level"),
    [(True, "no", "warning"), (True, "yes", "ok"), (True, "unknown", "ok"), (False, "no", "ok")],
)
def test_builds(default: bool, keeps: Keeps, level: str) -> None:
    assert owners.judge_build(default=default, keeps=keeps).level == level
