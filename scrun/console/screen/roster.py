"""Which containers there are: those that live are heard, those that have stopped are read once."""

import json
import os
import pwd
from itertools import islice
from typing import TYPE_CHECKING

from proto.errors import ScrunError
from scrun.box import all_users
from scrun.box.outline import born, outline
from scrun.tap.crowd import NONSENSE
from scrun.tap.crowds import Crowds, Roots
from scrun.tap.following import Following
from scrun.tap.hearing import Gap

from .card import Card

if TYPE_CHECKING:
    import zmq

HEARD = ("state", "child.", "note.")
"""Layers of the tap: a container at which nothing happens says nothing on them."""
PAUSE = 5.0
"""Seconds between two looks whether anchors live: each is a file to read. Who ends says so at once."""
ROUNDS = 20
"""Of 1000 messages each, in one look."""
LIMIT = 1000
"""Containers of one directory of another user's that are shown, as many as are listened to."""


class Roster:
    """All containers of a state directory, or as root those of all users.

    Attributes:
        cards: what is known of each.
        crowds: who listens.

    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", root: str, roots: Roots = all_users.roots) -> None:
        """Args:
        context: for the sockets.
        root: the one directory, which is there; empty: all users'.
        roots: where those may be.
        """
        self.cards: dict[tuple[str, str], Card] = {}
        self.crowds = Crowds(context, root, self, roots, prefixes=HEARD, pause=PAUSE)
        self.everyone = not root
        self._owners: dict[str, str] = {}

    def look(self) -> None:
        """Hear what was said, and see who has come and gone."""
        left = []
        for _ in range(ROUNDS):
            changed = list(self.crowds.hear())
            left += [card for card in changed if card.left]
            if not changed:
                break
        directories = {following.root: following for following in self.crowds.directories()}
        there = {root: set(self._names(following)) for root, following in directories.items()}
        for key in [key for key in self.cards if key[1] not in there.get(key[0], ())]:
            del self.cards[key]
        for card in left:
            if card.key in self.cards:
                self._read(directories[card.root], card.id)
        for root, names in there.items():
            for name in names:
                if (root, name) not in self.cards:
                    self._read(directories[root], name)

    def following(self, root: str) -> Following | None:
        """The state directory of that path, if it is there."""
        return next((found for found in self.crowds.directories() if found.root == root), None)

    def listener(self, root: str, name: str) -> Card:
        """The card of a container that is heard for the first time."""
        return self.cards.setdefault((root, name), Card(root, name, self._owner(root)))

    def gap(self, gap: Gap) -> tuple[()]:
        """What was not heard, the next state tells."""
        del gap
        return ()

    def refused(self) -> tuple[()]:
        """Nonsense is passed over."""
        return ()

    def close(self) -> None:
        """Listen no longer."""
        self.crowds.close()

    def _names(self, following: Following) -> list[str]:
        try:
            names = following.names()
        except OSError:
            return []
        return list(islice((name for name in names if not name.startswith(".")), LIMIT if self.everyone else None))

    def _read(self, following: Following, name: str) -> None:
        """What the state file tells; of a container that has just come there is none yet."""
        try:
            box = following.box(name)
            state = json.loads(box.state())
            phase = "stopped" if box.status == "stopped" == box.recorded else outline(box, state)["phase"]
            anchor = box.anchor if box.status != "stopped" else 0
            card = self.listener(following.root, name)
            card.tell(box.status, phase, born(state), anchor, state["annotations"])
        except (ScrunError, OSError, RecursionError, *NONSENSE):
            return

    def _owner(self, root: str) -> str:
        if root not in self._owners:
            try:
                uid = os.stat(root).st_uid
                self._owners[root] = pwd.getpwuid(uid).pw_name
            except OSError:
                return ""
            except KeyError:
                self._owners[root] = str(uid)
        return self._owners[root]
