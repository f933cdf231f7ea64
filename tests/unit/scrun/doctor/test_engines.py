"""What the doctor makes of containers.conf and daemon.json."""

from __future__ import annotations

import json
import pathlib
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from scrun.cli.parsing import Line
from scrun.doctor import engines
from scrun.host import Host

if TYPE_CHECKING:
    from scrun.doctor.identity import Who

LAUNCHER = "/opt/scrun/bin/scrun"
PLACE = "/home/u/.config/containers/containers.conf"


def there(_path: str) -> Who:
    return "ours"


def nowhere(_path: str) -> Who:
    return "nothing"


def slurms(_path: str) -> Who:
    return "another"


def engine(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text).get("engine", {})
    return engines.merge({}, found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[engine.runtimes]\nscrun = ["{LAUNCHER}"]', "--runtime=scrun"),
        ('[engine.runtimes]\nslurm = ["/usr/bin/scrun"]', "--runtime=slurm"),
        ('[engine]\nruntime = "scrun"\n[engine.runtimes]\nscrun = ["/usr/bin/scrun"]', "by default"),
    ],
)
def test_a_runtime_that_podman_knows(text: str, words: str) -> None:
    finding = engines.judge_runtime(engine(text), LAUNCHER, PLACE, there)
    assert finding.level == "ok"
    assert words in finding.sentence
    gone = engines.judge_runtime(engine(text), LAUNCHER, PLACE, nowhere)
    assert (gone.level, "where nothing is" in gone.sentence) == ("fault", True)
    wrong = engines.judge_runtime(engine(text), LAUNCHER, PLACE, slurms)
    assert (wrong.level, "Slurm's own" in wrong.sentence) == ("fault", True)


def test_of_several_paths_the_first_counts_that_is_there() -> None:
    text = '[engine.runtimes]\nscrun = ["/a/scrun", "/b/scrun", "/c/scrun"]'
    kinds: dict[str, Who] = {"/a/scrun": "nothing", "/b/scrun": "another", "/c/scrun": "ours"}
    finding = engines.judge_runtime(engine(text), LAUNCHER, PLACE, kinds.__getitem__)
    assert (finding.level, "/b/scrun" in finding.sentence) == ("fault", True)


@pytest.mark.parametrize("text", ["", '[engine.runtimes]\ncrun = ["/usr/bin/crun"]', "[engine.runtimes]\nscrun = 1"])
def test_the_lines_for_podman_are_good_ones(text: str) -> None:
    finding = engines.judge_runtime(engine(text), LAUNCHER, PLACE, there)
    assert (finding.level, finding.place) == ("warning", PLACE)
    assert engines.judge_runtime(engine("\n".join(finding.lines)), LAUNCHER, PLACE, there).level == "ok"


def test_errors_as_json() -> None:
    finding = engines.judge_json(engine('[engine]\nruntime_supports_json = ["crun"]'), LAUNCHER, PLACE)
    assert finding.level == "warning"
    mended = engine("\n".join(finding.lines))
    assert mended["runtime_supports_json"] == ["crun", "scrun"]
    assert engines.judge_json(mended, LAUNCHER, PLACE).level == "ok"


@pytest.mark.parametrize(
    ("given", "version", "conf", "bare", "level"),
    [
        ("", (4, 3), "/x/slurm.conf", "", "fault"),
        ("", (4, 7), "/x/slurm.conf", "/etc/slurm/slurm.conf", "fault"),
        ("", (4, 8), "/x/slurm.conf", "", "ok"),
        ("", (5, 0), "/x/slurm.conf", "", "ok"),
        ("", (4, 3), "/etc/slurm/slurm.conf", "/etc/slurm/slurm.conf", "ok"),
        ("/x/slurm.conf", (4, 3), "/x/slurm.conf", "", "ok"),
        ("/y/slurm.conf", (5, 0), "/x/slurm.conf", "", "warning"),
        ("", (4, 3), "", "", "warning"),
    ],
)
def test_environment(given: str, version: tuple[int, int], conf: str, bare: str, level: str) -> None:
    found = engine(f'[engine]\nconmon_env_vars = ["A=1", "SLURM_CONF={given}"]' if given else "")
    finding = engines.judge_environment(found, version, conf, bare, PLACE)
    assert finding.level == level
    if finding.level == "fault":
        mended = engine("\n".join(finding.lines))
        assert engines.judge_environment(mended, version, conf, bare, PLACE).level == "ok"


@pytest.mark.parametrize(
    ("given", "version", "server", "level"),
    [
        ("", (4, 3), "", "ok"),
        ("", (5, 4), "ctl:6817", "ok"),
        ("", (4, 3), "ctl:6817", "fault"),
        ('"SLURM_CONF_SERVER=ctl:6817"', (4, 3), "ctl:6817", "ok"),
        ('"SLURM_CONF=/e/slurm.conf"', (4, 3), "ctl:6817", "fault"),
        ('"SLURM_CONF_SERVER=other"', (5, 4), "ctl:6817", "warning"),
    ],
)
def test_a_host_without_slurm_conf(given: str, version: tuple[int, int], server: str, level: str) -> None:
    finding = engines.judge_server(engine(f"[engine]\nconmon_env_vars = [{given}]"), version, server, PLACE)
    assert finding.level == level
    if finding.lines:
        mended = engine("\n".join(finding.lines))
        assert engines.judge_server(mended, version, server, PLACE).level == "ok"


def test_the_launcher_of_this_installation() -> None:
    launcher = pathlib.Path(Host(Line()).launcher)
    beside = pathlib.Path(__file__).parents[4] / ".venv/bin/scrun"
    assert launcher == beside or not beside.exists()


def test_later_files_count_more() -> None:
    below = engine('[engine]\nruntime = "crun"\nx = 1\n[engine.runtimes]\na = ["/a"]\nb = ["/b"]')
    above = engine('[engine]\nruntime = "scrun"\n[engine.runtimes]\nb = ["/c"]')
    merged = engines.merge(below, above)
    assert merged == {"runtime": "scrun", "x": 1, "runtimes": {"a": ["/a"], "b": ["/c"]}}


@pytest.mark.parametrize(
    ("text", "version"), [("podman version 4.3.1\n", (4, 3)), ("podman version 5.10.0-dev", (5, 10)), ("", (0, 0))]
)
def test_podman_version(text: str, version: tuple[int, int]) -> None:
    assert engines.podman_version(text) == version


def test_docker() -> None:
    good = json.dumps({"runtimes": {"slurm": {"path": "/usr/bin/scrun"}}})
    assert engines.judge_docker("/d", good, LAUNCHER, there).level == "ok"
    for look in (nowhere, slurms):
        assert engines.judge_docker("/d", good, LAUNCHER, look).level == "fault"
    for text in (None, "", "{}", '{"runtimes": null}', '{"runtimes": {"crun": {"path": "/usr/bin/crun"}}}'):
        finding = engines.judge_docker("/d", text, LAUNCHER, there)
        assert finding.level == "warning"
        assert engines.judge_docker("/d", "\n".join(finding.lines), LAUNCHER, there).level == "ok"
    for text in ("{", "[]", '{"runtimes": []}', '{"runtimes": [1]}', '{"runtimes": {"scrun": 1}}'):
        expected = "warning" if text == '{"runtimes": []}' else "fault"
        assert engines.judge_docker("/d", text, LAUNCHER, there).level == expected
