"""What is wrong with an oci.conf, so that no container of scrun's runs by it. Pure.

slurmstepd says why in its node's log alone: to srun it is an "Unspecified error", or nothing ever happens. Seen with
Slurm 22.05, 24.11 and 26.05.
"""

from collections.abc import Mapping

from .oci_conf import OTHERS, STARTS, OciConf
from .option_table import Version

QUERY_IS_NEEDED: Version = (23, 11)
"""The last version that may need RunTimeQuery: 22.05 does, 24.11 and 26.05 do not."""
PATTERNS: tuple[tuple[Version, str], ...] = (((0, 0), "%@bejnrstu"), ((23, 2), "mpU"), ((25, 5), "Z"))
"""What may follow a ``%``, and since when: slurmstepd ends at any other one."""
_POLLED = (
    "has RunTimeCreate and RunTimeStart, which start no container: slurmstepd waits for the end of what create says, "
    "which the container has as its output; RunTimeRun must be there in their place"
)
_NOT_WRITTEN = "has IgnoreFileConfigJson, which keeps Slurm from telling the runtime a step's command and variables"
_NO_BUNDLE = (
    "gives {} a root file system or a command and not the bundle (%b), which has mounts, ids and variables; it must "
    "run crun, runc or another OCI runtime"
)


def fault(conf: OciConf, version: Version) -> str:
    """What is wrong, as what follows the file's name; empty if nothing is.

    Args:
        conf: the file.
        version: Slurm's; (0, 0), unknown, counts as new.

    """
    lines, run = conf.runtime_lines, conf.runtime_run
    if not run and "RunTimeCreate" in lines:
        return _POLLED
    if "%b" not in run and ("%r" in run or "%@" in run):
        return _NO_BUNDLE.format(conf.runtime_name)
    if absent := missing(lines, version):
        return f"lacks {', '.join(absent)}"
    if others := [key for key in STARTS[1:] if key in lines]:
        return f"has both RunTimeRun and {others[0]}"
    if conf.ignores_config:
        return _NOT_WRITTEN
    return next((odd for key, value in lines.items() if (odd := _odd_pattern(key, value, version))), "")


def missing(lines: Mapping[str, str], version: Version) -> list[str]:
    """Keys that a node needs beside those that there are."""
    absent = [key for key in OTHERS if key not in lines]
    if "RunTimeQuery" in absent and not (0, 0) < version <= QUERY_IS_NEEDED:
        absent.remove("RunTimeQuery")
    return absent if any(key in lines for key in STARTS) else [*absent, "RunTimeRun"]


def _odd_pattern(key: str, value: str, version: Version) -> str:
    rest = iter(value)
    for letter in [next(rest, "") for char in rest if char == "%"]:
        since = next((since for since, letters in PATTERNS if letter in letters), None)
        if since is None:
            return f"has %{letter} in {key}, which is no pattern of Slurm's"
        if since > (0, 0) and (0, 0) < version < since:
            year, month = version
            return f"has %{letter} in {key}, which Slurm {year}.{month:02} does not know"
    return ""
