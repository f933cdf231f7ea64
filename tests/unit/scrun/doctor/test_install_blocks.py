"""The blocks of docs/install.md are what the doctor asks for, and what scrun reads."""

from __future__ import annotations

import pathlib
import re
import tomllib

import pytest

from proto.life.settings import Settings
from scrun.create import settings
from scrun.doctor import engines, nodes, sessions, storage

TEXT = (pathlib.Path(__file__).parents[4] / "docs/install.md").read_text()
SECTIONS = dict(re.findall(r"^## (\d)\. .*?\n(.*?)(?=^## )", TEXT, re.DOTALL | re.MULTILINE))


def block(section: str, language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"section {section} has {len(found)} blocks of {language}"
    return str(found[0])


def test_there_are_five_sections_and_each_has_one_block() -> None:
    assert sorted(SECTIONS) == ["1", "2", "3", "4", "5"]
    for section, language in (("1", "sh"), ("2", "sh"), ("3", "toml"), ("4", "toml"), ("5", "sh")):
        assert block(section, language)


def test_oci_conf() -> None:
    lines = re.findall(r"^RunTime.*", block("2", "sh"), re.MULTILINE)
    assert tuple(lines) == nodes.EXAMPLE


@pytest.mark.parametrize("systemd", [True, False])
def test_containers_conf(systemd: bool) -> None:
    conf = tomllib.loads(block("3", "toml"))
    engine = conf["engine"]
    findings = (
        engines.judge_runtime(engine, "/usr/local/bin/scrun", "", lambda _path: "ours"),
        engines.judge_json(engine, "/usr/local/bin/scrun", ""),
        engines.judge_environment(engine, (4, 3), "/etc/slurm/slurm.conf", "", ""),
        sessions.judge_podman(engine, conf["containers"], "", systemd=systemd, session=systemd),
    )
    assert [finding for finding in findings if finding.level != "ok"] == []
    assert re.findall(r"`(/[^`\s]+)`", SECTIONS["3"])[0] == "/etc/containers/containers.conf"


def test_storage_conf() -> None:
    lines = re.findall(r"^    (\S.*)", SECTIONS["3"], re.MULTILINE)
    assert lines == [line.partition("  #")[0] for line in storage.LINES]


def test_scrun_toml() -> None:
    example = tomllib.loads(block("4", "toml"))
    assert settings.merge(Settings(), example, "x") != Settings()
    assert re.findall(r"`(/[^`\s]+)`", SECTIONS["4"])[0] == settings.SITE
