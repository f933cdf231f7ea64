"""Judges what the nodes will run: oci.conf as far as it can be seen from here."""

import re
import shlex
from collections.abc import Callable

from actors.slurm import oci_conf as slurms
from actors.slurm import oci_faults
from actors.slurm.commands import parse_version
from actors.slurm.oci_conf import parse, program_of
from actors.slurm.oci_faults import missing
from actors.slurm.option_table import Version
from scrun.host import Host

from .configuration import is_configless
from .finding import Finding, fault, ok, warning

_CRUN = "exec env -u NOTIFY_SOCKET crun --rootless=true --cgroup-manager=disabled --root=/run/slurm-oci/%u"
_NAME = "%n.%u.%j.%s.%t"
EXAMPLE = (
    f'RunTimeQuery="{_CRUN} state {_NAME}"',
    f'RunTimeKill="{_CRUN} kill -a {_NAME}"',
    f'RunTimeDelete="{_CRUN} delete --force {_NAME}"',
    f'RunTimeRun="{_CRUN} run --bundle %b {_NAME}"',
)


def oci_conf(host: Host) -> Finding:
    """Is oci.conf sane?"""
    if is_configless(host):
        return ok("not to be seen on a host without slurm.conf; scrun doctor --nodes shows whether each node has one")
    if not host.conf:
        return warning("not looked for, for want of slurm.conf")
    path = slurms.place(host.conf)
    version = parse_version(host.slurms_version)
    return judge_oci_conf(path, host.read(path), host.find, host.exists, systemd=host.systemd, version=version)


def judge_oci_conf(
    path: str,
    text: str | None,
    find: Callable[[str], str],
    exists: Callable[[str], bool],
    *,
    systemd: bool,
    version: Version,
) -> Finding:
    """Judge the file; the nodes have one of their own, which cannot be seen from here.

    Args:
        path: where it is.
        text: its contents, or None.
        find: looks a program up in PATH.
        exists: whether there is such a file.
        systemd: see ``judge_text``.
        version: see ``judge_text``.

    """
    if text is None:
        return warning(f"there is no {path} here; without one on the nodes no container runs there", path, *EXAMPLE)
    if problem := judge_text(path, text, systemd=systemd, version=version):
        return problem
    programs = {program(value) for value in parse(text).runtime_lines.values()}
    absent = sorted(name for name in programs if not (exists(name) if name.startswith("/") else find(name)))
    if absent:
        return warning(f"{path} names {', '.join(absent)}, which is not on this host; the nodes must have it")
    if problem := judge_hooks(path, text):
        return problem
    return ok(f"{path} runs {', '.join(sorted(programs))}; scrun doctor --nodes shows whether each node has one")


def judge_text(path: str, text: str, *, systemd: bool, version: Version) -> Finding | None:
    """What is wrong with the lines of an oci.conf, here or on a node.

    Args:
        path: where it is.
        text: its contents.
        systemd: whether slurmd may be a service of systemd's that tells when it is up (Type=notify): then slurmstepd
            hands NOTIFY_SOCKET on (seen with 24.11).
        version: of the Slurm that reads it; (0, 0) is unknown.

    """
    conf = parse(text)
    lines = conf.runtime_lines
    if wrong := oci_faults.fault(conf, version):
        absent = missing(lines, version)
        needed = [line for line in EXAMPLE if not absent or line.partition("=")[0] in absent]
        return fault(f"{path} {wrong}", path, *needed)
    if "%b" not in conf.runtime_run:
        return fault(f"RunTimeRun of {path} does not name the bundle (%b)", path, EXAMPLE[-1])
    loose = [key for key, value in lines.items() if not value.startswith("exec ")]
    if loose:
        return warning(
            f"{', '.join(loose)} of {path} should begin with exec: else a time limit and scancel end a shell above the "
            "runtime, and the program with it, unheard", path,
            *[f'{key}="exec {lines[key]}"' for key in loose],
        )  # fmt: skip
    told = [key for key, value in lines.items() if systemd and not hides_socket(value)]
    if told:
        return warning(
            f"{', '.join(told)} of {path} should take NOTIFY_SOCKET away: with systemd's it is in each container, and "
            "--userns=keep-id fails", path, *[f'{key}="exec env -u NOTIFY_SOCKET {lines[key][5:]}"' for key in told],
        )  # fmt: skip
    return None


def judge_hooks(path: str, text: str) -> Finding | None:
    """What is lost with a runtime that runs no hooks, here or on a node."""
    conf = parse(text)
    if conf.makes_streams:
        return None
    disabled = f" with DisableHooks={','.join(conf.disabled_hooks)}" if conf.disabled_hooks else ""
    lines = [line for line in EXAMPLE if line.startswith("RunTimeRun")] if not conf.disabled_hooks else []
    return warning(
        f"{path} runs {conf.runtime}{disabled}: only where crun or runc runs poststart and poststop "
        "hooks is a program's standard output a pipe, as engines make it", path, *lines,
    )  # fmt: skip


def hides_socket(value: str) -> bool:
    """Whether a RunTime line takes NOTIFY_SOCKET out of the environment; to empty it is not enough for crun."""
    return bool(
        re.search(r"\benv\b.*(-u ?|--unset=)NOTIFY_SOCKET\b|\benv (-i|-)( |$)|\bunset\b.*\bNOTIFY_SOCKET\b", value)
    )


def program(value: str) -> str:
    """The program of a RunTime line."""
    try:
        words = shlex.split(value)
    except ValueError:
        words = value.split()
    return program_of(words)
