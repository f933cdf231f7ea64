"""A command that is run again while Slurm does not answer: salloc or srun, whose request was not heard.

A name is started once in the life of the container, so each attempt has a name and a log of its own: ``step``,
``step-2`` … The logs say which is the last one; an actor that takes over goes on from there.
"""

import os

from actors.process.spool import Spool, text

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Seconds before the second attempt and those after it: one minute, to which each attempt adds what it waits itself.
Slurm's commands wait 10 s (MessageTimeout) for a controller, so that is up to two minutes and a quarter: longer than
SlurmctldTimeout (2 minutes), after which another controller takes over."""


class Attempts:
    """Counts them.

    Attributes:
        waiting: whether the last one has failed and the next one is still to come.

    """

    def __init__(self, spool: Spool, name: str, first_log: str) -> None:
        """Args:
        spool: where the words of the later ones go.
        name: of the first one's command.
        first_log: path of the first one's words, for which the anchor keeps room under the name ``NAME-log``.
        """
        self.waiting = False
        self._spool = spool
        self._base = name
        self._first_log = first_log
        self._number = 1
        while os.path.exists(spool.path(self._name(self._number + 1))):
            self._number += 1

    @property
    def name(self) -> str:
        """Name of the last attempt's command."""
        return self._name(self._number)

    @property
    def log(self) -> str:
        """Where its words go: a descriptor of the anchor's, or a file."""
        return f"{self._base}-log" if self._number == 1 else self._spool.path(self.name)

    @property
    def said(self) -> str:
        """Its words."""
        return text(self._first_log) if self._number == 1 else self._spool.said(self.name)

    @property
    def enough(self) -> bool:
        """Whether all pauses have been made, for those who do not try for ever."""
        return self._number > len(PAUSES)

    def wait(self) -> float:
        """The last attempt was not heard: seconds until the next one."""
        self.waiting = True
        return PAUSES[min(self._number, len(PAUSES)) - 1]

    def next(self) -> None:
        """Begin the next one."""
        self.waiting = False
        self._number += 1

    def _name(self, number: int) -> str:
        return self._base if number == 1 else f"{self._base}-{number}"
