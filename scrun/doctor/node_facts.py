"""What a plain step says of its node, and the judgement on it: no container is needed for that.

How slurmd was started cannot be seen from a step, since its environment is root's. Its command line can, which names
slurm.conf where that is not at the default place, and systemd tells everybody of which type the service is.
"""

from typing import NamedTuple

from actors.programs import program
from actors.slurm.commands import parse_version
from actors.slurm.messages import BUSY, judge
from actors.staging.overlay.kinds import Verdict
from scrun.host import Answer

from . import clocks, speed, versions
from .finding import SHELL, Finding, fault, ok, warning
from .nodes import EXAMPLE, judge_hooks, judge_text
from .table import Row

SCRIPT = speed.SCRIPT + program("node_facts.sh").decode()
"""Wants a directory in the staging directory as $1; says lines ``NAME=VALUE``."""

INSTALL_CRUN = "apt install crun  # or: dnf install crun"


class Facts(NamedTuple):
    """What was said: ``values`` by name, and the text of oci.conf, or None if there is none."""

    values: dict[str, str]
    oci_conf: str | None


def read_facts(text: str) -> Facts | None:
    """Read the script's lines; nothing if it did not come to its end."""
    values: dict[str, str] = {}
    lines: list[str] = []
    for each in text.splitlines():
        name, equals, value = each.partition("=")
        if name == "line":
            lines.append(value)
        elif equals:
            values[name] = value.strip()
    if "end" not in values:
        return None
    return Facts(values, "\n".join(lines) if lines else None)


class Asked(NamedTuple):
    """What is known about a node's answer besides itself.

    Attributes:
        slurmd: version of the node's slurmd.
        began: this host's time before it was asked, in seconds.
        ended: the same afterwards.

    """

    slurmd: str
    began: float
    ended: float


Ids = tuple[list[str], list[str]]
"""Lines ``USER:FIRST:COUNT`` of two files."""


def judge_facts(node: str, facts: Facts, marker: str, ids: Ids | None, asked: Asked) -> list[Row]:
    """Judge all.

    Args:
        node: the node's name.
        facts: what it said.
        marker: path of what it should have seen in the staging directory.
        ids: the user's lines in /etc/subuid and /etc/subgid of this host, if containers get these ids.
        asked: what else is known about its answer.

    """
    values = facts.values
    rows = [
        Row(f"{node} runtime", judge_runtime(facts, asked.slurmd)),
        Row(f"{node} staging", judge_staging(values, marker.rpartition("/")[0])),
        Row(f"{node} system", judge_system(values)),
        Row(f"{node} known faults", judge_programs(values, asked.slurmd)),
        Row(f"{node} clock", judge_time(node, values, asked)),
    ]
    if "writable" in values:
        rows.append(Row(f"{node} speed", speed.judge_speed(values)))
    if ids:
        rows.append(Row(f"{node} ids", judge_ids(values, ids)))
    return rows


def judge_silence(answer: Answer) -> Finding:
    """Judge a step that said nothing, by what srun says."""
    if answer.status == 124:
        return fault("a plain job did not come to its end in time")
    verdict = judge(answer.text.splitlines())
    sentence = verdict.sentence if verdict else f"srun ended with status {answer.status} and not a word"
    if verdict and verdict.transient:
        return warning("not visited: it is busy" if verdict.sentence == BUSY else f"not visited: {sentence}")
    return fault(f"no plain job runs there: {sentence}")


def judge_runtime(facts: Facts, slurmd: str) -> Finding:
    """Judge the node's oci.conf and the program that it names; ``slurmd`` is that one's version."""
    path, values = facts.values.get("oci", ""), facts.values
    if facts.oci_conf is None:
        return fault(f"there is no {path}, so no container runs there", path, *EXAMPLE)
    version = parse_version(f"slurm {slurmd}")
    problem = judge_text(path, facts.oci_conf, systemd="notify" in values.get("notify", ""), version=version)
    if problem and problem.level == "fault":
        return problem
    program, root = values.get("program", ""), values.get("root", "")
    if not values.get("found"):
        return fault(f"{path} names {program}, which is not there", SHELL, INSTALL_CRUN)
    if root and "root-open" not in values:
        return fault(f"the runtime's directory {root} is not there or closed", SHELL, f"install -d -m 1777 {root}")
    return problem or judge_hooks(path, facts.oci_conf) or ok(f"{path} runs {values.get('version') or program}")


