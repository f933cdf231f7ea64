"""Containers that are played: real state files and real taps, whose anchor is the test's own process."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Self

import zmq

from actors.anchor.descriptors import listen
from actors.state.snapshot import snapshot
from actors.state.tap import Tap
from proto.life import journal, state_file
from proto.life.container import Container
from proto.value import replace
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

PROCESS = {"pid": 0, "incarnation": 1, "restarts": 0, "status": "running", "reason": ""}
RUNNING: dict[str, Any] = {
    "job": "granted", "job_id": 7, "nodes": "n1", "stage": "ready", "step": "running", "step_id": "7.0", "ran": True,
}  # fmt: skip
QUEUED: dict[str, Any] = {"job": "queued", "job_id": 8, "queue_reason": "Resources"}


class Played:
    """One container."""

    def __init__(
        self, root: pathlib.Path, name: str, created: float, context: zmq.Context[zmq.Socket[bytes]], **state: Any
    ) -> None:
        self.directory = root / name
        self.directory.mkdir()
        self.container = Container(creation=creation(id=name, root=str(root), created=created), **state)
        self.processes: list[dict[str, Any]] = []
        self._listener = listen(f"{self.directory}/tap")
        self._tap = Tap(context, self._listener, f"{self.directory}/tap", name, 1, self._greeting)
        journal.Journal(f"{self.directory}/journal").close()
        self._write()

    def is_told(self) -> None:
        """Greet who has come to listen."""
        self._tap.subscriptions()

    def becomes(self, **state: Any) -> None:
        self.container = replace(self.container, **state)
        self._write()
        self._tap.publish_data("state", (), lambda: snapshot(self.container, os.getpid()))

    def moves(self, stdin: int, stdout: int) -> None:
        self._tap.publish_data("note", ("stdio", "moved"), lambda: {"stdin": str(stdin), "stdout": str(stdout)})

    def says(self, event: Any) -> None:
        """Write an event down, and say it."""
        written = journal.Journal(f"{self.directory}/journal")
        written.append(event)
        written.close()
        self._tap.publish("fact", "allocation", event)

    def leaves(self) -> None:
        """Its processes end."""
        self._tap.close()
        os.close(self._listener)

    def is_deleted(self) -> None:
        for path in self.directory.iterdir():
            path.unlink()
        self.directory.rmdir()

    def _greeting(self) -> dict[str, object]:
        return {"state": snapshot(self.container, os.getpid()), "processes": self.processes}

    def _write(self) -> None:
        text = state_file.render(self.container, os.getpid(), state_file.start_time(os.getpid()))
        (self.directory / "state.json").write_text(text)


class Stage(contextlib.ExitStack):
    """A state directory with containers that are played."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__()
        self.root = root
        self._context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 2000)
        self.callback(self._context.term)
        self.played: dict[str, Played] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def begins(self, name: str, created: float = 100.0, **state: Any) -> Played:
        found = self.played[name] = Played(self.root, name, created, self._context, **state)
        self.callback(found.leaves)
        return found

    def is_told(self) -> None:
        for played in self.played.values():
            played.is_told()
