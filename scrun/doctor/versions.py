"""Versions of Slurm and of the nodes' runtime that have known faults for containers."""

import re
from typing import NamedTuple

from scrun.host import Host

from .finding import SHELL, Finding, ok, warning

Version = tuple[int, ...]


class Known(NamedTuple):
    """A fault that is known.

    Attributes:
        program: whose version tells; slurmstepd's is its slurmd's.
        since: the first version that has it, or empty.
        mended: the first good version of each release that was mended, oldest first. A release that is older than all
            of them has the fault.
        sentence: what happens.
        source: who says so.

    """

    program: str
    since: str
    mended: tuple[str, ...]
    sentence: str
    source: str


KNOWN = (
    Known(
        "slurmd", "", ("25.05.9", "25.11.8", "26.05.4"),
        "slurmstepd removes files outside of its spool directory when it clears up a container", "CVE-2026-65109",
    ),
    Known(
        "crun", "", ("1.30",),
        "an image whose /dev/console or /dev/null is a symbolic link writes to the machine", "CVE-2026-88264, -88265",
    ),
    Known(
        "srun", "26.05", ("26.05.2",),
        "srun may end with 0 although no program was started; the container ends with 125", "release notes of 26.05.2",
    ),
    Known("srun", "26.05", ("26.05.3",), "a container may not end with its program", "release notes of 26.05.3"),
)  # fmt: skip

UPGRADES = {
    "slurmd": "apt install --only-upgrade slurmd  # or: dnf upgrade slurm-slurmd",
    "srun": "apt install --only-upgrade slurm-client  # or: dnf upgrade slurm",
    "crun": "apt install --only-upgrade crun  # or: dnf upgrade crun",
}


def known_faults(host: Host) -> Finding:
    """Has Slurm, or crun of this host, a fault that containers meet?"""
    answers = [(name, host.run(name, "--version")) for name in ("srun", "crun")]
    found = [(name, answer.text.partition("\n")[0]) for name, answer in answers if not answer.status]
    if not host.shown.answer.status:  # else there is no Slurm, or it keeps whoever asks waiting
        # A line for each version that slurmds of the cluster have.
        answer = host.run("sinfo", "-h", "-o", "%v", environ=host.slurms_environ)
        found += [("slurmd", line) for line in answer.text.splitlines() if not answer.status]
    return judge_versions(found)


def judge_versions(found: list[tuple[str, str]]) -> Finding:
    """Judge programs by what each says of its version.

    It is a warning: a distribution may have mended what has kept its number.
    """
    known = [(each, text) for program, text in found for each in KNOWN if each.program == program and has(each, text)]
    if not known:
        told = [f"{program} {number(text)}" for program, text in found if number(text)]
        return ok(f"none is known of {', '.join(told)}" if told else "not looked for: nothing tells its version")
    said = [f"{each.program} {number(text)}: {each.sentence} ({each.source})" for each, text in known]
    lines = [f"{UPGRADES[each.program]}; mended in {', '.join(each.mended)}" for each, _ in known]
    return warning(
        f"{'; '.join(said)}; unless the distribution has mended it", SHELL, *dict.fromkeys(lines)
    )  # fmt: skip


def has(known: Known, text: str) -> bool:
    """Whether a version, in whatever words, has a fault."""
    version = numbers(text)
    if not version or version < numbers(known.since):
        return False
    mended = [numbers(good) for good in known.mended]
    of_release = [good for good in mended if good[:2] == version[:2]]
    return version < (of_release or mended)[0]


def number(text: str) -> str:
    """Find 22.05.8 in "slurm-wlm 22.05.8" and 1.8.1 in "crun version 1.8.1"; empty if there is none."""
    found = re.search(r"(?<![\w.])\d+(?:\.\d+)+", text)
    return found[0] if found else ""


def numbers(text: str) -> Version:
    """The same to be compared; empty if there is none."""
    return tuple(int(part) for part in number(text).split(".") if part)
