"""From the command line to the screen."""

import contextlib
import os

import textual  # noqa: F401 - before all else: whether it is there
import zmq

from proto.errors import NotFoundError
from proto.host.paths import make_root
from scrun.cli.parsing import Line
from scrun.host import Host
from scrun.tap.crowds import allow_descriptors

from .app import Top
from .roster import Roster
from .slurm import Slurm
from .watching import Watching


def show(line: Line, root: str, container_id: str) -> None:
    """Be the screen until it is left.

    Args:
        line: the command line.
        root: the state directory; empty: those of all users.
        container_id: the container that is shown at once, or empty.

    Raises:
        NotFoundError: there is no such container.

    """
    if root:
        make_root(root)
    allow_descriptors()
    with zmq.Context() as context, contextlib.closing(watching(context, line, root)) as found:
        found.look()
        if container_id and not any(card.id == container_id for card in found.cards()):
            raise NotFoundError(f"container {container_id} does not exist")
        Top(found, container_id).run()


def watching(context: "zmq.Context[zmq.Socket[bytes]]", line: Line, root: str) -> Watching:
    """What the screen knows."""
    return Watching(context, Roster(context, root), Slurm(Host(line), os.stat(root).st_uid if root else None))
