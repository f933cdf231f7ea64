"""A case with both runtimes at the same time."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from tests.oci.beside.outcome import Outcome, files_below, without_names
from tests.oci.beside.terminal import StuckError, session
from tests.oci.podman import end_all

if TYPE_CHECKING:
    from tests.oci.beside.place import Place
    from tests.oci.beside.table import Case, Terminal

REFERENCE, OURS = "runc", "scrun"
LIMIT = 60.0
"""Seconds until a script is ended. A row that takes this long is wrong, or scrun is."""


class Side:
    """One script with one runtime."""

    def __init__(self, place: Place, runtime: str, case: Case, number: int) -> None:
        self.place = place
        self.mark = place.mark(runtime, number)
        self.workplace = place.workplace(runtime, self.mark)
        image = place.image(case.image) if case.image else ""
        self.command = place.command(runtime, case.script, self.mark, self.workplace, image)
        self.terminal = case.terminal
        self.names = {str(self.workplace): "DIRECTORY", self.mark: "MARK"}

    def run(self) -> Outcome:
        """Run it to its end, or to the limit."""
        began = time.monotonic()
        if self.terminal:
            stdout, stderr, status, stuck = self._at(self.terminal, began + LIMIT)
        else:
            stdout, stderr, status, stuck = self._with_pipes(LIMIT)
        took = time.monotonic() - began
        stdout, stderr = (without_names(data, self.names) for data in (stdout, stderr))
        return Outcome(stdout, stderr, status, {}, took, stuck)

    def with_files(self, outcome: Outcome) -> Outcome:
        """The outcome with the files that there are, when nothing runs any more."""
        return dataclasses.replace(outcome, files=files_below(self.workplace, self.names))

    def _with_pipes(self, limit: float) -> tuple[bytes, bytes, int, str]:
        process = self.place.runner.start(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            stdout, stderr = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            return error.stdout or b"", error.stderr or b"", -1, "without end"
        else:
            return stdout, stderr, process.returncode, ""
        finally:
            end_all([process])

    def _at(self, terminal: Terminal, deadline: float) -> tuple[bytes, bytes, int, str]:
        # setsid makes the terminal the controlling one.
        command = ["setsid", "--ctty", "--wait", *self.command]
        with session(
            terminal, lambda slave: self.place.runner.start(command, stdin=slave, stdout=slave, stderr=slave)
        ) as (at, process):
            try:
                at.converse(process, deadline)
                return at.output, b"", process.wait(), ""
            except StuckError as error:
                return at.output, b"", -1, str(error)


def run(place: Place, case: Case, number: int) -> tuple[Outcome, Outcome]:
    """What the case comes to with runc and with scrun."""
    sides = [Side(place, runtime, case, number) for runtime in (REFERENCE, OURS)]
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            outcomes = list(both.map(Side.run, sides))
    finally:
        place.clean(*(side.mark for side in sides))
    reference, ours = (side.with_files(outcome) for side, outcome in zip(sides, outcomes, strict=True))
    return reference, ours
