"""Verbs that a proxy for a container on another machine cannot offer, each with what to do instead."""

from proto.errors import UnsupportedError
from scrun.box.box import find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of

SENTENCES = {
    "mounts": "the container runs on another machine, where nothing can be mounted into it later",
    "checkpoint": "a container that runs as a Slurm job cannot be checkpointed",
    "restore": "a container that runs as a Slurm job cannot be restored from a checkpoint",
}


def run(line: Line) -> int:
    """Say that it cannot be done.

    Raises:
        NotFoundError: there is no such container (it makes no difference to ``restore``).
        UnsupportedError: else.

    """
    if line.verb != "restore":
        find(root_of(line), line.arguments[1] if line.verb == "mounts" else line.id)
    raise UnsupportedError(f"{line.verb} is not supported: {SENTENCES[line.verb]}")
