"""The table of job options against the options that salloc and srun have, release by release, and on this machine.

``releases/collect`` makes the lists, one for each release of Slurm that Debian has.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from actors.slurm.commands import parse_version
from actors.slurm.not_options import REASONS
from actors.slurm.option_table import ALLOCATION, BOTH, BY_NAME, ENVIRONMENT, JOB, PLACE, STEP, TABLE, Version

LISTS: dict[Version, str] = {
    parse_version(f"slurm {path.stem}"): path.read_text(encoding="ascii")
    for path in sorted((pathlib.Path(__file__).parent / "releases").glob("[0-9]*.txt"))
}
COMMANDS = {JOB: {"salloc"}, STEP: {"srun"}, BOTH: {"salloc", "srun"}, PLACE: {"salloc", "srun"}, ALLOCATION: {"srun"}}
IN_NO_PAGE = {"ntasks-per-tres"}
"""scrun(1) has its variable, and salloc takes it."""


def options(release: Version, command: str) -> set[str]:
    return set(re.findall(rf"^{command} (\S+)$", LISTS[release], re.MULTILINE))


def test_what_is_at_hand() -> None:
    assert list(LISTS) == [(22, 5), (24, 11), (26, 5)]
    assert all(len(options(release, command)) > 90 for release in LISTS for command in ("salloc", "srun"))


@pytest.mark.parametrize("release", LISTS, ids=str)
def test_every_option_is_in_the_table_or_has_a_reason_why_not(release: Version) -> None:
    there = options(release, "salloc") | options(release, "srun")
    assert there - set(BY_NAME) - set(REASONS) == set()
    assert not set(BY_NAME) & set(REASONS)


@pytest.mark.parametrize("release", LISTS, ids=str)
def test_the_versions_and_the_commands_of_the_table(release: Version) -> None:
    for option in TABLE:
        if option.kind != ENVIRONMENT and option.name not in IN_NO_PAGE:
            known = option.since <= release <= option.until
            has = {command for command in COMMANDS[option.where] if option.name in options(release, command)}
            assert has == (COMMANDS[option.where] if known else set()), option.name


def test_every_reason_is_about_an_option_of_some_release() -> None:
    every = {name for release in LISTS for command in ("salloc", "srun") for name in options(release, command)}
    assert set(REASONS) <= every


@pytest.mark.parametrize("command", ["salloc", "srun"])
def test_this_machine_s_own(command: str, tmp_path: pathlib.Path) -> None:
    if not shutil.which(command):
        pytest.skip(f"there is no {command} here")
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=none\nSlurmctldHost=localhost\n")
    environ = {**os.environ, "SLURM_CONF": str(conf)}
    said = subprocess.run([command, "--help"], env=environ, capture_output=True, text=True, check=True).stdout
    there = set(re.findall(r"--([a-z][a-z0-9-]+)", said))
    assert len(there) > 70
    assert there - set(BY_NAME) - set(REASONS) == set()
