"""What the doctor makes of slurm.conf, the controller and Slurm's commands."""

from __future__ import annotations

import pytest

from scrun.doctor import configuration, slurm
from scrun.host import Answer


@pytest.mark.parametrize(
    ("answer", "level", "words"),
    [
        (Answer(0, "Slurmctld(primary) at vm is UP\n"), "ok", "vm is UP"),
        (Answer(0, "Slurmctld(primary) at a is DOWN\nSlurmctld(backup) at b is UP\n"), "warning", "a is DOWN"),
        (Answer(1, "Slurmctld(primary) at a is DOWN\n"), "fault", "a is DOWN"),
        (Answer(1, "scontrol: error: x\nscontrol: fatal: Could not load\n"), "fault", "Could not load"),
        (Answer(124, ""), "fault", "no answer in time"),
        (Answer(127, ""), "fault", "not installed"),
    ],
)
def test_controller(answer: Answer, level: str, words: str) -> None:
    finding = slurm.judge_ping(answer)
    assert finding.level == level
    assert words in finding.sentence


@pytest.mark.parametrize(
    ("missing", "text", "level", "words"),
    [
        ((), "slurm-wlm 22.05.8\n", "ok", "Slurm 22.05 in /usr/bin"),
        ((), "slurm 25.11.0\n", "ok", "Slurm 25.11"),
        ((), "slurm 21.08.8\n", "fault", "too old"),
        ((), "salloc: error: no\n", "warning", "does not tell"),
        (("srun", "squeue"), "slurm 25.11.0\n", "fault", "srun, squeue"),
    ],
)
def test_commands(missing: tuple[str, ...], text: str, level: str, words: str) -> None:
    found = {name: "" if name in missing else f"/usr/bin/{name}" for name in slurm.COMMANDS}
    finding = slurm.judge_commands(found, text)
    assert finding.level == level
    assert words in finding.sentence
    assert bool(finding.lines) == bool(missing)


@pytest.mark.parametrize(
    ("answer", "level", "words"),
    [
        (Answer(0, ""), "ok", "to ask about jobs"),
        (Answer(0, "5|RUNNING|scrun:abc\n"), "ok", "to ask about jobs"),
        (Answer(1, "error: No module named 'pyslurm'\n"), "fault", "demands it: No module named 'pyslurm'"),
        (Answer(124, ""), "fault", "in time"),
        (Answer(-11, ""), "fault", "ended with -11"),
    ],
)
def test_pyslurm(answer: Answer, level: str, words: str) -> None:
    finding = slurm.judge_pyslurm(answer)
    assert (finding.level, bool(finding.lines)) == (level, level != "ok")
    assert words in finding.sentence


@pytest.mark.parametrize(
    ("server", "answers", "level", "words"),
    [
        ("", True, "ok", "DNS"),
        ("ctl:6817", True, "ok", "ctl:6817"),
        ("ctl:6817", False, "fault", "ctl:6817, which SLURM_CONF_SERVER names, does not give it"),
        ("", False, "fault", "not at /etc/slurm/slurm.conf"),
    ],
)
def test_a_host_without_slurm_conf(server: str, answers: bool, level: str, words: str) -> None:
    finding = slurm.judge_configless(server, answers=answers)
    assert (finding.level, bool(finding.lines)) == (level, level != "ok")
    assert words in finding.sentence


def test_values_of_slurm_conf() -> None:
    text = "# AuthType=auth/none\nauthtype = auth/munge # x\nAuthType=auth/slurm\n"
    assert configuration.value(text, "AuthType") == "auth/slurm"
    assert not configuration.value(text, "CredType")


def test_values_that_the_controller_shows() -> None:
    text = "Configuration data as of 2026-11-29T21:46:21\nClusterName             = One\nTLSType    = (null)\n"
    assert configuration.value(text, "ClusterName") == "One"
    assert not configuration.value(text, "TLSType")
