"""What the screen asks Slurm: one squeue for all jobs that wait, and one sstat for the one container that is shown.

It asks as who looks, never with what a container's owner has given to ``create``: root runs no program that a user
has named. And it waits for no answer.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic

from actors.process.command import Command
from actors.slurm import outlook, usage
from actors.slurm.scheduler import Outlook, Query, T
from scrun.host import Host
from scrun.why.inquiry import Inquiry

AGAIN = 30.0
"""Seconds from one question to the next."""
SOON = 5.0
"""The same, while a job waits of which nothing is known yet."""
MEASURED = 10.0
"""Seconds between two questions what a step uses."""

Ask = Callable[[], Query[T] | None]


class Slurm:
    """Its commands, for who looks."""

    def __init__(self, host: Host, uid: int | None) -> None:
        """Args:
        host: this machine.
        uid: whose jobs are wanted; None: all users'.
        """
        self._host = host
        self._uid = uid
        self._there = bool(host.conf) and host.settings.scrun.scheduler != "local"

    def waiting(self) -> Query[dict[int, Outlook]] | None:
        """Ask for all jobs that wait; None: there is no Slurm."""
        command = self._command("squeue", outlook.words(self._uid))
        return Query(command, outlook.read_all) if command else None

    def used(self, step_id: str) -> Query[usage.Usage | None] | None:
        """Ask what a step uses."""
        command = self._command("sstat", usage.words(step_id)) if "." in step_id else None
        return Query(command, partial(usage.read, step_id=step_id)) if command else None

    def _command(self, program: str, words: tuple[str, ...]) -> Command | None:
        path = self._host.find(program) if self._there else ""
        if not path:
            return None
        environ = self._host.slurms_environ.items()
        argv = (os.fsencode(path), *map(os.fsencode, words))
        return Command(argv, tuple(os.fsencode(f"{name}={value}") for name, value in environ))


class Question(Generic[T]):
    """One that is asked again and again, and whose last answer stands until there is another."""

    def __init__(self, ask: Ask[T], clock: Callable[[], float] = time.monotonic) -> None:
        """Args:
        ask: makes the question; None if there is nobody to ask.
        clock: in seconds.
        """
        self._ask = ask
        self._clock = clock
        self._asked = -AGAIN
        self._inquiry: Inquiry[T] | None = None
        self.answer: T | None = None

    def look(self, again: float) -> T | None:
        """The last answer; ask anew if the last question is so many seconds ago."""
        if self._inquiry is not None and self._inquiry.over():
            found, self._inquiry = self._inquiry.close(), None
            self.answer = self.answer if found is None else found
        if self._inquiry is None and self._clock() - self._asked >= again:
            self._asked = self._clock()
            query = self._ask()
            try:
                self._inquiry = Inquiry(query) if query is not None else None
            except OSError:
                self._inquiry = None
        return self.answer

    def close(self) -> None:
        """End what is under way."""
        if self._inquiry is not None:
            self._inquiry.close()
            self._inquiry = None


def queue(question: Question[dict[int, Outlook]], jobs: set[str]) -> Mapping[int, Outlook]:
    """What Slurm says of the jobs that wait, asked for if any does."""
    if not jobs:
        return {}
    wanted = {int(job) for job in jobs if job.isascii() and job.isdigit() and len(job) < 19}
    known = question.answer or {}
    return question.look(AGAIN if wanted <= known.keys() else SOON) or {}
