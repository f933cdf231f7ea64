"""Figure 1: the verbs that engines call all the time, against a bare interpreter and against crun."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import re
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING

from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench
    from .container import Container

NAME = "verbs"
IDLE = ("sleep", "1000")
READY = ("sh", "-c", "trap 'exit 0' TERM; echo ready; sleep 1000 & wait")
"""It takes TERM, which is what Slurm's scrun has for a KILL: without that it lives on for slurm.conf's KillWait."""
HOT = {
    "state": (("state",), ()),
    "kill 0": (("kill",), ("0",)),
    "kill USR1": (("kill",), ("USR1",)),
}
WITH_SLURM = frozenset({"kill USR1", "start", "delete --force"})
"""These wait for a command of Slurm."""
CRUN_NOTE = (
    "crun state: of the very same container, which slurmd's crun runs here (crun itself starts none in a hybrid "
    "cgroup hierarchy)"
)
KILL_NOTE = "kill: until the signal is delivered; scancel --signal, by hand to the same step, is what does it"
START_NOTE = "start: until the program runs, so it contains srun and slurmd; 'start, refused': of a running container"


def measure(bench: Bench) -> Iterator[Row]:
    """Some containers one after another: start, the hot verbs, kill, delete; and a bare interpreter before each."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(bench.times(25, 2)):
        container = bench.container(*IDLE)
        try:
            _one(bench, container, took)
        finally:
            container.remove()
            bench.processes.reap_strays()
    bare = tuple(took["bare"])
    crun = tuple(took["crun"])
    for verb in (*HOT, "start, refused", "start", "delete", "delete --force"):
        aim = "" if verb in WITH_SLURM else "<= 1.5 x"
        note = START_NOTE if "start" in verb else ""
        yield Row(NAME, f"scrun {verb}", "ms", tuple(took[verb]), "python3 -IS -c pass", bare, aim, note)
        if verb == "state" and crun:
            yield Row(NAME, "scrun state", "ms", tuple(took[verb]), "crun state", crun, "", CRUN_NOTE)
        if verb == "kill USR1":
            scancel = tuple(took["scancel"])
            yield Row(NAME, "scrun kill USR1", "ms", tuple(took[verb]), "scancel --signal", scancel, "", KILL_NOTE)
    yield Row(NAME, "python3 -IS -c pass", "ms", bare)


def _one(bench: Bench, container: Container, took: dict[str, list[float]]) -> None:
    container.create()
    took["bare"].append(bench.bare())
    took["start"].append(container.start().milliseconds)
    crun = find_crun(container)
    for _ in range(bench.times(4, 2)):
        took["bare"].append(bench.bare())
        for verb, (before, after) in HOT.items():
            took[verb].append(bench.scrun(*before, container.name, *after).milliseconds)
        refused = bench.run("scrun", "--root", bench.root, "start", container.name)
        took["start, refused"].append(refused.milliseconds)
        took["scancel"].append(bench.good("scancel", "--signal=USR1", f"{job_of(container)}.0").milliseconds)
        if crun:
            took["crun"].append(bench.good(*crun).milliseconds)
    took["bare"].append(bench.bare())
    if len(took["delete"]) > len(took["delete --force"]):
        took["delete --force"].append(container.delete("--force").milliseconds)
        return
    bench.scrun("kill", container.name, "KILL")
    container.wait()
    took["delete"].append(container.delete().milliseconds)


def job_of(container: Container) -> str:
    """The container's job, as ``scrun state`` names it."""
    state = json.loads(container.bench.scrun("state", container.name).output)
    return str(state["annotations"]["scrun.job-id"])


def find_crun(container: Container) -> tuple[str, ...]:
    """The command that asks crun about this container's own process; nothing if that cannot be found.

    oci.conf names crun's directory, and in it there is one directory per container of the user.
    """
    conf = pathlib.Path(os.environ.get("SLURM_CONF", "/etc/slurm/slurm.conf")).with_name("oci.conf")
    if not shutil.which("crun") or not conf.exists():
        return ()
    found = re.search(r"crun\b.*--root=(\S+)", conf.read_text())
    if found is None:
        return ()
    root = found[1].replace("%u", pwd.getpwuid(os.getuid()).pw_name).replace("%U", str(os.getuid()))
    try:
        names = os.listdir(root)
    except OSError:
        return ()
    for name in names:
        status = pathlib.Path(root, name, "status")
        try:
            if f"/{container.name}/" in status.read_text():
                return ("crun", f"--root={root}", "state", name)
        except OSError:
            continue
    return ()