def judge_staging(values: dict[str, str], directory: str) -> Finding:
    """Judge whether the node sees what this host writes."""
    lines = ("/etc/scrun/scrun.toml", "[staging]", 'directory = "/shared/by/all/nodes/%u"')
    if "seen" not in values:
        return fault(f"it does not see what this host has in {directory}", *lines)
    if "writable" not in values:
        return fault(f"it sees {directory}, and may not write there", *lines)
    kind, options, place = (*values.get("mount", "").split(), "", "", "")[:3]
    if "noexec" in options.split(","):
        sentence = f"{place} is mounted there with noexec: programs of a copied image may be refused"
        return warning(sentence, SHELL, f"mount -o remount,exec {place}")
    return ok(f"it sees {directory}{f', on {kind}' if kind else ''}")


def judge_overlays(verdict: Verdict, changes: str) -> Finding:
    """Judge how a container gets its root file system there; ``changes`` as in ``[staging]``."""
    if not verdict.works:
        return warning(f"containers get a copy of their image, since no overlay works there: {verdict.why}")
    overlays = (
        "" if verdict.hooks else ", with an overlay for each top directory, which no program can remove or rename"
    )
    return ok(f"containers start without a copy{overlays}; what they change lies in {changes} there until they end")


def judge_system(values: dict[str, str]) -> Finding:
    """Judge the kernel."""
    known = f"{values.get('kernel', '')}, control groups of version {values.get('cgroup', '')}"
    if "userns" not in values:
        return fault(
            f"{known}: user namespaces cannot be made", "/etc/sysctl.d/scrun.conf", "user.max_user_namespaces = 15000",
            "kernel.unprivileged_userns_clone = 1",
        )  # fmt: skip
    if values.get("cgroup") == "hybrid" and values.get("program", "").endswith("crun"):
        return warning(
            f"{known}, of both at once: crun refuses that", "the kernel's command line",
            "systemd.unified_cgroup_hierarchy=1",
        )  # fmt: skip
    return ok(known)


def judge_programs(values: dict[str, str], slurmd: str) -> Finding:
    """Judge the versions of the two programs that a container meets there."""
    runtime = values.get("program", "").rpartition("/")[2]
    return versions.judge_versions([("slurmd", slurmd), (runtime, values.get("version", ""))])


def judge_time(node: str, values: dict[str, str], asked: Asked) -> Finding:
    """Judge its clock."""
    if not values.get("time", "").isdigit():
        return warning("not compared: it does not tell its time")
    return clocks.judge_clock(clocks.ahead(int(values["time"]), asked.began, asked.ended), node)


def judge_ids(values: dict[str, str], here: Ids) -> Finding:
    """Judge what several ids of a container need; newuidmap(1) maps what /etc/subuid of the node gives."""
    if not values.get("newuidmap"):
        return fault("newuidmap is not installed there", SHELL, "apt install uidmap  # or: dnf install shadow-utils")
    missing: dict[str, list[str]] = {}
    for file, name, lines in (("/etc/subuid", "uids", here[0]), ("/etc/subgid", "gids", here[1])):
        there = {line.partition(":")[2] for line in values.get(name, "").split()}
        if lacking := [line for line in lines if line.partition(":")[2] not in there]:
            missing[file] = lacking
    if missing:
        lines = [f"echo {line} >>{file}" for file, lacking in missing.items() for line in lacking]
        return warning(f"{' and '.join(missing)} there lack ids that the user has on this host", SHELL, *lines)
    return ok("newuidmap, and the user's subordinate ids as on this host")
