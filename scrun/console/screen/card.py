"""What the screen knows of one container: first what its state file tells, then what its tap says. Pure."""

from collections.abc import Iterator
from typing import Any

from proto.value import Value
from scrun.box.outline import why
from scrun.report.lines import printable
from scrun.tap.crowd import number

from .meter import Meter

Data = dict[str, Any]
LONGEST = 200
"""Characters of a text that is kept: a user may have written anything there."""


class Actor(Value):
    """One of its actors, as the supervisor tells of it."""

    pid: int
    incarnation: int
    restarts: int
    status: str
    reason: str


class Card:
    """One container.

    Attributes:
        root, id: where it is.
        owner: whose state directory that is.
        status: of OCI; ``phase``, ``job``, ``nodes``, ``step`` and ``reason`` are those of ``scrun list --long``.
        created: seconds since the epoch.
        anchor: its pid; 0 if it has gone.
        actors: by name.
        received, sent: bytes to its program, and from it.
        left: whether its tap has ended, so that its state file has to be read again.

    """

    def __init__(self, root: str, container_id: str, owner: str = "") -> None:
        self.root = root
        self.id = container_id
        self.owner = owner
        self.status = self.phase = self.job = self.nodes = self.step = self.reason = ""
        self.created = 0.0
        self.anchor = 0
        self.left = False
        self._begin()

    def _begin(self) -> None:
        self.actors: dict[str, Actor] = {}
        self.received = Meter()
        self.sent = Meter()

    @property
    def key(self) -> tuple[str, str]:
        """Which container it is."""
        return self.root, self.id

    def tell(self, status: str, phase: str, created: float, anchor: int, annotations: Data) -> None:
        """Take in what its state file, or its state on the tap, says."""
        if created != self.created:  # the id was used again
            self._begin()
        self.status, self.phase = _text(status), _text(phase)
        self.created = number(created)
        self.anchor = int(number(anchor))
        self.job, self.nodes, self.step = (
            _text(annotations.get(f"scrun.{name}", "")) for name in ("job-id", "nodes", "step")
        )
        self.reason = _text(why(annotations))
        self.left = False

    def hear(self, topic: str, body: Data) -> Iterator["Card"]:
        """Take in a message; yield this card if that has changed it.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it is none of the tap's contract.

        """
        layer, _, _ = topic.partition(".")
        data = body["data"]
        if layer == "hello":
            self._state(data["state"])
            for child in data["processes"]:
                self._child(child)
        elif layer == "state":
            self._state(data)
        elif layer == "child":
            self._child(data)
        elif topic == "note.stdio.moved":
            now = number(body["time"])
            self.received.count(now, int(data.get("stdin", 0)))
            self.sent.count(now, int(data.get("stdout", 0)) + int(data.get("stderr", 0)))
        else:
            return
        yield self

    def leave(self) -> Iterator["Card"]:
        """Its tap is there no more."""
        self.left = True
        yield self

    def _state(self, state: Data) -> None:
        self.tell(state["status"], state["phase"], state["created"], state["pid"], state["annotations"])

    def _child(self, child: Data) -> None:
        pid, incarnation, restarts = (int(number(child[name])) for name in ("pid", "incarnation", "restarts"))
        known = Actor(pid, incarnation, restarts, _text(child["status"]), _text(child["reason"]))
        self.actors[_text(child["actor"])] = known


def _text(value: object) -> str:
    """A text that moves no cursor, of bounded length."""
    return printable(str(value)[:LONGEST])
