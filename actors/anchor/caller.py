"""Who has called: ``create``, which waits for its answer, and the engine behind it, which then calls ``start``."""

import contextlib
import os
import select
import socket

from proto.life import talk

from .engine import Engine
from .outbox import Outbox


class Caller:
    """The anchor's connection with ``create``, and its watch over the engine."""

    def __init__(self, answer: socket.socket, engine: Engine | None, poller: select.poll, outbox: Outbox) -> None:
        """Args:
        answer: the connection with ``create``.
        engine: the process that will start the container, if it is known.
        poller: of the anchor's loop.
        outbox: for the state actor.
        """
        self._answer: socket.socket | None = answer
        self._engine = engine
        self._poller = poller
        self._outbox = outbox
        poller.register(answer, 0)
        if engine is not None:
            poller.register(engine.fd, select.POLLIN)

    def hear(self, fd: int) -> bool:
        """Something has happened to a descriptor; whether it is one of these."""
        if self._answer is not None and fd == self._answer.fileno():
            self._on_create(self._answer)
        elif self._engine is not None and fd == self._engine.fd:
            self._on_engine(self._engine)
        else:
            return False
        return True

    def answer(self, code: str, sentence: str) -> None:
        """Tell ``create`` how it went; a code is an error's."""
        if self._answer is None:
            return
        self._poller.modify(self._answer, select.POLLIN)
        with contextlib.suppress(OSError):
            self._answer.send(f"{code}\n{sentence}".encode())
        if code:
            self._forget_create(self._answer)

    def _on_create(self, answer: socket.socket) -> None:
        """``create`` has done all that it had to, or has died before: whoever called it was told so."""
        done = b""
        with contextlib.suppress(OSError):
            done = answer.recv(1)
        self._forget_create(answer)
        if not done:
            self._outbox.for_good(talk.Abandoned())

    def _forget_create(self, answer: socket.socket) -> None:
        self._poller.unregister(answer)
        answer.close()
        self._answer = None

    def _on_engine(self, engine: Engine) -> None:
        """Its process has ended: as ``podman init`` ends, which leaves the rest to ``podman start``, or for good."""
        self._poller.unregister(engine.fd)
        os.close(engine.fd)
        self._engine = None
        if engine.starts or self._answer is not None:
            self._outbox.for_good(talk.Deserted())
