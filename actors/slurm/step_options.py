"""Which of the job options go to srun, and how many containers a step has.

A step has one container for each task. Before 23.02 a node runs one task of a container step only ("unexpected
number of tasks"), so more of them are refused.

In a job of scrun's own, the step takes all of the job's nodes. In an allocation that is not scrun's it takes one task
on one node, unless ``nodes`` or ``ntasks`` ask for more: many containers may share such an allocation.
"""

from collections.abc import Mapping

from .option_table import BOTH, BY_NAME, PLACE, STEP, Version
from .options import is_set, show, word

SEVERAL_TASKS: Version = (23, 2)
"""First version with several tasks of a container step on a node (changelog: "per task spool directory")."""
LAYOUT = frozenset(
    {"nodes", "ntasks", "ntasks-per-node", "ntasks-per-core", "kill-on-bad-exit", "overlap", "unbuffered"}
)
"""Options that are decided here instead of being passed on as they are."""


def words(options: Mapping[str, str], foreign: bool, version: Version) -> list[str]:
    """Return srun's words for the job options.

    ``--overlap`` lets steps of one allocation run beside each other, ``--unbuffered`` passes output without a
    newline at once; both can be taken back.

    Args:
        options: resolved, and fit for the version.
        foreign: the allocation is not scrun's own.
        version: of Slurm; (0, 0), unknown, counts as old.

    """
    found = [f"--{name}" for name in ("overlap", "unbuffered") if is_set(options, name, default=True)]
    found += parts(options)
    found += _layout(options, foreign, version >= SEVERAL_TASKS)
    if is_set(options, "kill-on-bad-exit", default=_several(options)):
        found.append("--kill-on-bad-exit")
    places = {STEP, BOTH, PLACE} if foreign else {STEP, BOTH}
    for name, value in options.items():
        if name not in LAYOUT and BY_NAME[name].where in places:
            found.append(word(BY_NAME[name], value))
    return [text for text in found if text]


def fault(options: Mapping[str, str], version: Version, *, terminal: bool) -> str:
    """Why no step can have the tasks that are asked for: a sentence, or nothing.

    Args:
        options: of the job.
        version: of Slurm; of (0, 0), unknown, nothing is said.
        terminal: whether the container has one.

    """
    if terminal and _several(options):
        return (
            "a terminal (-t) is that of one task, and this container has several (scrun.nodes, scrun.ntasks): leave "
            "one of the two out"
        )
    if terminal and "input" in options:
        return "with a terminal (-t) standard input is the terminal: leave scrun.input out"
    if not (0, 0) < version < SEVERAL_TASKS:
        return ""
    nodes = options.get("nodes", "" if _names_several(options) else "1").replace("-", ",").rpartition(",")[2]
    if not nodes.isdecimal():
        return ""
    tasks = max(int(options.get("ntasks", "1")), int(nodes) * int(options.get("ntasks-per-node", "1")))
    if tasks <= int(nodes):
        return ""
    return (
        f"Slurm {show(version)} runs one task of a container on each node, and {tasks} are asked for on {nodes}: say "
        f"scrun.nodes={tasks}, or scrun.cpus-per-task for one task with more CPUs"
    )


def parts(options: Mapping[str, str]) -> list[str]:
    """Which jobs of a heterogeneous allocation are meant."""
    return [f"--het-group={options['het-group']}"] if "het-group" in options else []


def _layout(options: Mapping[str, str], foreign: bool, tasks: bool) -> list[str]:
    """Nodes and tasks of the step.

    Without a word about either, srun runs one task on each node of the allocation; ``--ntasks-per-node=1`` alone
    would run one task in all. Never a range of nodes: with ``--ntasks-per-node`` it crashes slurmctld 22.05.8 by a
    division by zero.
    """
    nodes, ntasks = _least(options.get("nodes", ""), foreign), options.get("ntasks", "")
    if foreign and not nodes and (not ntasks or not tasks):
        return ["--nodes=1", "--ntasks=1"]
    found = [f"--nodes={nodes}"] if nodes else []
    names = ("ntasks", "ntasks-per-node", "ntasks-per-core") if tasks else ()
    layout = [f"--{name}={options[name]}" for name in names if name in options]
    if not layout and nodes:
        layout = ["--ntasks-per-node=1"]
    return found + layout


def _least(nodes: str, foreign: bool) -> str:
    """The least number of a specification of nodes ("2", "2-4", "1,3"); of our own job only an exact one counts."""
    if not foreign or not nodes:
        return nodes if nodes.isdigit() else ""
    least = nodes.partition("-")[0].partition(",")[0]
    return least if least.isdigit() else "1"


def runs_once(options: Mapping[str, str]) -> bool:
    """Whether a step on one node has one container only, whatever the version."""
    return not _several(options)


def has_one_task(options: Mapping[str, str]) -> bool:
    """Whether a step has one task, whatever the version and the nodes."""
    return runs_once(options) and not any(name.startswith("ntasks-per-") for name in options)


def _several(options: Mapping[str, str]) -> bool:
    groups = bool({",", "-"} & set(options.get("het-group", "")))
    numbers = any(options.get(name, "1") != "1" for name in ("nodes", "ntasks", "ntasks-per-node"))
    return groups or numbers or _names_several(options)


def _names_several(options: Mapping[str, str]) -> bool:
    """A job has all nodes that are named to it, also without a number (salloc(1), --nodelist)."""
    return bool({",", "["} & set(options.get("nodelist", ""))) or "nodefile" in options
