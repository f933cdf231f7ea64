"""oci.conf: the keys that concern the submitting side (man page oci.conf(5))."""

import os
from collections.abc import Callable, Mapping

from proto.value import Value

from .option_table import Version

NEEDED = ("RunTimeQuery", "RunTimeKill", "RunTimeDelete")
"""Keys without which slurmstepd runs no container."""
STARTS = ("RunTimeRun", "RunTimeCreate", "RunTimeStart")
"""One of them must be there: the first, or the two others."""
PATTERNS: tuple[tuple[Version, str], ...] = (((0, 0), "%@bejnrstu"), ((23, 2), "mpU"), ((25, 5), "Z"))
"""What may follow a ``%``, and since when: slurmstepd ends at any other one."""
HOOKED = frozenset(("crun", "runc"))
"""Runtimes that run hooks as the specification has it, from their first versions on."""
TOOLKIT = "nvidia-container-runtime"
"""NVIDIA's, which is runc with a change of config.json before it; its variants have a dot and a word more."""


class OciConf(Value):
    """What oci.conf says.

    Attributes:
        srun_path: ``SrunPath``, or empty.
        srun_args: ``SrunArgs``, one argument per line of the file.
        runtime_lines: the values of ``NEEDED`` and ``STARTS``, by key as the manual writes it.
        mount_spool_dir: ``MountSpoolDir``, or empty (``spool_mount``).
        container_path: ``ContainerPath``, or empty.
        disabled_hooks: ``DisableHooks``: kinds of hooks that slurmd takes out of config.json.

    """

    srun_path: str = ""
    srun_args: tuple[str, ...] = ()
    runtime_lines: dict[str, str] = {}
    mount_spool_dir: str = ""
    container_path: str = ""
    disabled_hooks: tuple[str, ...] = ()

    @property
    def runtime_run(self) -> str:
        """Pattern ``RunTimeRun``, or empty."""
        return self.runtime_lines.get("RunTimeRun", "")

    @property
    def runtime(self) -> str:
        """The OCI runtime that it names, or empty."""
        return program_of(self.runtime_run.split())

    @property
    def runtime_name(self) -> str:
        """The same without its directory."""
        return os.path.basename(self.runtime)

    @property
    def runs_crun(self) -> bool:
        """Whether that is crun; it is what scrun tells sites to have, so also where none is named."""
        return self.runtime_name in {"", "crun"}

    @property
    def makes_streams(self) -> bool:
        """Whether it runs the hooks that make a program's standard output a pipe (``actors.oci.streams``)."""
        return self.runtime_name in HOOKED and not self.disabled("poststart", "poststop")

    @property
    def follows_links(self) -> bool:
        """Whether its root file system may be a link; runc says "not an absolute path, or a symlink" (1.1.5)."""
        return self.runtime_name != "runc" and not self.gives_gpus

    @property
    def gives_gpus(self) -> bool:
        """Whether it gives a container its GPUs by itself."""
        return self.runtime_name.partition(".")[0] == TOOLKIT

    def disabled(self, *kinds: str) -> list[str]:
        """Those of these kinds of hooks that ``DisableHooks`` has, as it writes them."""
        lower = {kind.lower() for kind in kinds}
        return sorted(hook for hook in self.disabled_hooks if hook.lower() in lower)


def parse(text: str) -> OciConf:
    """Read the file. Keys in any case, ``#`` begins a comment, a value may stand in double quotes."""
    runtime = {key.lower(): key for key in (*NEEDED, *STARTS)}
    srun_path = mount_spool_dir = container_path = ""
    srun_args: list[str] = []
    lines: dict[str, str] = {}
    hooks: tuple[str, ...] = ()
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals or key.lstrip().startswith("#"):
            continue
        plain = _value(value)
        match key.strip().lower():
            case "srunpath":
                srun_path = plain
            case "srunargs" if plain:
                srun_args.append(plain)
            case name if name in runtime and plain:
                lines[runtime[name]] = plain
            case "mountspooldir":
                mount_spool_dir = plain
            case "containerpath":
                container_path = plain
            case "disablehooks":
                hooks = tuple(word.strip() for word in plain.split(",") if word.strip())
    return OciConf(srun_path, tuple(srun_args), lines, mount_spool_dir, container_path, hooks)


def missing(lines: Mapping[str, str]) -> list[str]:
    """Keys that a node needs beside those that there are."""
    absent = [key for key in NEEDED if key not in lines]
    return absent if any(key in lines for key in STARTS) else [*absent, "RunTimeRun"]


def fault(conf: OciConf, version: Callable[[], Version]) -> str:
    """What is wrong with it, so that no node can run a container by it; empty if nothing is.

    slurmstepd says why in its node's log alone: to srun it is an "Unspecified error".

    Args:
        conf: a file without any RunTime line is no node's, and has no fault.
        version: gives Slurm's version, if there is need of it; (0, 0), unknown, counts as new.

    """
    lines = conf.runtime_lines
    if lines and (absent := missing(lines)):
        return f"lacks {', '.join(absent)}"
    if "RunTimeRun" in lines and (others := [key for key in STARTS[1:] if key in lines]):
        return f"has both RunTimeRun and {others[0]}"
    return next((odd for key, value in lines.items() if (odd := _odd_pattern(key, value, version))), "")


def _odd_pattern(key: str, value: str, version: Callable[[], Version]) -> str:
    rest = iter(value)
    for letter in [next(rest, "") for char in rest if char == "%"]:
        since = next((since for since, letters in PATTERNS if letter in letters), None)
        if since is None:
            return f"has %{letter} in {key}, which is no pattern of Slurm's"
        if since > (0, 0) and (0, 0) < version() < since:
            year, month = version()
            return f"has %{letter} in {key}, which Slurm {year}.{month:02} does not know"
    return ""


def _value(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    return text.partition("#")[0].strip()


def place(slurm_conf: str) -> str:
    """Where it is: beside slurm.conf."""
    return os.path.join(os.path.dirname(slurm_conf) if slurm_conf else "/etc/slurm", "oci.conf")


def load(slurm_conf: str) -> OciConf:
    """Read the oci.conf beside slurm.conf; without one everything is at its default."""
    try:
        with open(place(slurm_conf), encoding="utf-8", errors="surrogateescape") as file:
            return parse(file.read())
    except OSError:
        return OciConf()


def program_of(words: list[str]) -> str:
    """The program that a RunTime line runs in the end, or empty: what ``exec``, ``env`` and its options lead to."""
    rest = iter(words)
    for word in rest:
        if word in {"-u", "--unset"}:
            next(rest, None)
        elif word not in {"exec", "env"} and "=" not in word and not word.startswith("-"):
            return word
    return ""
