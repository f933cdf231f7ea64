"""The cases of one run of the tests, carried out ahead of the tests that look at them: most of the time is waiting."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from typing import TYPE_CHECKING

from tests.oci.beside import sides
from tests.oci.beside.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.conftest import Runner
    from tests.oci.beside.outcome import Outcome
    from tests.oci.beside.table import Case

AT_ONCE = 3
"""Cases at one time, each with two scripts."""


class Ahead:
    """Begins with all cases at once; ``outcomes`` waits for those of one."""

    def __init__(
        self,
        cases: Sequence[Case],
        runners: Mapping[str, Runner],
        runtimes: Mapping[str, Mapping[str, str]],
        images: Mapping[str, str],
    ) -> None:
        self._over = threading.Event()
        self.places: dict[str, Place] = {}
        with contextlib.ExitStack() as ending:
            for engine in dict.fromkeys(case.engine for case in cases):
                self.places[engine] = Place(engine, runners[engine], runtimes[engine], images)
                ending.callback(self.places[engine].close)
            pool = ending.enter_context(concurrent.futures.ThreadPoolExecutor(AT_ONCE))
            ending.callback(self._over.set)
            self._futures = {case: pool.submit(self._run, case, number) for number, case in enumerate(cases)}
            self._ending = ending.pop_all()

    def _run(self, case: Case, number: int) -> tuple[Outcome, Outcome]:
        if self._over.is_set():
            raise concurrent.futures.CancelledError
        return sides.run(self.places[case.engine], case, number)

    def outcomes(self, case: Case) -> tuple[Outcome, Outcome]:
        """With runc and with scrun."""
        return self._futures[case].result()

    def close(self) -> None:
        """Begin nothing more, wait for what runs, and remove everything."""
        self._ending.close()
