"""The console's end of the hub: one question, one answer."""

import contextlib
import os
from collections.abc import Iterator

from proto.errors import DeadlineError, NotFoundError, from_wire
from proto.host.paths import ContainerPaths
from proto.host.sockets import endpoint
from proto.life import requests
from proto.wire.registry import Message
from scrun.box.box import Box, find

DEADLINE = 5.0
"""Seconds to wait for the answer."""
REPEAT = 1.0
"""Seconds after which the same is asked again: a state actor may die with a question, or by what it was asked for."""


def ask(paths: ContainerPaths, question: Message) -> Message:
    """Ask the state actor.

    Raises:
        NotFoundError: the container's processes are not there.
        DeadlineError: no answer in time.
        ScrunError: what the state actor says against it.

    """
    import zmq

    from proto.wire.envelope import Envelope, unpack

    box = find(paths.root, paths.id)
    if not box.alive():
        msg = f"container {paths.id} has stopped"
        raise NotFoundError(msg)
    with _somebody_there(box), zmq.Context() as context, context.socket(zmq.DEALER) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.connect(endpoint(paths.hub))
        frame = Envelope("state", "console", question).pack()
        for _ in range(int(DEADLINE / REPEAT)):
            sock.send(frame)
            if sock.poll(int(REPEAT * 1000)):
                break
        else:
            msg = f"container {paths.id} does not answer; its anchor may be gone (scrun state {paths.id})"
            raise DeadlineError(msg)
        reply = unpack(sock.recv()).message
    if isinstance(reply, requests.Failed):
        raise from_wire(reply.code, reply.sentence)
    return reply


@contextlib.contextmanager
def _somebody_there(box: Box) -> Iterator[None]:
    """Be heard: root is nobody in the user namespace of a user's engine, and asks as the owner there."""
    nobody = os.geteuid() == 0 and _namespace(box.anchor) != _namespace(os.getpid())
    if nobody:
        os.seteuid(os.stat(box.paths.hub).st_uid)
    try:
        yield
    finally:
        if nobody:
            os.seteuid(0)


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/user")
    except OSError:
        return ""
