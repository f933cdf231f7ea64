"""The console's end of the hub: one question, one table."""

from proto.errors import DeadlineError, NotFoundError, from_wire
from proto.host.paths import ContainerPaths
from proto.host.sockets import endpoint
from proto.life import messages as m
from scrun.box.box import find

DEADLINE = 5.0
"""Seconds to wait for the table."""


def ask(paths: ContainerPaths, what: str, argument: str = "") -> m.Table:
    """Ask the state actor for a table.

    Raises:
        NotFoundError: the container's processes are not there.
        UsageError: there is no such table.
        DeadlineError: no answer in time.

    """
    import zmq

    from proto.wire.envelope import Envelope, unpack

    if not find(paths.root, paths.id).alive():
        msg = f"container {paths.id} has stopped"
        raise NotFoundError(msg)
    with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.connect(endpoint(paths.hub))
        sock.send(Envelope("state", "console", m.Inspect(what, argument)).pack())
        if not sock.poll(int(DEADLINE * 1000)):
            msg = f"container {paths.id} does not answer; its anchor may be gone (scrun state {paths.id})"
            raise DeadlineError(msg)
        reply = unpack(sock.recv()).message
    if isinstance(reply, m.Failed):
        raise from_wire(reply.code, reply.sentence)
    assert isinstance(reply, m.Table)  # noqa: S101 - the only other answer to Inspect
    return reply
