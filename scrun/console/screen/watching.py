"""All that the screen knows: the containers, what they take on this host, and what Slurm says of their jobs."""

import time
from typing import TYPE_CHECKING

from actors.slurm.usage import Usage
from scrun.why.paragraph import ASKED

from .card import Card
from .load import Loads
from .roster import Roster
from .rows import Row
from .slurm import MEASURED, Question, Slurm, queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    import zmq

    from actors.slurm.scheduler import Outlook


class Watching:
    """What is looked at once a second, and for a row when it is seen.

    Attributes:
        roster: the containers.
        loads: of their processes.

    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", roster: Roster, slurm: Slurm) -> None:
        """Args:
        context: for the sockets.
        roster: the containers.
        slurm: whom to ask.
        """
        self.context = context
        self.roster = roster
        self.loads = Loads()
        self._slurm = slurm
        self._waiting = Question(slurm.waiting)
        self._outlooks: Mapping[int, Outlook] = {}
        self._step = ""
        self._used = Question(lambda: slurm.used(self._step))

    @property
    def everyone(self) -> bool:
        """Whether all users' containers are looked at."""
        return self.roster.everyone

    def cards(self) -> list[Card]:
        """What is known of each container."""
        return list(self.roster.cards.values())

    def look(self) -> None:
        """A second has passed."""
        self.roster.look()
        self.loads.forget()
        jobs = {card.job for card in self.roster.cards.values() if card.phase in ASKED and card.job}
        self._outlooks = queue(self._waiting, jobs)

    def row(self, card: Card) -> Row:
        """What is shown of a container now."""
        outlook = self._outlooks.get(int(card.job)) if card.job.isascii() and card.job.isdigit() else None
        return Row(card, time.time(), self.loads.of(card.anchor), outlook)

    def used(self, card: Card) -> Usage | None:
        """What the step of a container uses, as far as Slurm has told by now."""
        if card.step != self._step:
            self._used.close()
            self._step, self._used = card.step, Question(lambda: self._slurm.used(self._step))
        return self._used.look(MEASURED) if card.step else None

    def close(self) -> None:
        """Look no longer."""
        self._waiting.close()
        self._used.close()
        self.roster.close()
