"""``containers``: all of the state directory."""

import json
import os
from collections.abc import Iterator

from proto.errors import ScrunError
from scrun.box.box import find
from scrun.box.outline import outline

from .command import Command, Question, Row


def rows(question: Question) -> Iterator[Row]:
    """One for each, in the order of their ids; what is no container is passed over."""
    try:
        names = sorted(os.listdir(question.root))
    except OSError:
        return
    for name in names:
        try:
            box = find(question.root, name)
            state = json.loads(box.state())
            told = outline(box, state)
        except (ScrunError, ValueError):
            continue
        phase = "stopped" if box.status == "stopped" else told["phase"]
        yield name, box.status, phase, told["job"], told["nodes"], state["created"][:19], told["reason"]


COMMAND = Command(
    "containers",
    "all containers of the state directory",
    ("id", "status", "phase", "job", "nodes", "created", "reason"),
    rows,
    "root looks at another user's with `--root /run/user/UID/scrun`. `reason`: why it is queued, how far its staging "
    "is, or why it ended; `created` is UTC",
    container=False,
)
