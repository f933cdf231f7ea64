"""Judges which program answers to the name scrun: Slurm has one of its own (/usr/bin/scrun on Debian 13)."""

import os
from collections.abc import Callable
from typing import Literal

from scrun.host import Host

from .finding import SHELL, Finding, ok, warning

Who = Literal["ours", "another", "nothing"]
Look = Callable[[str], Who]
"""Says what is at a path."""

_MARK = "scrun/__main__.py"
"""Stands in every launcher of this project, and in no program of Slurm's."""


def look_with(host: Host) -> Look:
    """Look at a host's files."""
    return lambda path: who(host.exists(path), host.read(path))


def who(there: bool, text: str | None) -> Who:
    """Judge by whether there is something, and by what is in it."""
    if not there:
        return "nothing"
    return "ours" if text is not None and text.startswith("#!") and _MARK in text else "another"


def scrun_in_path(host: Host) -> Finding:
    """Does scrun, typed in a shell, mean this program?"""
    look = look_with(host)
    return judge_path([(path, look(path)) for path in host.candidates("scrun")], host.launcher)


def judge_path(candidates: list[tuple[str, Who]], launcher: str) -> Finding:
    """Judge all that PATH has of that name, links to nowhere included, in order."""
    link = f"ln -sfn {launcher} /usr/local/bin/scrun"
    answers = [(path, kind) for path, kind in candidates if kind != "nothing"]
    broken = [path for path, kind in candidates if kind == "nothing"]
    if answers and answers[0][1] == "ours":
        return ok(answers[0][0])
    why = f", since the link {broken[0]} leads nowhere" if broken else ""
    if not answers:
        return warning(f"no directory of PATH has scrun{why}", SHELL, link)
    place = os.path.dirname(answers[0][0])
    more = "" if broken else f"; /usr/local/bin must stand before {place} in PATH"
    return warning(f"in PATH scrun is {answers[0][0]}, another program, perhaps Slurm's own{why}{more}", SHELL, link)
