"""``containers``: all of the state directory."""

import json
import os
from collections.abc import Iterator

from proto.errors import ScrunError
from scrun.box.box import find

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
        except (ScrunError, ValueError):
            continue
        known = {key.removeprefix("scrun."): value for key, value in state["annotations"].items()}
        phase = state["scrun"]["phase"] if box.status != "stopped" else "stopped"
        reason = known.get("end-reason") or known.get("job-reason") or known.get("staging", "")
        yield name, box.status, phase, known.get("job-id", ""), known.get("nodes", ""), state["created"][:19], reason


COMMAND = Command(
    "containers",
    "all containers of the state directory",
    ("id", "status", "phase", "job", "nodes", "created", "reason"),
    rows,
    "root looks at another user's with `--root /run/user/UID/scrun`. `reason`: why it is queued, how far its staging "
    "is, or why it ended; `created` is UTC",
    container=False,
)
