"""What is known of a container that somebody asks about: of one that there is, and of one that engines have deleted."""

import json
import os

from proto.errors import NotFoundError, ScrunError, UsageError
from proto.host.paths import check_id
from proto.life import ends, journal, lifecycle, state_file
from proto.life.container import Container
from proto.life.creation import Creation
from proto.life.ending import Ending
from proto.life.journal import Record
from proto.value import Value
from scrun.box.box import ABANDONED, find
from scrun.box.outline import outline

_SHOWN = 3
"""How many ids are named when several fit."""


class Case(Value):
    """What the paragraph is made of.

    Attributes:
        id: of the container.
        phase: as ``scrun state`` has it (``proto.life.state_file``), or ``abandoned``.
        since: when that began, in seconds since the epoch.
        job_id, nodes: Slurm's, as far as they are known.
        reason: why it was queued at first, in Slurm's word.
        progress: how far its image was copied.
        ran: whether its program ever ran.
        ending: why it ends, or has ended.

    """

    id: str
    phase: str
    since: float
    job_id: int = 0
    nodes: str = ""
    reason: str = ""
    progress: str = ""
    ran: bool = False
    ending: Ending | None = None


def look_up(root: str, word: str) -> tuple[Case, Creation | None]:
    """Find the container that a word means: its id, the number of its job, or the beginning of its id.

    Returns:
        What is known of it, and what it was created with, if it is still there.

    Raises:
        UsageError: several have that job, or begin so.
        NotFoundError: none does.

    """
    check_id(word)
    known = sorted({*_present(root), *ends.names(root)})
    fitting, what = [word] if word in known else [], ""
    if not fitting and word.isdigit():
        fitting, what = [name for name in known if _job_of(root, name) == word], "have job"
    if not fitting:
        fitting, what = [name for name in known if name.startswith(word)], "begin with"
    if len(fitting) > 1:
        some = ", ".join(fitting[:_SHOWN]) + (", …" if len(fitting) > _SHOWN else "")
        raise UsageError(f"{len(fitting)} containers {what} {word}: {some}; give more of the id")
    name = fitting[0] if fitting else word
    found = _living(root, name) or _past(root, name)
    if found is None:
        raise NotFoundError(f"container {word} does not exist, and is none of the last {ends.LIMIT} that ended")
    return found


def _present(root: str) -> list[str]:
    try:
        return [name for name in os.listdir(root) if os.path.exists(f"{root}/{name}/state.json")]
    except OSError:
        return []


def _job_of(root: str, container_id: str) -> str:
    """The number of a container's job, or empty."""
    try:
        box = find(root, container_id)
        return outline(box, json.loads(box.state()))["job"]
    except (ScrunError, ValueError):
        end = ends.read(root, container_id)
        return str(end.job_id or "") if end is not None else ""


def _living(root: str, container_id: str) -> tuple[Case, Creation | None] | None:
    """A container that has a directory; None if it has gone, or its journal has just gone with it."""
    try:
        box = find(root, container_id)
    except NotFoundError:
        return None
    records = journal.read(box.paths.journal)
    return case_of(container_id, records, anchor_lives=box.alive()) if records else None


def case_of(container_id: str, records: list[Record], *, anchor_lives: bool) -> tuple[Case, Creation | None]:
    """What a journal tells; all that is not in it is whether somebody still writes it."""
    container, phase, since = Container(), "", 0.0
    for record in records:
        container = lifecycle.apply(container, record.event)
        if state_file.phase(container) != phase:
            phase, since = state_file.phase(container), record.time
    if not anchor_lives and not container.finished:
        phase, since = ABANDONED, records[-1].time
    case = Case(
        container_id, phase, since, container.job_id, container.nodes, container.queue_reason, container.progress,
        container.ran, container.ending,
    )  # fmt: skip
    return case, container.creation


def _past(root: str, container_id: str) -> tuple[Case, None] | None:
    """A container that is deleted, if its end is known."""
    end = ends.read(root, container_id)
    if end is None:
        return None
    return Case(end.id, "stopped", end.ended, end.job_id, end.nodes, ran=end.ran, ending=end.ending), None
