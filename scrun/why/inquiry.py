"""A question to Slurm about a job that waits, on behalf of somebody who looks: it holds nobody up."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import Generic

from actors.slurm import scheduler_for
from actors.slurm.scheduler import Outlook, Query, Scheduler, T
from proto.errors import ScrunError
from proto.life.creation import Creation
from scrun.cli.root import is_own

LIMIT = 5.0
"""Seconds after which a controller that has not answered is not waited for any more."""
_SIZE_LIMIT = 64 << 20
"""Bytes of an answer: some hundred thousand jobs."""


def begin(root: str, creation: Creation, job_id: int) -> "Inquiry[Outlook | None] | None":
    """Ask; None if there is nobody to ask, or if the state directory ``root`` is somebody else's.

    The command, and PATH, are what the container's owner gave to ``create``: nobody else runs them, root least of all.
    """
    return _begin(root, creation, job_id, lambda scheduler: scheduler.outlook(job_id))


def canceller(root: str, creation: Creation, job_id: int) -> int | None:
    """Whose command cancelled a job, by the user's id, if Slurm's books say so."""
    asked = _begin(root, creation, job_id, lambda scheduler: scheduler.canceller(job_id))
    if asked is None:
        return None
    try:
        asked.wait()
    finally:
        found = asked.close()
    return found


def _begin(
    root: str, creation: Creation, job_id: int, question: Callable[[Scheduler], Query[T] | None]
) -> "Inquiry[T] | None":
    try:
        if not job_id or not is_own(root):
            return None
        query = question(scheduler_for(creation))
        return Inquiry(query) if query is not None else None
    except (OSError, ScrunError):
        return None


class Inquiry(Generic[T]):
    """A command of Slurm's that runs.

    Attributes:
        silent: whether it has ended, or was ended, without an answer.

    """

    def __init__(self, query: Query[T], limit: float = LIMIT) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.

        """
        self.silent = False
        self._query = query
        self._deadline = time.monotonic() + limit
        with contextlib.ExitStack() as stack:
            self._said = stack.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(
                query.command.argv, env=dict(pair.split(b"=", 1) for pair in query.command.env), cwd="/",
                stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            stack.pop_all()

    def over(self) -> bool:
        """Whether there is an answer, or none is waited for any more."""
        return self._process.poll() is not None or time.monotonic() >= self._deadline

    def wait(self) -> None:
        """Wait until it is over."""
        try:
            self._process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass

    def close(self) -> T | None:
        """The answer, if there is one; what still runs is ended."""
        self.silent = self._process.poll() != 0
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        with self._said:
            if self.silent:
                return None
            self._said.seek(0)
            return self._query.read(self._said.read(_SIZE_LIMIT).decode(errors="replace"))
