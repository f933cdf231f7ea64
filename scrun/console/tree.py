"""``tree``: the processes of a container."""

from collections.abc import Iterator

from .command import Command, Question, Row
from .processes import measure


def rows(question: Question) -> Iterator[Row]:
    """What the state actor and the anchor know of each, and what the kernel does."""
    for name, pid, incarnation, restarts, status, mailbox, lease, detail in question.ask("tree").rows:
        seen = measure(int(pid))
        counted = (int(mailbox) if mailbox else None, float(lease) if lease else None)
        yield (
            name, int(pid), int(incarnation), int(restarts), status, seen.uptime, seen.cpu, seen.pss, seen.descriptors,
            *counted, detail,
        )  # fmt: skip


COMMAND = Command(
    "tree",
    "its processes: anchor, guard, actors, and the commands of Slurm's that run",
    (
        "process", "pid", "incarnation", "restarts", "status", "uptime", "cpu", "pss", "descriptors", "mailbox",
        "lease", "detail",
    ),
    rows,
    "`staging … stopped … not needed now` is normal. Restarts that grow: read the log. `uptime` and `cpu` are seconds, "
    "`pss` KiB; `mailbox` is what waited for the actor when it last renewed its lease, which is two seconds ago at "
    "most; `lease` says after how many seconds of silence it counts as stuck",
)  # fmt: skip
