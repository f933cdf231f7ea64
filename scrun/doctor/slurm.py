"""Judges what of Slurm is on this host: configuration, controller, commands, pyslurm."""

import os
import sys

from actors.slurm.commands import parse_version
from actors.slurm.messages import clean
from actors.slurm.pyslurm import worker
from proto.errors import SettingsError
from scrun.host import Answer, Host

from .configuration import is_configless
from .finding import SHELL, Finding, fault, ok, warning

OLDEST = (22, 5)
COMMANDS = ("salloc", "srun", "scancel", "squeue")


def slurm_conf(host: Host) -> Finding:
    """Is slurm.conf where we look?"""
    try:
        path = host.slurm_conf
    except SettingsError as error:
        return fault(error.sentence)
    if path:
        return ok(path)
    if host.settings.scrun.scheduler == "local":
        return ok("not needed: scheduler is local")
    return judge_configless(host.environ.get("SLURM_CONF_SERVER", ""), answers=is_configless(host))


def judge_configless(server: str, *, answers: bool) -> Finding:
    """Judge a host without slurm.conf.

    Args:
        server: the controller that is to be asked for it, or empty; then the commands ask DNS for one.
        answers: whether a command of Slurm's got it so.

    """
    if answers:
        return ok(f"there is none; Slurm's commands get it from {server or 'the controller that DNS names'}")
    if server:
        return fault(
            f"there is none, and {server}, which SLURM_CONF_SERVER names, does not give it",
            "slurm.conf of the controller", "SlurmctldParameters=enable_configless",
        )  # fmt: skip
    return fault(
        "slurm.conf is not at /etc/slurm/slurm.conf", "/etc/scrun/scrun.toml", "[scrun]",
        'slurm_conf = "/path/of/slurm.conf"',
    )  # fmt: skip


def controller(host: Host) -> Finding:
    """Does slurmctld answer?"""
    if not host.conf and not is_configless(host):
        return warning("not asked, for want of slurm.conf")
    return judge_ping(host.run("scontrol", "ping"))


def judge_ping(answer: Answer) -> Finding:
    """The lines of ``scontrol ping``: ``Slurmctld(primary) at HOST is UP``."""
    lines = [line.strip() for line in answer.text.splitlines() if line.startswith("Slurmctld(")]
    if answer.status == 127:
        return fault(
            "the command scontrol is not installed", SHELL, "apt install slurm-client  # or: dnf install slurm"
        )
    up = [line for line in lines if line.endswith(" is UP")]
    if up:
        down = [line for line in lines if line not in up]
        return warning("; ".join(lines)) if down else ok("; ".join(lines))
    if lines:
        return fault("; ".join(lines))
    said = clean(answer.text.strip().splitlines()[-1]) if answer.text.strip() else "no answer in time"
    return fault(f"the controller does not answer: {said}")


def commands(host: Host) -> Finding:
    """Are Slurm's commands there?"""
    return judge_commands({name: host.find(name) for name in COMMANDS}, host.slurms_version)


def judge_commands(found: dict[str, str], text: str) -> Finding:
    missing = ", ".join(name for name, path in found.items() if not path)
    if missing:
        return fault(f"not in PATH: {missing}", SHELL, "apt install slurm-client  # or: dnf install slurm")
    version = parse_version(text)
    places = ", ".join(sorted({os.path.dirname(path) for path in found.values()}))
    if version == (0, 0):
        return warning(f"they are in {places}, but salloc does not tell its version: {clean(text.strip())}")
    number = f"{version[0]}.{version[1]:02}"
    if version < OLDEST:
        return fault(f"Slurm {number} is too old: scrun needs {OLDEST[0]}.{OLDEST[1]:02}")
    return ok(f"Slurm {number} in {places}")


def pyslurm(host: Host) -> Finding:
    """Does pyslurm work, if it is wanted?"""
    if host.settings.scrun.scheduler != "pyslurm":
        return ok("not used: Slurm's commands do all that it could do, in a tenth of the time")
    return judge_pyslurm(host.run(*worker(sys.path, "find", str(host.caller.uid)), environ=host.slurms_environ))


def judge_pyslurm(answer: Answer) -> Finding:
    """Judge what it said when it was asked for the user's jobs."""
    if answer.status == 0:
        return ok(
            "used to ask about jobs and to end them; Slurm's commands do the rest: pyslurm starts no steps, and the "
            "signals that it sends to them are lost"
        )
    said = (clean(answer.text).splitlines() or [""])[-1].removeprefix("error: ")
    why = "it gave no answer in time" if answer.status == 124 else said or f"it ended with {answer.status}"
    return fault(f"cannot be used, and scrun.toml demands it: {why}", "scrun.toml", "[scrun]", 'scheduler = "slurm"')
