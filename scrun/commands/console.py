"""``scrun console ID TABLE``: look into the processes of a container."""

import sys

from proto.errors import DeadlineError, NotFoundError, from_wire
from proto.host.paths import ContainerPaths
from proto.host.sockets import endpoint
from proto.life import messages as m
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.packages import use_packages

DEADLINE = 5.0
"""Seconds to wait for the table."""


def run(line: Line) -> int:
    """Print one table; ``tree`` if none is named."""
    use_packages()
    paths = ContainerPaths(root_of(line), line.id)
    what = line.arguments[1] if len(line.arguments) > 1 else "tree"
    table = ask(paths, what)
    for row in (table.header, *table.rows):
        sys.stdout.write(_aligned(row, table) + "\n")
    sys.stdout.flush()
    return 0


def ask(paths: ContainerPaths, what: str) -> m.Table:
    """Ask the state actor for a table.

    Raises:
        NotFoundError: the container's processes are not there.
        UsageError: there is no such table.
        DeadlineError: no answer in time.

    """
    import os

    import zmq

    from proto.wire.envelope import Envelope, unpack

    if not os.path.exists(paths.hub):
        msg = f"container {paths.id} does not exist or has stopped"
        raise NotFoundError(msg)
    with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.connect(endpoint(paths.hub))
        sock.send(Envelope("state", "console", m.Inspect(what)).pack())
        if not sock.poll(int(DEADLINE * 1000)):
            msg = f"container {paths.id} does not answer; its anchor may be gone (scrun state {paths.id})"
            raise DeadlineError(msg)
        reply = unpack(sock.recv()).message
    if isinstance(reply, m.Failed):
        raise from_wire(reply.code, reply.sentence)
    assert isinstance(reply, m.Table)  # noqa: S101 - the only other answer to Inspect
    return reply


def _aligned(row: tuple[str, ...], table: m.Table) -> str:
    widths = [max(len(r[i]) for r in (table.header, *table.rows)) for i in range(len(table.header))]
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
